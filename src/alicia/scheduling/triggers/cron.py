"""The cron rule: the next local time by bitmasks, never by walking minutes.

Source: scheduling.md §2.
"""

from datetime import date
from typing import Final, final

from alicia.base.limits import YEAR_MAX
from alicia.scheduling.localtime import DAY
from alicia.scheduling.triggers.cron_days import EPOCH_ORDINAL, month_length, month_mask
from alicia.scheduling.triggers.cron_fields import CronError
from alicia.scheduling.triggers.cron_parse import CronSpec
from alicia.scheduling.triggers.cron_words import cron_words

_MONTHS_CACHED: Final = 64
_END_DAY: Final = date(YEAR_MAX, 12, 31).toordinal() - EPOCH_ORDINAL


@final
class CronRule:
    """The local times of an expression; fits ``localtime.LocalRule``.

    The masks of recent months are kept, since one event asks for the same month many times.

    Raises:
        CronError: ``never_fires``, when no day before 2200 fits.
    """

    def __init__(self, spec: CronSpec) -> None:
        self.wild = spec.wild
        self._spec = spec
        self._per_day = spec.seconds.bit_count() * spec.minutes.bit_count() * spec.hours.bit_count()
        self._first_time = _first_time(spec)
        self._months: dict[int, int] = {}
        if self.next_local(0) is None:
            raise CronError(
                f"{spec.text!r} names no day before {YEAR_MAX + 1}", reason="never_fires"
            )

    def words(self) -> str:
        """The expression in plain English."""
        return cron_words(self._spec)

    def next_local(self, local_s: int) -> int | None:
        """The first local time at or after ``local_s``."""
        day, time = divmod(max(local_s, 0), DAY)
        if day > _END_DAY:
            return None
        on = date.fromordinal(EPOCH_ORDINAL + day)
        mask = self._mask(on.year, on.month)
        if mask >> on.day & 1:
            found = self._time_from(time)
            if found >= 0:
                return day * DAY + found
        later = mask >> on.day + 1
        if later:
            day += (later & -later).bit_length()
            return day * DAY + self._first_time
        return self._in_later_month(on)

    def _in_later_month(self, on: date) -> int | None:
        month = on.year * 12 + on.month  # counts months from 0; this is the next one
        spec = self._spec
        while (year := month // 12) <= YEAR_MAX:
            if spec.years is not None and not spec.years >> year - 1970 & 1:
                month = (year + 1) * 12
                continue
            mask = self._mask(year, month % 12 + 1)
            if mask:
                first = (mask & -mask).bit_length() - 1
                day = date(year, month % 12 + 1, first).toordinal() - EPOCH_ORDINAL
                return day * DAY + self._first_time
            month += 1
        return None

    def _mask(self, year: int, month: int) -> int:
        key = year * 16 + month
        mask = self._months.get(key)
        if mask is None:
            if len(self._months) >= _MONTHS_CACHED:
                self._months.clear()
            mask = self._months[key] = self._fresh_mask(year, month)
        return mask

    def _fresh_mask(self, year: int, month: int) -> int:
        spec = self._spec
        if not spec.months >> month & 1:
            return 0
        if spec.years is not None and not spec.years >> year - 1970 & 1:
            return 0
        return month_mask(spec.days, year, month)

    def _time_from(self, time: int) -> int:
        """The first second of the day at or after ``time``; -1 when the day has none left."""
        spec = self._spec
        minutes, second = divmod(time, 60)
        hour, minute = divmod(minutes, 60)
        if spec.hours >> hour & 1:
            if spec.minutes >> minute & 1:
                rest = spec.seconds >> second
                if rest:
                    return time + (rest & -rest).bit_length() - 1
            rest = spec.minutes >> minute + 1
            if rest:
                minute += (rest & -rest).bit_length()
                return hour * 3600 + minute * 60 + _lowest(spec.seconds)
        rest = spec.hours >> hour + 1
        if not rest:
            return -1
        hour += (rest & -rest).bit_length()
        return hour * 3600 + self._first_time % 3600

    def count_local(self, low_s: int, high_s: int) -> int:
        """How many local times lie in ``low_s`` inclusive to ``high_s`` exclusive."""
        if high_s <= low_s:
            return 0
        first, last = low_s // DAY, high_s // DAY
        total = self._days_between(first, last) * self._per_day
        if self._on(last):
            total += self._times_before(high_s % DAY)
        if self._on(first):
            total -= self._times_before(low_s % DAY)
        return total

    def _on(self, day: int) -> bool:
        on = date.fromordinal(EPOCH_ORDINAL + day)
        return bool(self._mask(on.year, on.month) >> on.day & 1)

    def _days_between(self, first: int, end: int) -> int:
        """Days that fit, from ``first`` inclusive to ``end`` exclusive, counted by months."""
        total = 0
        while first < end:
            on = date.fromordinal(EPOCH_ORDINAL + first)
            days = min(month_length(on.year, on.month) - on.day + 1, end - first)
            total += (self._mask(on.year, on.month) >> on.day & (1 << days) - 1).bit_count()
            first += days
        return total

    def _times_before(self, time: int) -> int:
        """How many seconds of a fitting day lie before ``time``."""
        spec = self._spec
        minutes, second = divmod(time, 60)
        hour, minute = divmod(minutes, 60)
        per_minute = spec.seconds.bit_count()
        per_hour = spec.minutes.bit_count() * per_minute
        total = (spec.hours & (1 << hour) - 1).bit_count() * per_hour
        if spec.hours >> hour & 1:
            total += (spec.minutes & (1 << minute) - 1).bit_count() * per_minute
            if spec.minutes >> minute & 1:
                total += (spec.seconds & (1 << second) - 1).bit_count()
        return total


def _lowest(mask: int) -> int:
    return (mask & -mask).bit_length() - 1


def _first_time(spec: CronSpec) -> int:
    return _lowest(spec.hours) * 3600 + _lowest(spec.minutes) * 60 + _lowest(spec.seconds)
