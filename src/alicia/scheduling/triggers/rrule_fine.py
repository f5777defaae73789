"""Hourly and finer rules by arithmetic: one candidate a period, and a bound on their number.

Each hour, minute or second that INTERVAL names is a candidate; what BY parts exclude is leapt
over by whole days, hours or minutes.
"""

from collections.abc import Callable, Iterator
from typing import Final, final

from dateutil import rrule

from alicia.base.errors import BadField
from alicia.scheduling.localtime import DAY, END_S
from alicia.scheduling.triggers.rrule_parse import RuleText

CANDIDATES_MAX: Final = 100_000
UNIT_SECONDS: Final = {rrule.HOURLY: 3600, rrule.MINUTELY: 60, rrule.SECONDLY: 1}


class TooSparse(BadField):
    """A rule whose next instant cannot be found with bounded work."""

    def __init__(self) -> None:
        super().__init__(
            "recurrence",
            f"recurrence: no instant among {CANDIDATES_MAX} candidates; check the BY parts"
            " against each other and against INTERVAL",
            reason="too_sparse",
        )


@final
class FineRule:
    """The local times of a rule that is hourly or finer, without COUNT and UNTIL.

    ``start_s`` is DTSTART in local seconds. ``next_day`` gives the first day (since 1970) at or
    after one that the day parts allow; None where there are none.
    """

    def __init__(
        self, rule: RuleText, start_s: int, *, next_day: Callable[[int], int | None] | None
    ) -> None:
        self._unit = UNIT_SECONDS[rule.freq]
        self._interval = rule.interval
        self._start_s = start_s
        self._next_day = next_day
        self._hours = frozenset(rule.by.get("BYHOUR", range(24)))
        self._minutes = frozenset(rule.by.get("BYMINUTE", range(60)))
        self._seconds = frozenset(rule.by.get("BYSECOND", range(60)))
        self._offsets = _offsets(rule, start_s)

    def next_local(self, local_s: int) -> int | None:
        """The first local time at or after ``local_s``.

        Raises:
            TooSparse: it lies beyond CANDIDATES_MAX candidates.
        """
        asked = at = max(local_s, self._start_s)
        for _ in range(CANDIDATES_MAX):
            period = self._period_from(at)
            if period >= END_S:
                return None
            leap = self._leap(period)
            if leap is None:
                return None
            if leap > period:
                at = leap
                continue
            for offset in self._offsets:
                if period + offset >= asked:
                    return period + offset
            at = period + self._unit
        raise TooSparse

    def walk(self) -> Iterator[int]:
        """All local times from DTSTART on."""
        found = self.next_local(self._start_s)
        while found is not None:
            yield found
            found = self.next_local(found + 1)

    def _period_from(self, at: int) -> int:
        """The start of the first period of the rule that is not over at ``at``."""
        first = self._start_s // self._unit
        steps = max(0, -(-(at // self._unit - first) // self._interval))
        return (first + steps * self._interval) * self._unit

    def _leap(self, period: int) -> int | None:
        """The period itself where it fits, else from where to look on; None after the last."""
        day, second = divmod(period, DAY)
        if self._next_day is not None:
            allowed = self._next_day(day)
            if allowed is None:
                return None
            if allowed > day:
                return allowed * DAY
        if second // 3600 not in self._hours:
            return period - period % 3600 + 3600
        if self._unit < 3600 and second // 60 % 60 not in self._minutes:
            return period - period % 60 + 60
        if self._unit == 1 and second % 60 not in self._seconds:
            return period + 1
        return period


def _offsets(rule: RuleText, start_s: int) -> tuple[int, ...]:
    """The seconds of one period that the rule names; what it leaves out is DTSTART's."""
    seconds = rule.by.get("BYSECOND", (start_s % 60,))
    minutes = rule.by.get("BYMINUTE", (start_s // 60 % 60,))
    if rule.freq == rrule.HOURLY:
        found = sorted(minute * 60 + second for minute in minutes for second in seconds)
    else:
        found = sorted(seconds) if rule.freq == rrule.MINUTELY else [0]
    positions = rule.by.get("BYSETPOS")
    if positions is None:
        return tuple(found)
    size = len(found)
    chosen = {found[p - 1 if p > 0 else p] for p in positions if abs(p) <= size}
    if not chosen:
        raise BadField(
            "recurrence",
            f"recurrence: BYSETPOS asks for more than the {size} instants of a period",
            reason="never_fires",
        )
    return tuple(sorted(chosen))
