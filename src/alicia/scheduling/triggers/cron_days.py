"""Which days of a month a cron expression means, as a mask with bit d for day d."""

from dataclasses import dataclass
from datetime import date
from typing import Final

EPOCH_ORDINAL: Final = date(1970, 1, 1).toordinal()
_SEVENTHS: Final = 1 | 1 << 7 | 1 << 14 | 1 << 21 | 1 << 28
_LENGTHS: Final = (0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


@dataclass(frozen=True, slots=True)
class Days:
    """The two day fields. Weekdays count from Sunday = 0.

    ``both``: a day must fit both fields (the star rule, or ``+``), else one of them is enough.
    ``near``, ``before_last``, ``last_weekday`` and ``nth`` as in ``cron_fields.Field``.
    """

    dom: int
    dow: int
    both: bool
    near: tuple[int, ...] = ()
    before_last: tuple[int, ...] = ()
    last_weekday: bool = False
    nth: tuple[tuple[int, int], ...] = ()


def month_length(year: int, month: int) -> int:
    """Days of the month."""
    leap = month == 2 and year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    return 29 if leap else _LENGTHS[month]


def month_mask(days: Days, year: int, month: int) -> int:
    """The days of one month that fit."""
    length = month_length(year, month)
    first = date(year, month, 1).isoweekday() % 7  # the weekday of day 1
    inside = (1 << length + 1) - 2
    by_day = _by_day(days, first, length) & inside
    by_weekday = _by_weekday(days, first, length) & inside
    return by_day & by_weekday if days.both else by_day | by_weekday


def _by_day(days: Days, first: int, length: int) -> int:
    mask = days.dom
    for back in days.before_last:
        if back < length:
            mask |= 1 << length - back
    for day in days.near:
        if day <= length:
            mask |= 1 << _nearest_working_day(day, first, length)
    if days.last_weekday:
        mask |= 1 << _nearest_working_day(length, first, length)
    return mask


def _by_weekday(days: Days, first: int, length: int) -> int:
    mask = 0
    for weekday in range(7):
        if days.dow >> weekday & 1:
            mask |= _SEVENTHS << 1 + (weekday - first) % 7
    for weekday, n in days.nth:
        start = 1 + (weekday - first) % 7
        mask |= 1 << (start + 7 * (n - 1) if n else start + (length - start) // 7 * 7)
    return mask


def _nearest_working_day(day: int, first: int, length: int) -> int:
    """The Monday to Friday closest to the day, within the month."""
    weekday = (first + day - 1) % 7
    if weekday == 6:  # Saturday
        return day - 1 if day > 1 else day + 2
    if weekday == 0:  # Sunday
        return day + 1 if day < length else day - 2
    return day
