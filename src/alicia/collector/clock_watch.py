"""Noticing that somebody set the wall clock."""

from typing import Final

from alicia.base.clock import Clock

STEP_MS: Final = 2000


class ClockWatch:
    """Compares wall and steady time from look to look.

    Source: reliability.md §7.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._ahead_ms = clock.now_ms() - clock.monotonic_ms()

    def step_ms(self) -> int:
        """By how much the wall clock was set since the last look; 0 for what is mere drift."""
        ahead_ms = self._clock.now_ms() - self._clock.monotonic_ms()
        step_ms, self._ahead_ms = ahead_ms - self._ahead_ms, ahead_ms
        return step_ms if abs(step_ms) > STEP_MS else 0
