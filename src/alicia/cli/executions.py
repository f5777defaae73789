"""``alicia executions``: what ran, when, and how it ended."""

from typing import Any

from alicia.cli import reading, words
from alicia.cli.api import path
from alicia.cli.context import Context
from alicia.cli.exits import Exit
from alicia.cli.output import pairs
from alicia.cli.parsing import Group


def configure(group: Group) -> None:
    """Describe the arguments."""
    parser = group.add("list", list_executions, "newest first")
    parser.add_argument("event", nargs="?", metavar="EVENT", help="id of one event")
    parser.add_argument("--status", help="completed, failed, missed, …")
    parser.add_argument("--since", metavar="TIME", help="RFC 3339, epoch seconds, or -1h")
    parser.add_argument("--limit", type=int, default=50, metavar="N", help="(50)")
    parser = group.add("show", show, "one execution with all its attempts")
    parser.add_argument("execution", metavar="ID")


def list_executions(context: Context) -> int:
    """List executions, of one event or of all."""
    since = context.get("since")
    reply = context.scheduler.get(
        "/executions",
        {
            "event_id": context.get("event"),
            "status": context.get("status"),
            "since": None
            if since is None
            else reading.instant_ms(since, flag="--since", now_ms=context.clock.now_ms()) / 1000,
            "limit": context.get("limit"),
        },
    )
    if context.json:
        context.out.json(reply)
        return Exit.DONE
    now_ms = context.clock.now_ms()
    rows = [_row(execution, now_ms) for execution in reply["executions"]]
    if rows:
        columns = ["execution", "event", "kind", "due", "status", "tries", "said"]
        context.out.table(columns, rows)
    else:
        context.out.line("no executions")
    return Exit.DONE


def show(context: Context) -> int:
    """Show one execution."""
    reply = context.scheduler.get(path("executions", context.get("execution")))
    if context.json:
        context.out.json(reply)
        return Exit.DONE
    execution = reply.get("execution")
    if execution is None:  # the id was that of an event
        execution = {"executions": len(reply.get("executions", ()))}
    attempts = execution.get("attempts") or []
    plain = [(key, value) for key, value in execution.items() if key != "attempts"]
    pairs(context.out.console(), plain)
    if attempts:
        context.out.line()
        context.out.table(
            ["try", "start", "end", "outcome", "error"],
            [
                (
                    a.get("n"),
                    *map(words.moment, (a.get("start"), a.get("end"))),
                    a.get("outcome"),
                    a.get("error"),
                )
                for a in attempts
            ],
        )
    return Exit.DONE


def _row(execution: dict[str, Any], now_ms: int) -> tuple[object, ...]:
    said = execution.get("error_message") or execution.get("reason") or execution.get("result")
    return (
        execution.get("execution_id"),
        execution.get("event_id"),
        execution.get("kind"),
        words.relative(execution.get("scheduled_time"), now_ms),
        execution.get("status"),
        len(execution.get("attempts") or ()) or int(execution.get("retry_count") or 0) + 1,
        said,
    )
