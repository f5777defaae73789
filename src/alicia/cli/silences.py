"""``alicia silence``: mute alerts for a while."""

from typing import Any, Final

from alicia.adapters.users import user_name
from alicia.cli import reading, words
from alicia.cli.api import path
from alicia.cli.context import Context
from alicia.cli.exits import Exit, Usage
from alicia.cli.parsing import Group

_OPERATORS: Final = ("=~", "!~", "!=", "=")


def configure(group: Group) -> None:
    """Describe the arguments."""
    parser = group.add("add", add, "silence all alerts whose labels match")
    parser.add_argument(
        "matchers", nargs="+", metavar="MATCHER", help="service=stt_service, severity=~warn.*"
    )
    parser.add_argument("--for", dest="length", metavar="DURATION", help="(1h)")
    parser.add_argument("--until", metavar="TIME", help="end: RFC 3339, epoch seconds, +2h")
    parser.add_argument("--start", metavar="TIME", help="begin (now)")
    parser.add_argument("--comment", default="", help="why")
    parser.add_argument("--author", help="(the user's name)")
    group.add("list", list_silences, "silences, active and planned")
    parser = group.add("end", end, "end a silence now")
    parser.add_argument("id", metavar="ID")


def add(context: Context) -> int:
    """Create a silence."""
    reply = context.collector.post("/alerts/silences", _body(context))
    context.out.answer(reply, f"silenced: {words.clean(reply.get('silence_id'))}")
    return Exit.DONE


def list_silences(context: Context) -> int:
    """List silences."""
    reply = context.collector.get("/alerts/silences")
    if context.json:
        context.out.json(reply)
        return Exit.DONE
    now_ms = context.clock.now_ms()
    rows = [
        (
            silence.get("silence_id"),
            silence.get("state"),
            ", ".join(_matcher_text(m) for m in silence.get("matchers") or ()),
            words.relative(silence.get("start"), now_ms),
            words.relative(silence.get("end"), now_ms),
            silence.get("author"),
            silence.get("comment"),
        )
        for silence in reply["silences"]
    ]
    if rows:
        context.out.table(["id", "state", "matches", "start", "end", "author", "comment"], rows)
    else:
        context.out.line("no silences")
    return Exit.DONE


def end(context: Context) -> int:
    """End a silence."""
    silence_id = context.get("id")
    reply = context.collector.delete(path("alerts", "silences", silence_id))
    context.out.answer(reply or {"ended": silence_id}, f"ended: {silence_id}")
    return Exit.DONE


def _body(context: Context) -> dict[str, Any]:
    now_ms = context.clock.now_ms()
    if context.get("length") and context.get("until"):
        raise Usage("--for and --until: give one of them")
    start = context.get("start")
    start_ms = now_ms if start is None else reading.instant_ms(start, flag="--start", now_ms=now_ms)
    if context.get("until"):
        end_ms = reading.instant_ms(context.get("until"), flag="--until", now_ms=now_ms)
    else:
        length = reading.duration_seconds(context.get("length") or "1h", flag="--for")
        end_ms = start_ms + round(length * 1000)
    return {
        "matchers": [parse_matcher(text) for text in context.get("matchers")],
        "start": start_ms / 1000,
        "end": end_ms / 1000,
        "comment": context.get("comment"),
        "author": context.get("author") or user_name(),
    }


def parse_matcher(text: str) -> dict[str, str]:
    """One label matcher: ``name=value``, also with ``!=``, ``=~``, ``!~``.

    Raises:
        Usage: it is none.
    """
    at = min((i for op in _OPERATORS if (i := text.find(op)) > 0), default=-1)
    if at < 0:
        raise Usage(f"MATCHER: {text[:64]!r} is not NAME=VALUE, such as service=stt_service")
    operator = next(op for op in _OPERATORS if text.startswith(op, at))
    value = text[at + len(operator) :].strip('"')
    return {"name": text[:at], "op": operator, "value": value}


def _matcher_text(matcher: dict[str, Any]) -> str:
    return f"{matcher.get('name')}{matcher.get('op', '=')}{matcher.get('value')}"
