"""The end of a service: no step keeps another from being taken."""

import asyncio

import pytest

from alicia.adapters.bus.memory import MemoryBroker, MemoryBus
from alicia.adapters.bus.speaker import Presence, Speaker
from alicia.adapters.clock import SystemClock, SystemRandom
from alicia.adapters.closing import end_each
from alicia.base.counters import Counters
from alicia.base.errors import Unavailable
from alicia.wire.ports import Publication
from alicia.wire.topics import Topics


async def test_steps_that_fail_or_hang_are_named_and_the_rest_follows(
    caplog: pytest.LogCaptureFixture,
) -> None:
    taken: list[str] = []

    async def full() -> None:
        raise Unavailable("the disk is full")

    def broken() -> None:
        raise ValueError("a bug")

    async def late() -> None:
        await asyncio.sleep(0)
        taken.append("late")

    await end_each(
        ("saving", full),
        ("counting", broken),
        ("waiting", asyncio.Event().wait),
        ("plain", lambda: taken.append("plain")),
        ("late", late),
        seconds_max=0.05,
    )
    assert taken == ["plain", "late"]
    assert [record.getMessage() for record in caplog.records] == [
        "stopping: saving failed: the disk is full",
        "stopping: counting failed",
        "stopping: waiting took more than 0.05 s; it is left as it is",
    ]


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
