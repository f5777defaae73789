"""Waiting for an instant, on a clock that a test turns."""

import asyncio

import pytest

from alicia.base.counters import Counters
from alicia.scheduler.attempts import Attempts

DAY_US = 86_400_000_000


class TurnedClock:
    """Goes on only while somebody sleeps; may be set by ``steps`` (at sleep n: to an instant)."""

    def __init__(self, steps: dict[int, int] | None = None) -> None:
        self.us, self.naps = 0, 0
        self._steps = steps or {}

    def now_us(self) -> int:
        return self.us

    async def sleep(self, seconds: float) -> None:
        self.naps += 1
        self.us = self._steps.get(self.naps, self.us + round(seconds * 1_000_000))


def attempts(clock: TurnedClock) -> Attempts:
    return Attempts(
        ledger=None,  # type: ignore[arg-type]  # waiting asks nobody
        actor=None,  # type: ignore[arg-type]
        leasing=None,  # type: ignore[arg-type]
        timings=None,  # type: ignore[arg-type]
        on_change=lambda _: None,
        clock=clock,  # type: ignore[arg-type]
        counters=Counters(),
        workers=1,
    )


@pytest.mark.parametrize(
    ("steps", "naps"),
    [
        ({}, 86_400),  # a day is waited for in pieces of a second
        ({5: DAY_US}, 5),  # set ahead: it is over at once
        ({5: DAY_US - 500_000}, 6),
        ({86_399: 0}, 86_399 + 86_400),  # set back just before the end: the day is waited again
    ],
)
async def test_a_wait_of_a_day_ends_at_its_instant(
    monkeypatch: pytest.MonkeyPatch, steps: dict[int, int], naps: int
) -> None:
    clock = TurnedClock(steps)
    monkeypatch.setattr(asyncio, "sleep", clock.sleep)
    await attempts(clock)._until(DAY_US)
    assert (clock.us, clock.naps) == (DAY_US, naps)
