"""Write requests in the store's thread: in the order of arrival among batches, and never silent."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from tests.support.fault_disk import FaultDisk
from tests.support.stepped_clock import SteppedClock
from tests.support.write_requests import series

from alicia.base.counters import Counters
from alicia.collector.store_thread import StoreThread, Verdicts
from alicia.collector.write_gate import WriteGate
from alicia.series.labels import LabelSet
from alicia.series.samples import Sample
from alicia.tsdb.ports import DiskFault
from alicia.tsdb.request import decode_request
from alicia.tsdb.request_writer import RequestOutcome
from alicia.tsdb.series_table import Limits
from alicia.tsdb.store import Batch, Store

NOW = 1_000_000_000
UP = LabelSet({"__name__": "up"})
Told = RequestOutcome | Verdicts | DiskFault


class World:
    """A thread over a disk that fails on demand; all answers in the order in which they came."""

    def __init__(self, *, sync_always: bool = False) -> None:
        self.disk = FaultDisk()
        self.store = Store(Limits(), disk=self.disk)
        self.store.replay(NOW)
        counters = Counters()
        gate = WriteGate(self.store, counters)
        self.thread = StoreThread(
            self.store, gate, counters, clock=SteppedClock(), sync_always=sync_always
        )
        self._told: asyncio.Queue[Told] = asyncio.Queue()
        self._waiting = 0

    def batch(self, value: float, t_ms: int = NOW) -> None:
        self._waiting += 1
        self.thread.write(Batch((Sample(UP, t_ms, value),), NOW), self._told.put_nowait)

    def request(self, value: float, t_ms: int = NOW) -> None:
        self._waiting += 1
        body = series(UP.pairs, [(t_ms, value)])
        self.thread.write_request(decode_request(body), NOW, self._told.put_nowait)

    async def answers(self) -> list[str]:
        waiting, self._waiting = self._waiting, 0
        return [_shown(await self._told.get()) for _ in range(waiting)]

    def values(self) -> list[float]:
        return [sample.value for sample in self.store.samples(UP)]


def _shown(told: Told) -> str:
    if isinstance(told, DiskFault):
        return told.code
    if isinstance(told, RequestOutcome):
        return "request " + ("stored" if told.stored else next(iter(told.refused), "repeat"))
    return f"batch {told[0]}"


@asynccontextmanager
async def started(world: World) -> AsyncIterator[World]:
    world.thread.start()
    try:
        yield world
    finally:
        async with asyncio.timeout(30):
            await world.thread.stop()


@pytest.mark.parametrize("sync_always", [False, True])
async def test_who_comes_first_is_written_first(sync_always: bool) -> None:
    world = World(sync_always=sync_always)
    world.batch(1)
    world.request(2)
    world.request(3, NOW + 1)
    world.batch(4, NOW + 1)
    world.batch(5, NOW + 2)
    world.request(5, NOW + 2)
    async with started(world):
        assert await world.answers() == [
            "batch stored",
            "request duplicate_timestamp",
            "request stored",
            "batch duplicate_timestamp",
            "batch stored",
            "request repeat",
        ]
        assert world.values() == [1, 3, 5]


async def test_nobody_hears_of_success_before_the_sync() -> None:
    world = World(sync_always=True)
    async with started(world):
        world.request(1)
        assert await world.answers() == ["request stored"]
        assert world.disk.syncs
        synced = dict(world.disk.synced)
        assert {name: len(content) for name, content in world.disk.files.items()} == synced


async def test_a_refusing_disk_is_told_and_keeps_nothing() -> None:
    world = World()
    async with started(world):
        world.request(1)
        assert await world.answers() == ["request stored"]
        world.disk.fail_append = 5
        world.request(2, NOW + 1)
        assert await world.answers() == ["disk_fault"]
        assert world.values() == [1]
    again = Store(Limits(), disk=world.disk)
    again.replay(NOW)
    assert [sample.value for sample in again.samples(UP)] == [1]
