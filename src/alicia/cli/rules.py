"""``alicia rules``: what makes an alert."""

from typing import Any, Final

from alicia.cli import reading, words
from alicia.cli.context import Context
from alicia.cli.exits import Exit, Usage
from alicia.cli.parsing import Group, Parser

# Flag, key of the API.
_DURATIONS: Final = (
    ("--for", "for"),
    ("--keep-firing-for", "keep_firing_for"),
    ("--missing-for", "missing_for"),
    ("--interval", "interval"),
    ("--cooldown", "cooldown_period"),
)


def configure(group: Group) -> None:
    """Describe the arguments."""
    group.add("list", list_rules, "all rules and their conditions")
    parser = group.add("add", add, "store a rule")
    _rule_arguments(parser)
    parser = group.add("test", test, "when a rule would have fired")
    _rule_arguments(parser)
    parser.add_argument("--window", default="1h", metavar="DURATION", help="how far back (1h)")


def _rule_arguments(parser: Parser) -> None:
    parser.add_argument("name", nargs="?", metavar="NAME")
    parser.add_argument("condition", nargs="?", metavar="CONDITION", help="'cpu_percent > 90'")
    parser.add_argument("--file", metavar="FILE", help="a rule as JSON instead; - reads stdin")
    parser.add_argument(
        "--severity", choices=("info", "warning", "error", "critical"), help="(warning)"
    )
    parser.add_argument("--threshold", metavar="NUMBER")
    parser.add_argument("--operator", choices=(">", ">=", "<", "<=", "==", "!="))
    parser.add_argument("--metric", metavar="NAME", help="metric of a condition on `value`")
    parser.add_argument("--resolve-threshold", metavar="NUMBER", help="ends at another limit")
    parser.add_argument("--description")
    parser.add_argument("--label", action="append", metavar="NAME=VALUE")
    parser.add_argument("--annotation", action="append", metavar="NAME=VALUE")
    for flag, key in _DURATIONS:
        parser.add_argument(flag, dest=f"length_{key}", metavar="DURATION")


def list_rules(context: Context) -> int:
    """List the rules."""
    reply = context.collector.get("/alerts/rules")
    if context.json:
        context.out.json(reply)
        return Exit.DONE
    rows = [
        (
            rule.get("name"),
            rule.get("severity"),
            rule.get("expr"),
            rule.get("for"),
            rule.get("state") if rule.get("enabled", True) else "off",
        )
        for rule in reply["rules"]
    ]
    context.out.table(["name", "severity", "expression", "for", "state"], rows)
    return Exit.DONE


def add(context: Context) -> int:
    """Store a rule."""
    reply = context.collector.post("/alerts/rules", rule_body(context))
    text = f"added {words.clean(reply.get('name'))}: {words.clean(reply.get('expr'))}"
    context.out.answer(reply, text)
    return Exit.DONE


def test(context: Context) -> int:
    """Ask when a rule would have fired in the past."""
    seconds = reading.duration_seconds(context.get("window"), flag="--window")
    body = {"rule": rule_body(context), "window": seconds}
    reply = context.collector.post("/alerts/rules/test", body)
    context.out.json(reply) if context.json else _show_test(context, reply)
    return Exit.DONE


def _show_test(context: Context, reply: dict[str, Any]) -> None:
    now_ms = context.clock.now_ms()
    seen = f"{reply['evaluations']} evaluations of {reply['series']} series"
    if not reply["fired"]:
        context.out.line(f"would not have fired in the last {context.get('window')} ({seen})")
        return
    rows = [
        (
            words.labels(alert["labels"]),
            words.relative(alert["fired_at"], now_ms),
            words.span(alert["duration_seconds"] * 1000),
            words.relative(alert.get("resolved_at"), now_ms),
            alert["message"],
        )
        for alert in reply["fired"]
    ]
    context.out.table(["labels", "fired", "for", "resolved", "message"], rows)
    context.out.line(seen)


def rule_body(context: Context) -> dict[str, Any]:
    """The rule of the command line as the API takes it.

    Raises:
        Usage: name or condition is missing, or both a file and a condition are given.
    """
    if context.get("file"):
        if context.get("condition"):
            raise Usage("--file: give a file, or NAME and CONDITION, not both")
        body = reading.json_file(context.get("file"), flag="--file")
    elif context.get("name") and context.get("condition"):
        body = {"condition": context.get("condition"), "severity": "warning"}
    else:
        raise Usage("a rule needs NAME and CONDITION, such as: hot 'temperature > 30'")
    given = {
        "name": context.get("name"),
        "severity": context.get("severity"),
        "operator": context.get("operator"),
        "metric_name": context.get("metric"),
        "description": context.get("description"),
        "threshold": _number(context, "threshold"),
        "resolve_threshold": _number(context, "resolve_threshold"),
        "labels": reading.pairs(context.get("label"), flag="--label", example="room=kitchen"),
        "annotations": reading.pairs(
            context.get("annotation"), flag="--annotation", example="runbook=URL"
        ),
        **{key: context.get(f"length_{key}") for _, key in _DURATIONS},
    }
    return body | {key: value for key, value in given.items() if value not in (None, {})}


def _number(context: Context, name: str) -> float | None:
    text = context.get(name)
    return None if text is None else reading.number(text, flag=f"--{name.replace('_', '-')}")
