"""``alicia executions``: what ran, when, and how it ended."""

from typing import Any

from alicia.base.limits import LIST_LIMIT_MAX
from alicia.cli import reading, words
from alicia.cli.api import path
from alicia.cli.context import Context
from alicia.cli.event_lookup import event_names, find_event
from alicia.cli.exits import Exit
from alicia.cli.parsing import Group, positive


def configure(group: Group) -> None:
    """Describe the arguments."""
    parser = group.add("list", list_executions, "newest first")
    parser.add_argument("event", nargs="?", metavar="EVENT", help="id or name of one event")
    parser.add_argument("--status", help="completed, failed, missed, …")
    parser.add_argument("--since", metavar="TIME", help="RFC 3339, epoch seconds, or -1h")
    parser.add_argument("--limit", type=positive, default=50, metavar="N", help="(50)")
    parser = group.add("show", show, "one execution with all its attempts")
    parser.add_argument("execution", metavar="ID")
    parser = group.add("cancel", cancel, "end one that waits or runs")
    parser.add_argument("execution", metavar="ID")


def list_executions(context: Context) -> int:
    """List executions, of one event or of all."""
    since, wanted = context.get("since"), context.get("event")
    event_id = None
    if wanted is not None:
        event_id = find_event(context.scheduler, wanted)["event_id"]
    reply = context.scheduler.get(
        "/executions",
        {
            "event_id": event_id,
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
    names = event_names(context.scheduler) if reply["executions"] else {}
    rows = [_row(execution, names, now_ms) for execution in reply["executions"]]
    if rows:
        columns = ["execution", "event", "due", "status", "said"]
        context.out.table(columns, rows)
        context.out.more(reply, len(rows), limit_max=LIST_LIMIT_MAX)
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
    context.out.pairs(plain)
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


def cancel(context: Context) -> int:
    """Cancel one execution."""
    execution_id = context.get("execution")
    reply = context.scheduler.post(path("executions", execution_id, "cancel"))
    context.out.answer(reply, f"cancelled {words.clean(execution_id)}")
    return Exit.DONE


def _row(execution: dict[str, Any], names: dict[str, str], now_ms: int) -> tuple[object, ...]:
    event_id = str(execution.get("event_id"))
    return (
        execution.get("execution_id"),
        names.get(event_id) or event_id,
        words.relative(execution.get("scheduled_time"), now_ms),
        execution.get("status"),
        _said(execution),
    )


def _said(execution: dict[str, Any]) -> str:
    """What is out of the ordinary, and what was reported."""
    kind = str(execution.get("kind"))
    tries = len(execution.get("attempts") or ()) or int(execution.get("retry_count") or 0) + 1
    reported = execution.get("error_message") or execution.get("reason") or execution.get("result")
    said = [
        "" if kind == "scheduled" else kind,
        f"{tries} tries" if tries > 1 else "",
        "" if reported is None else words.anything(reported),
    ]
    return "; ".join(filter(None, said)) or "-"
