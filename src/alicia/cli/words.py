"""Numbers and instants as people read them; pure."""

import json
from collections.abc import Iterable
from datetime import UTC, datetime, tzinfo
from typing import Any

from alicia.base.errors import BadField
from alicia.base.times import parse_time_ms

_SECOND_MS = 1000
_UNITS = ((86_400_000, "d"), (3_600_000, "h"), (60_000, "min"), (_SECOND_MS, "s"))


def span(value_ms: float) -> str:
    """A length of time in the largest unit of which it holds two: ``90 s``, ``2 min``."""
    for size, unit in _UNITS:
        if value_ms >= 2 * size or (size == _SECOND_MS and value_ms >= size):
            return f"{round(value_ms / size)} {unit}"
    return f"{max(0, round(value_ms))} ms"


def moment(value: object, zone: tzinfo | None = None) -> str:
    """An instant of the API on a calendar; ``zone`` None is that of the machine."""
    at_ms = _instant_ms(value)
    if at_ms is None:
        return clean(value)
    at = datetime.fromtimestamp(at_ms / 1000, UTC).astimezone(zone)
    return at.strftime("%Y-%m-%d %H:%M:%S %Z")


def relative(value: object, now_ms: int) -> str:
    """An instant of the API seen from now: ``3 min ago``, ``in 2 h``; ``-`` for none."""
    if value in (None, ""):
        return "-"
    at_ms = _instant_ms(value)
    if at_ms is None:
        return clean(value)
    gap_ms = at_ms - now_ms
    if abs(gap_ms) < 1000:
        return "now"
    return f"in {span(gap_ms)}" if gap_ms > 0 else f"{span(-gap_ms)} ago"


def _instant_ms(value: object) -> int | None:
    if not isinstance(value, int | float | str):
        return None
    try:
        return parse_time_ms(value)
    except BadField:
        return None


def number(value: object) -> str:
    """A number in at most six significant digits; anything else as it is."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return clean(value)
    if isinstance(value, int) or (value.is_integer() and abs(value) < 1e15):
        return str(int(value))
    return f"{value:.6g}"


def clean(value: object) -> str:
    """Text of a peer on one line, with nothing in it that a terminal would obey."""
    if value is None:
        return "-"
    return "".join(
        char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in str(value)
    )


def anything(value: object) -> str:
    """A value of a JSON answer: structures and truth values as JSON, the rest as text."""
    if isinstance(value, dict | list | bool):
        return clean(json.dumps(value, ensure_ascii=False))
    return number(value)


def labels(pairs: Any, *, without: Iterable[str] = ()) -> str:
    """Labels as PromQL writes them, sorted, in braces; empty for none."""
    if not isinstance(pairs, dict):
        return ""
    hidden = set(without)
    shown = [f'{clean(k)}="{clean(v)}"' for k, v in sorted(pairs.items()) if k not in hidden]
    return "{" + ",".join(shown) + "}" if shown else ""
