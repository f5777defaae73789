"""An event from the flags of ``alicia events add``."""

from datetime import UTC, datetime
from typing import Any, Final

from alicia.cli import reading
from alicia.cli.context import Context
from alicia.cli.exits import Usage
from alicia.cli.parsing import Parser, positive

_TIMINGS: Final = ("once", "every", "cron", "rrule")
# Argument, key of the API: taken as they are.
_PLAIN: Final = (
    ("name", "name"),
    ("description", "description"),
    ("timezone", "timezone"),
    ("service", "target_service"),
    ("topic", "target_topic"),
    ("start", "start_at"),
    ("end", "end_at"),
    ("max_runs", "max_runs"),
    ("retries", "max_retries"),
    ("timeout", "timeout"),
    ("overlap", "overlap"),
    ("tag", "tags"),
)


def add_arguments(parser: Parser) -> None:
    """Describe the flags of an event."""
    parser.add_argument("name", nargs="?", metavar="NAME", help="what people call it")
    parser.add_argument("--file", metavar="FILE", help="an event as JSON; - reads stdin")
    when = parser.add_argument_group("when (one of)")
    when.add_argument("--once", metavar="TIME", help="RFC 3339, local time, or +10m")
    when.add_argument("--every", metavar="DURATION", help="30s, 5m, 1h")
    when.add_argument("--cron", metavar="EXPR", help="'30 7 * * mon-fri'")
    when.add_argument("--rrule", metavar="RULE", help="'FREQ=MONTHLY;BYDAY=1MO;BYHOUR=9'")
    what = parser.add_argument_group("what")
    what.add_argument(
        "--service", metavar="NAME", help="publish to the command topic of this service"
    )
    what.add_argument("--topic", metavar="TOPIC", help="publish to this topic")
    what.add_argument("--payload", metavar="JSON", help="an object to publish or to send")
    what.add_argument("--http", metavar="URL", help="send a request instead")
    what.add_argument("--method", help="(POST)")
    what.add_argument("--header", action="append", metavar="NAME=VALUE", help="repeatable")
    what.add_argument("--remind", action="store_true", help="only record that the time came")
    more = parser.add_argument_group("more")
    more.add_argument("--description", metavar="TEXT")
    more.add_argument("--timezone", metavar="ZONE", help="Europe/Riga (setting TIMEZONE)")
    more.add_argument("--start", metavar="TIME", help="not before")
    more.add_argument("--end", metavar="TIME", help="not after")
    more.add_argument("--max-runs", type=positive, metavar="N", help="end after so many")
    more.add_argument("--retries", type=int, metavar="N", help="tries after a failed one (0)")
    more.add_argument("--timeout", metavar="DURATION", help="of one try (60s)")
    more.add_argument(
        "--require-ack", action="store_true", help="done only when the target says so"
    )
    more.add_argument(
        "--overlap",
        choices=("skip", "queue_one", "queue_all", "cancel_running", "allow"),
        help="what to do while the last one still runs (skip)",
    )
    more.add_argument(
        "--misfire", choices=("run_once", "run_all", "skip"), help="what was missed (run_once)"
    )
    more.add_argument("--tag", action="append", metavar="TAG", help="repeatable")


def event_body(context: Context) -> dict[str, Any]:
    """The event of the command line as ``POST /events`` takes it.

    Raises:
        Usage: no timing or several, or flags that contradict each other.
    """
    timings = [name for name in _TIMINGS if context.get(name) is not None]
    if context.get("file"):
        body = reading.json_file(context.get("file"), flag="--file")
    elif len(timings) == 1 and context.get("name"):
        body = {}
    else:
        raise Usage(
            "an event needs NAME and one of --once, --every, --cron, --rrule,"
            " such as: wake --cron '30 7 * * mon-fri' --topic home/wake"
        )
    if len(timings) > 1:
        raise Usage(f"--{timings[0]} and --{timings[1]}: give one of them")
    for name in timings:
        body |= _timing(name, context)
    for name, key in _PLAIN:
        if context.get(name) is not None:
            body[key] = context.get(name)
    if context.get("require_ack"):
        body["require_ack"] = True
    if context.get("misfire"):
        body["misfire"] = {"policy": context.get("misfire")}
    return body | _action(context)


def _timing(name: str, context: Context) -> dict[str, Any]:
    given = context.get(name)
    match name:
        case "once":
            return {"schedule_type": "once", "run_at": _run_at(given, context.clock.now_ms())}
        case "every":
            seconds = reading.duration_seconds(given, flag="--every")
            return {"schedule_type": "interval", "interval_seconds": seconds}
        case "cron":
            return {"schedule_type": "cron", "cron_expression": given}
        case _:
            return {"schedule_type": "recurring", "recurrence": given}


def _run_at(text: str, now_ms: int) -> str:
    """RFC 3339 of ``+10m``; anything else goes as it is, for the server knows the event's zone."""
    if not text.startswith("+"):
        return text
    at_ms = reading.instant_ms(text, flag="--once", now_ms=now_ms)
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds")


def _action(context: Context) -> dict[str, Any]:
    payload = context.get("payload")
    content = None if payload is None else reading.json_object(payload, flag="--payload")
    if context.get("remind"):
        return {"action": {"type": "remind"}}
    if context.get("http") is None:
        if context.get("method") or context.get("header"):
            raise Usage("--method and --header belong to --http URL")
        return {} if content is None else {"payload": content}
    if context.get("topic"):
        raise Usage("--http and --topic: give one of them")
    action: dict[str, Any] = {
        "type": "http",
        "method": (context.get("method") or "POST").upper(),
        "url": context.get("http"),
    }
    headers = reading.pairs(context.get("header"), flag="--header", example="X-Room=kitchen")
    if headers:
        action["headers"] = headers
    if content is not None:
        action["body"] = content
    return {"action": action}
