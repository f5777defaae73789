"""Equal steps of elapsed time, blind to clock changes."""

from typing import final

from alicia.scheduling import words
from alicia.scheduling.event import SECOND_US


@final
class IntervalTrigger:
    """Due at ``anchor + k * interval``, computed from k, so that no error adds up.

    ``anchor_counts``: the anchor itself is the first instant (it is ``start_at``); else the
    first one comes an interval later.
    """

    def __init__(self, anchor_us: int, interval_us: int, *, anchor_counts: bool) -> None:
        assert interval_us > 0, "an interval moves forward"
        self._anchor_us = anchor_us
        self._interval_us = interval_us
        self._first_k = 0 if anchor_counts else 1

    def next_after(self, t_us: int) -> int | None:
        """The first multiple after ``t_us``."""
        k = max((t_us - self._anchor_us) // self._interval_us + 1, self._first_k)
        return self._anchor_us + k * self._interval_us

    def count(self, after_us: int, until_us: int) -> int:
        """Multiples after ``after_us`` up to ``until_us``, by division."""
        return max(0, self._last_k(until_us) - self._last_k(after_us))

    def _last_k(self, t_us: int) -> int:
        """The number of the newest multiple up to ``t_us``."""
        return max((t_us - self._anchor_us) // self._interval_us, self._first_k - 1)

    def words(self) -> str:
        """``every 90 seconds``."""
        return words.every(self._interval_us / SECOND_US)
