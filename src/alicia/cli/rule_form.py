"""An alert rule from the flags of ``alicia rules add`` and ``test``."""

from typing import Any, Final

from alicia.cli import reading
from alicia.cli.context import Context
from alicia.cli.exits import Usage
from alicia.cli.parsing import Parser

# Flag, key of the API, meaning.
_DURATIONS: Final = (
    ("--for", "for", "fires only after so long (0s)"),
    ("--keep-firing-for", "keep_firing_for", "ends only after so long (0s)"),
    ("--missing-for", "missing_for", "fires too when the series is silent for so long"),
    ("--interval", "interval", "between two evaluations (COLLECTION_INTERVAL)"),
    ("--cooldown", "cooldown_period", "between two notices (0s)"),
)


def add_arguments(parser: Parser) -> None:
    """Describe the flags of a rule."""
    parser.add_argument("name", nargs="?", metavar="NAME", help="unique among the rules")
    parser.add_argument("condition", nargs="?", metavar="CONDITION", help="'cpu_percent > 90'")
    parser.add_argument("--file", metavar="FILE", help="a rule as JSON instead; - reads stdin")
    parser.add_argument(
        "--severity", choices=("info", "warning", "error", "critical"), help="(warning)"
    )
    parser.add_argument("--threshold", metavar="NUMBER", help="of a condition without one")
    parser.add_argument("--operator", choices=(">", ">=", "<", "<=", "==", "!="), help="(>)")
    parser.add_argument("--metric", metavar="NAME", help="metric of a condition on `value`")
    parser.add_argument("--resolve-threshold", metavar="NUMBER", help="ends at another limit")
    parser.add_argument(
        "--description", metavar="TEXT", help="may use {{ $value }}, {{ $labels.x }}"
    )
    parser.add_argument("--label", action="append", metavar="NAME=VALUE", help="repeatable")
    parser.add_argument("--annotation", action="append", metavar="NAME=VALUE", help="repeatable")
    for flag, key, text in _DURATIONS:
        parser.add_argument(flag, dest=f"length_{key}", metavar="DURATION", help=text)


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
        **{key: context.get(f"length_{key}") for _, key, _ in _DURATIONS},
    }
    return body | {key: value for key, value in given.items() if value not in (None, {})}


def _number(context: Context, name: str) -> float | None:
    text = context.get(name)
    return None if text is None else reading.number(text, flag=f"--{name.replace('_', '-')}")
