"""Notices steps of the wall clock by comparing it with time since boot."""

from typing import Final

from alicia.base.clock import Clock

STEP_US: Final = 250_000


class ClockWatch:
    """Compares two clocks at every look. Source: scheduling.md §3, "Clock steps"."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._offset_us = self._offset()
        self.steps = 0

    def look(self) -> int:
        """How far the wall clock was set since the last look, µs; 0 for less than STEP_US.

        Small differences are forgotten at each look, so that slewing never adds up to a step.
        """
        offset = self._offset()
        moved, self._offset_us = offset - self._offset_us, offset
        if abs(moved) <= STEP_US:
            return 0
        self.steps += 1
        return moved

    def _offset(self) -> int:
        return self._clock.now_us() - self._clock.monotonic_ms() * 1000
