"""Structured recurrences: days by calendar arithmetic, times from a list.

Source: scheduling.md §1, "Structured".
"""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final, final

from alicia.base.limits import YEAR_MAX
from alicia.scheduling import words
from alicia.scheduling.localtime import DAY
from alicia.scheduling.triggers.cron_days import EPOCH_ORDINAL, month_length

_WEEK: Final = 7
_END_DAY: Final = date(YEAR_MAX, 12, 31).toordinal() - EPOCH_ORDINAL + 1


class Frequency(StrEnum):
    """The unit that ``every`` counts."""

    HOURLY = "hourly"
    DAILY = "daily"
    WEEKLY = "weekly"
    MONTHLY = "monthly"
    YEARLY = "yearly"


@dataclass(frozen=True, slots=True, kw_only=True)
class Recurrence:
    """A structured recurrence, with every default filled in from the anchor.

    ``anchor_day`` counts days since 1970-01-01. ``times`` are seconds of the day, ascending; for
    ``hourly`` seconds of the hour. ``weekdays`` has bit 0 for Sunday; 0 means all (hourly and
    daily). ``days`` are 1 to 31, -1 is the last. ``month`` is that of a yearly one.
    """

    frequency: Frequency
    every: int
    anchor_day: int
    anchor_hour: int
    times: tuple[int, ...]
    weekdays: int = 0
    days: tuple[int, ...] = ()
    month: int = 1
    clamp: bool = True


@final
class RecurrenceRule:
    """The local times of a structured recurrence; fits ``localtime.LocalRule``."""

    def __init__(self, recurrence: Recurrence) -> None:
        self._r = recurrence
        self.wild = recurrence.frequency is Frequency.HOURLY
        self._step = {Frequency.WEEKLY: _WEEK}.get(recurrence.frequency, 1) * recurrence.every

    def next_local(self, local_s: int) -> int | None:
        """The first local time at or after ``local_s``, and not before the anchor's date."""
        if self.wild:
            return self._next_hourly(local_s)
        day, time = divmod(local_s, DAY)
        on = self._next_day(day)
        if on == day:
            for candidate in self._r.times:
                if candidate >= time:
                    return day * DAY + candidate
            on = self._next_day(day + 1)
        return None if on is None else on * DAY + self._r.times[0]

    def count_local(self, low_s: int, high_s: int) -> int:
        """How many local times lie in ``low_s`` inclusive to ``high_s`` exclusive."""
        total, found = 0, self.next_local(low_s)
        while found is not None and found < high_s:
            total, found = total + 1, self.next_local(found + 1)
        return total

    def _next_hourly(self, local_s: int) -> int | None:
        r = self._r
        hour, second = divmod(local_s, 3600)
        start = r.anchor_day * 24 + r.anchor_hour
        while hour < _END_DAY * 24:
            k = max(-(-(hour - start) // r.every), 0)
            on = start + k * r.every
            if on > hour:
                hour, second = on, 0
            day = on // 24
            if r.weekdays and not r.weekdays >> _weekday(day) & 1:
                hour, second = (day + 1) * 24, 0
                continue
            for candidate in r.times:
                if candidate >= second:
                    return on * 3600 + candidate
            hour, second = on + 1, 0
        return None

    def _next_day(self, day: int) -> int | None:
        """The first day of the recurrence from ``day`` on."""
        day = max(day, self._r.anchor_day)
        if day >= _END_DAY:
            return None
        match self._r.frequency:
            case Frequency.WEEKLY:
                return self._next_in_week(day)
            case Frequency.MONTHLY | Frequency.YEARLY:
                return self._next_in_month(day)
            case _:
                return self._next_daily(day)

    def _next_daily(self, day: int) -> int | None:
        r = self._r
        k = -(-(day - r.anchor_day) // r.every)
        # Seven steps of any length meet every weekday that they can meet at all.
        for on in range(r.anchor_day + k * r.every, r.anchor_day + (k + _WEEK) * r.every, r.every):
            if not r.weekdays or r.weekdays >> _weekday(on) & 1:
                return on if on < _END_DAY else None
        return None

    def _next_in_week(self, day: int) -> int | None:
        r = self._r
        first_monday = r.anchor_day - (_weekday(r.anchor_day) - 1) % _WEEK
        weeks = (day - first_monday) // _WEEK
        if weeks % r.every == 0:
            for on in range(day, first_monday + (weeks + 1) * _WEEK):
                if r.weekdays >> _weekday(on) & 1:
                    return on
        monday = first_monday + (weeks // r.every + 1) * r.every * _WEEK
        on = next(d for d in range(monday, monday + _WEEK) if r.weekdays >> _weekday(d) & 1)
        return on if on < _END_DAY else None

    def _next_in_month(self, day: int) -> int | None:
        r = self._r
        anchor, on = _date(r.anchor_day), _date(day)
        yearly = r.frequency is Frequency.YEARLY
        step = r.every * (12 if yearly else 1)
        start = anchor.year * 12 + (r.month if yearly else anchor.month) - 1
        month = max(on.year * 12 + on.month - 1, start)
        month = start + -(-(month - start) // step) * step
        while month // 12 <= YEAR_MAX:
            year, number = divmod(month, 12)
            for number_of_day in _days_of(r, year, number + 1):
                found = date(year, number + 1, number_of_day).toordinal() - EPOCH_ORDINAL
                if found >= day:
                    return found
            month += step
        return None

    def words(self) -> str:
        """The recurrence in plain English."""
        r = self._r
        unit = {"hourly": "hour", "daily": "day", "weekly": "week", "monthly": "month",
                "yearly": "year"}[r.frequency.value]  # fmt: skip
        text = f"every {unit}" if r.every == 1 else f"every {r.every} {unit}s"
        if r.days:
            named = ["the last day" if day == -1 else f"the {words.ordinal(day)}" for day in r.days]
            of = f" of {words.MONTHS[r.month - 1]}" if r.frequency is Frequency.YEARLY else ""
            text += " on " + words.listed(named) + of
        if r.weekdays and r.weekdays != 127:
            text += " on " + words.weekdays(r.weekdays)
        if self.wild:
            past = [
                str(time // 60) if time % 60 == 0 else words.clock(time)[3:] for time in r.times
            ]
            return text if r.times == (0,) else f"{text} at minute {words.listed(past)}"
        return text + " at " + words.listed([words.clock(time) for time in r.times])


def _weekday(day: int) -> int:
    """Sunday = 0; 1970-01-01 was a Thursday."""
    return (day + 4) % _WEEK


def _date(day: int) -> date:
    return date.fromordinal(EPOCH_ORDINAL + day)


def _days_of(r: Recurrence, year: int, month: int) -> list[int]:
    """Distinct days of one month, ascending; each clamped from its original number."""
    length = month_length(year, month)
    found = set()
    for day in r.days:
        if day == -1:
            found.add(length)
        elif day <= length:
            found.add(day)
        elif r.clamp:
            found.add(length)
    return sorted(found)
