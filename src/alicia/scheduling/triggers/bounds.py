"""``start_at`` and ``end_at``, both inclusive, around any trigger."""

from typing import final

from alicia.scheduling.triggers.trigger import Trigger


@final
class BoundedTrigger:
    """The instants of another trigger within bounds; None leaves a side open."""

    def __init__(self, inner: Trigger, *, start_us: int | None, end_us: int | None) -> None:
        self._inner = inner
        self._start_us = start_us
        self._end_us = end_us

    def next_after(self, t_us: int) -> int | None:
        """The first instant after ``t_us`` exclusive, within the bounds."""
        if self._start_us is not None:
            t_us = max(t_us, self._start_us - 1)
        found = self._inner.next_after(t_us)
        if found is None or (self._end_us is not None and found > self._end_us):
            return None
        return found

    def count(self, after_us: int, until_us: int) -> int:
        """Instants of the window that lie within the bounds."""
        if self._start_us is not None:
            after_us = max(after_us, self._start_us - 1)
        if self._end_us is not None:
            until_us = min(until_us, self._end_us)
        return self._inner.count(after_us, until_us) if after_us < until_us else 0

    def words(self) -> str:
        """The words of the inner trigger; bounds are shown as fields of their own."""
        return self._inner.words()
