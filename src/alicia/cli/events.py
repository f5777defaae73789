"""``alicia events``: the scheduler's table of events."""

from typing import Any

from alicia.adapters.zones import load_zone
from alicia.base.limits import LIST_LIMIT_MAX
from alicia.cli import event_import, reading, words
from alicia.cli.api import path
from alicia.cli.context import Context
from alicia.cli.event_form import add_arguments, event_body
from alicia.cli.event_import import import_events
from alicia.cli.event_lookup import find_event
from alicia.cli.exits import Exit
from alicia.cli.parsing import Group, Parser, positive


def configure(group: Group) -> None:
    """Describe the arguments."""
    parser = group.add("list", list_events, "events and their next runs")
    parser.add_argument("--active", action="store_true", help="only those that will run again")
    parser.add_argument("--status")
    parser.add_argument("--tag")
    parser.add_argument("--search", metavar="TEXT")
    parser.add_argument("--limit", type=positive, metavar="N", help="(1000)")
    add_arguments(group.add("add", add, "store an event"))
    parser = group.add("import", import_events, "store many: a crontab, a YAML or JSON list")
    event_import.add_arguments(parser)
    _event(group.add("show", show, "one event whole"))
    parser = _event(group.add("trigger", trigger, "run it now, also while paused"))
    parser.add_argument("--payload", metavar="JSON", help="instead of the event's own")
    parser = _event(group.add("pause", pause, "stop running until resumed"))
    parser.add_argument("--until", metavar="TIME", help="resume by itself: RFC 3339, +2h")
    _event(group.add("resume", resume, "run again"))
    parser = _event(group.add("cancel", cancel, "end it for good; history stays"))
    parser.add_argument("--purge", action="store_true", help="remove it with its history")
    _event(group.add("next", show_next, "its next runs"))


def _event(parser: Parser) -> Parser:
    parser.add_argument("event", metavar="EVENT", help="id or name")
    return parser


def list_events(context: Context) -> int:
    """List events in the order of their creation."""
    reply = context.scheduler.get(
        "/events",
        {
            "active_only": context.get("active") or None,
            "status": context.get("status"),
            "tag": context.get("tag"),
            "search": context.get("search"),
            "limit": context.get("limit"),
        },
    )
    if context.json:
        context.out.json(reply)
        return Exit.DONE
    now_ms = context.clock.now_ms()
    rows = [_row(event, now_ms) for event in reply["events"]]
    if rows:
        columns = ["name", "status", "next", "last", "runs", "schedule"]
        context.out.table(columns, rows)
        context.out.more(reply, len(rows), limit_max=LIST_LIMIT_MAX)
    else:
        context.out.line("no events; add one with: alicia events add --help")
    return Exit.DONE


def add(context: Context) -> int:
    """Store an event."""
    reply = context.scheduler.post("/events", event_body(context))
    event = reply.get("event") or {}
    when = words.relative(event.get("next_run"), context.clock.now_ms())
    text = f"added {words.clean(reply['event_id'])}: {_schedule(event)}; next run {when}"
    context.out.answer(reply, text)
    return Exit.DONE


def show(context: Context) -> int:
    """Show one event."""
    event = find_event(context.scheduler, context.get("event"))
    if context.json:
        context.out.json({"event": event})
    else:
        shown = {k: v for k, v in event.items() if v not in (None, "", [], {})}
        shown.pop("next_runs", None)  # ``events next`` has them in the zone of the event
        context.out.pairs(list(shown.items()))
    return Exit.DONE


def show_next(context: Context) -> int:
    """Show when an event runs next."""
    event = find_event(context.scheduler, context.get("event"))
    runs = event.get("next_runs") or []
    if context.json:
        context.out.json({"event_id": event["event_id"], "next_runs": runs})
        return Exit.DONE
    now_ms, zone = context.clock.now_ms(), load_zone(event["timezone"])
    if runs:
        rows = [(words.moment(run, zone), words.relative(run, now_ms)) for run in runs]
        context.out.table(["next run", ""], rows)
    else:
        context.out.line(f"no further run; the event is {words.clean(event.get('status'))}")
    return Exit.DONE


def trigger(context: Context) -> int:
    """Run an event now."""
    text = context.get("payload")
    body = None if text is None else {"payload": reading.json_object(text, flag="--payload")}
    reply = _do(context, "trigger", body)
    context.out.answer(reply, f"started execution {words.clean(reply['execution_id'])}")
    return Exit.DONE


def pause(context: Context) -> int:
    """Pause an event."""
    until = context.get("until")
    body = None
    if until is not None:
        at_ms = reading.instant_ms(until, flag="--until", now_ms=context.clock.now_ms())
        body = {"until": at_ms / 1000}
    reply = _do(context, "pause", body)
    context.out.answer(reply, f"paused {words.clean(context.get('event'))}")
    return Exit.DONE


def resume(context: Context) -> int:
    """Resume an event."""
    reply = _do(context, "resume", None)
    when = words.relative((reply.get("event") or {}).get("next_run"), context.clock.now_ms())
    context.out.answer(reply, f"resumed {words.clean(context.get('event'))}; next run {when}")
    return Exit.DONE


def cancel(context: Context) -> int:
    """Cancel an event."""
    event_id = find_event(context.scheduler, context.get("event"))["event_id"]
    target = path("events", event_id) + ("?purge=true" if context.get("purge") else "")
    reply = context.scheduler.delete(target)
    done = "removed" if context.get("purge") else "cancelled"
    context.out.answer(reply or {"event_id": event_id}, f"{done} {words.clean(event_id)}")
    return Exit.DONE


def _do(context: Context, verb: str, body: object) -> Any:
    event_id = find_event(context.scheduler, context.get("event"))["event_id"]
    return context.scheduler.post(path("events", event_id, verb), body)


def _schedule(event: dict[str, Any]) -> str:
    return words.clean(event.get("schedule_text") or event.get("schedule_type"))


def _row(event: dict[str, Any], now_ms: int) -> tuple[object, ...]:
    return (
        event.get("name") or event.get("event_id"),
        event.get("status"),
        words.relative(event.get("next_run"), now_ms),
        words.relative(event.get("last_run"), now_ms),
        event.get("run_count"),
        _schedule(event),
    )
