"""The end of a service: no step keeps another from being taken."""

import asyncio

import pytest

from alicia.adapters.bus.memory import MemoryBroker, MemoryBus
from alicia.adapters.bus.speaker import Presence, Speaker
from alicia.adapters.clock import SystemClock, SystemRandom
from alicia.adapters.closing import Step, end_in_order
from alicia.base.counters import Counters
from alicia.base.errors import Unavailable
from alicia.wire.ports import Publication
from alicia.wire.topics import Topics


class Parts:
    """Notes what was ended; each part ends as it is told."""

    def __init__(self) -> None:
        self.ended: list[str] = []

    def step(
        self, name: str, *, fails: Exception | None = None, hangs: bool = False, s: float = 30
    ) -> Step:
        async def end() -> None:
            if fails is not None:
                raise fails
            if hangs:
                await asyncio.get_running_loop().create_future()
            self.ended.append(name)

        return Step(name, end, s)


async def test_neither_a_fault_nor_a_hang_keeps_the_rest_from_ending(
    caplog: pytest.LogCaptureFixture,
) -> None:
    parts = Parts()
    steps = [
        parts.step("a"),
        parts.step("b", fails=RuntimeError("a fault of ours")),
        parts.step("c", hangs=True, s=0.01),
        parts.step("d", fails=Unavailable("the disk is full")),
        parts.step("e"),
    ]
    await end_in_order(steps, seconds_max=30)
    assert parts.ended == ["a", "e"]
    assert [record.getMessage() for record in caplog.records] == [
        "stopping: b failed; the rest is ended all the same",
        "stopping: c did not end in time and is left behind",
        "stopping: d failed: the disk is full",
    ]


async def test_all_together_have_a_bound_too() -> None:
    parts = Parts()
    at_once = Step("d", lambda: parts.ended.append("d"))
    async with asyncio.timeout(10):
        await end_in_order([*(parts.step(n, hangs=True) for n in "abc"), at_once], seconds_max=0.05)
    assert parts.ended == ["d"], "what awaits nothing is always done"


class FrozenBus(MemoryBus):
    """Of a broker that is stopped: connected, and never heard of again."""

    async def publish(self, publication: Publication) -> None:
        await asyncio.Event().wait()


async def test_a_broker_that_hangs_does_not_hold_up_the_good_bye() -> None:
    clock, counters = SystemClock(), Counters()
    speaker = Speaker(
        "it", Topics("alicia"), node="n", clock=clock, random=SystemRandom(), counters=counters
    )
    bus = FrozenBus(MemoryBroker(), client_id="it", clock=clock)
    async with asyncio.timeout(30):
        await Presence(speaker, clock, capabilities=()).leave(bus, port=1)
    assert counters.by_label("unsent") == {"timeout": 1}
