"""Numbers and instants as people read them; pure."""

from collections.abc import Iterable
from typing import Any

from alicia.base.errors import BadField
from alicia.base.times import parse_time_ms

_UNITS = ((86_400_000, "d"), (3_600_000, "h"), (60_000, "min"), (1000, "s"))


def span(value_ms: float) -> str:
    """A length of time in its largest whole unit: ``3 min``."""
    for size, unit in _UNITS:
        if value_ms >= size:
            return f"{int(value_ms // size)} {unit}"
    return f"{max(0, round(value_ms))} ms"


def relative(value: object, now_ms: int) -> str:
    """An instant of the API seen from now: ``3 min ago``, ``in 2 h``; ``-`` for none."""
    if value in (None, ""):
        return "-"
    try:
        at_ms = parse_time_ms(value)  # type: ignore[arg-type]  # other types raise below
    except (BadField, AttributeError, TypeError):
        return clean(value)
    gap_ms = at_ms - now_ms
    if abs(gap_ms) < 1000:
        return "now"
    return f"in {span(gap_ms)}" if gap_ms > 0 else f"{span(-gap_ms)} ago"


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


def labels(pairs: Any, *, without: Iterable[str] = ()) -> str:
    """Labels as PromQL writes them, sorted, in braces; empty for none."""
    if not isinstance(pairs, dict):
        return ""
    hidden = set(without)
    shown = [f'{clean(k)}="{clean(v)}"' for k, v in sorted(pairs.items()) if k not in hidden]
    return "{" + ",".join(shown) + "}" if shown else ""
