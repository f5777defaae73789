"""Pieces of plain English that all triggers share."""

from collections.abc import Sequence
from typing import Final

from alicia.base.durations import format_duration_ms

WEEKDAYS: Final = (
    "Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday",
)  # fmt: skip
MONTHS: Final = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September",
    "October", "November", "December",
)  # fmt: skip
ORDINALS: Final = ("last", "first", "second", "third", "fourth", "fifth")
_UNITS: Final = (("day", 86_400), ("hour", 3600), ("minute", 60), ("second", 1))


def listed(parts: Sequence[str]) -> str:
    """``a``, ``a and b``, ``a, b and c``."""
    return parts[0] if len(parts) == 1 else ", ".join(parts[:-1]) + " and " + parts[-1]


def every(seconds: float) -> str:
    """``every minute``, ``every 90 seconds``, ``every 2 hours``; ``every 1m30s500ms`` when odd."""
    for unit, size in _UNITS:
        count, rest = divmod(seconds, size)
        if count >= 1 and rest == 0:
            return f"every {unit}" if count == 1 else f"every {int(count)} {unit}s"
    return f"every {format_duration_ms(round(seconds * 1000))}"


def clock(seconds: int) -> str:
    """A time of day: ``09:00``, with seconds only where there are some."""
    minutes, second = divmod(seconds, 60)
    text = f"{minutes // 60:02}:{minutes % 60:02}"
    return f"{text}:{second:02}" if second else text


def ordinal(n: int) -> str:
    """``1st 2nd 3rd 4th 11th``."""
    last = n % 10
    ending = "th" if 11 <= n % 100 <= 13 else {1: "st", 2: "nd", 3: "rd"}.get(last, "th")
    return f"{n}{ending}"


def members(mask: int) -> list[int]:
    """The set bits, ascending."""
    found = []
    while mask:
        low = mask & -mask
        found.append(low.bit_length() - 1)
        mask ^= low
    return found


def runs(values: Sequence[int]) -> list[tuple[int, int]]:
    """Ascending values as stretches of consecutive ones, both ends inclusive."""
    stretches: list[tuple[int, int]] = []
    for value in values:
        if stretches and stretches[-1][1] == value - 1:
            stretches[-1] = (stretches[-1][0], value)
        else:
            stretches.append((value, value))
    return stretches


def weekdays(mask: int) -> str:
    """``Monday to Friday``, ``Saturday and Sunday``; the week begins on Monday."""
    from_monday = (mask >> 1 | mask << 6) & 127
    named = [WEEKDAYS[(day + 1) % 7] for day in range(7)]
    return _stretches(from_monday, named)


def months(mask: int) -> str:
    """``January``, ``June to August``; bit 1 is January."""
    return _stretches(mask >> 1, MONTHS)


def _stretches(mask: int, names: Sequence[str]) -> str:
    parts = []
    for first, last in runs(members(mask)):
        if last - first >= 2:
            parts.append(f"{names[first]} to {names[last]}")
        else:
            parts.extend(names[i] for i in range(first, last + 1))
    return listed(parts)
