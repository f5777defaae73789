"""Durations as users write them: ``500ms 30s 5m 1h 7d 2w 1y``, combined, or bare seconds."""

import math
import re
from typing import Final

from alicia.base.errors import BadField

_UNITS_MS: Final = {
    "ms": 1,
    "s": 1000,
    "m": 60_000,
    "h": 3_600_000,
    "d": 86_400_000,
    "w": 7 * 86_400_000,
    "y": 365 * 86_400_000,
}
_PART: Final = re.compile(r"(\d+(?:\.\d+)?)(ms|[smhdwy])")
_TEXT: Final = re.compile(r"(?:\d+(?:\.\d+)?(?:ms|[smhdwy]))+")
_DURATION_MS_MAX: Final = 300 * 365 * 86_400_000
_TEXT_CHARS_MAX: Final = 64


def parse_duration_ms(value: str | int | float, *, field: str = "duration") -> int:
    """Milliseconds of a duration, rounded to the nearest; never negative.

    Raises:
        BadField: not a duration, negative, not finite, or longer than 300 years.
    """
    if isinstance(value, bool):
        raise _bad(field, value)
    if isinstance(value, int | float):
        in_range = abs(value) <= _DURATION_MS_MAX  # an int of any length; false for NaN
        return _bounded(float(value) * 1000 if in_range else math.nan, field, value)
    text = value.strip()
    if len(text) > _TEXT_CHARS_MAX:
        raise _bad(field, text[:_TEXT_CHARS_MAX] + "…")
    if _TEXT.fullmatch(text):
        total = sum(float(number) * _UNITS_MS[unit] for number, unit in _PART.findall(text))
        return _bounded(total, field, value)
    try:
        seconds = float(text)
    except ValueError:
        raise _bad(field, value) from None
    return _bounded(seconds * 1000, field, value)


def format_duration_ms(value_ms: int) -> str:
    """The shortest exact spelling: ``90000`` is ``1m30s``; parse_duration_ms() reads it back."""
    if value_ms == 0:
        return "0s"
    parts, rest = [], value_ms
    for unit, size in sorted(_UNITS_MS.items(), key=lambda item: -item[1]):
        count, rest = divmod(rest, size)
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts)


def _bounded(value_ms: float, field: str, given: object) -> int:
    if not 0 <= value_ms <= _DURATION_MS_MAX:  # NaN fails both comparisons
        raise _bad(field, given)
    return round(value_ms)


def _bad(field: str, given: object) -> BadField:
    return BadField(
        field,
        f"{field}: {given!r} is not a duration; write 500ms, 30s, 5m, 1h, 7d, 2w, 1y"
        " or a number of seconds",
        reason="bad_duration",
    )
