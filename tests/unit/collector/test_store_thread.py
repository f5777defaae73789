"""The thread that writes: nothing that fails ends it, and everybody hears what became of theirs."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

import pytest
from tests.support.fault_disk import FaultDisk
from tests.support.stepped_clock import SteppedClock

from alicia.adapters.disk_space import DiskSpace
from alicia.adapters.health import Condition
from alicia.base.counters import Counters
from alicia.collector import store_thread
from alicia.collector.ingest import Ingest, Outcome
from alicia.collector.rejects import RejectLog
from alicia.collector.store_thread import StoreThread, Verdicts
from alicia.collector.write_gate import StoreFailed, WriteGate
from alicia.series.labels import LabelSet
from alicia.series.samples import Sample
from alicia.tsdb.ports import DiskFault, DiskFull
from alicia.tsdb.series_table import Limits
from alicia.tsdb.store import Batch, Store
from alicia.tsdb.verdict import Verdict
from alicia.wire.names import SeriesNames
from alicia.wire.samples import MetricBody

NOW = 1_000_000_000
ROOM = DiskSpace(100, 50, 5)
LOW = DiskSpace(100, 4, 5)
STORED = (Verdict.STORED,)


class Poisoned(Store):
    """A store with a mistake: it raises for samples of one name, and while ``is_ill``."""

    is_ill = False

    def write_all(self, batches: Sequence[Batch]) -> list[Verdicts]:
        if self.is_ill or any(s.labels.name == "poison" for b in batches for s in b.samples):
            raise ZeroDivisionError("a mistake of ours")
        return super().write_all(batches)


class World:
    """A thread over a disk that fails on demand."""

    def __init__(self, *, sync_always: bool = False) -> None:
        self.disk = FaultDisk()
        self.counters = Counters()
        self.store = Poisoned(Limits(), disk=self.disk)
        self.store.replay(NOW)
        self.gate = WriteGate(self.store, self.counters)
        self.thread = StoreThread(
            self.store, self.gate, self.counters, clock=SteppedClock(), sync_always=sync_always
        )

    async def write(self, *names: str, t_ms: int = NOW) -> list[Verdicts | DiskFault]:
        """One batch per name, all written as one group where the thread is idle."""
        told: list[asyncio.Future[Verdicts | DiskFault]] = []
        for name in names:
            heard = asyncio.get_running_loop().create_future()
            told.append(heard)
            sample = Sample(LabelSet({"__name__": name}), t_ms, 1.0)
            self.thread.write(Batch((sample,), NOW), heard.set_result)
        return await asyncio.gather(*told)

    def written(self) -> int:
        return sum(len(content) for content in self.disk.files.values())


@asynccontextmanager
async def started(world: World) -> AsyncIterator[World]:
    world.thread.start()
    try:
        yield world
    finally:
        async with asyncio.timeout(30):
            await world.thread.stop()


async def test_what_was_given_before_the_start_is_written() -> None:
    world = World()
    early = asyncio.ensure_future(world.write("a", "b"))
    await asyncio.sleep(0)
    async with started(world):
        assert await early == [STORED, STORED]
    assert Store(Limits(), disk=world.disk).series_count == 0  # not replayed yet
    again = Store(Limits(), disk=world.disk)
    again.replay(NOW)
    assert again.series_count == 2


async def test_a_batch_that_raises_costs_no_other(caplog: pytest.LogCaptureFixture) -> None:
    world = World()
    group = asyncio.ensure_future(world.write("a", "poison", "b"))  # one group: given before
    await asyncio.sleep(0)
    async with started(world):
        first, poison, last = await group
        assert (first, last) == (STORED, STORED)
        assert isinstance(poison, StoreFailed)
        assert "ZeroDivisionError" in str(poison)
        assert await world.write("c") == [STORED]
        world.gate.looked(ROOM)
        assert world.counters.total("store_failures") == 1
        assert world.counters.by_label("write_errors") == {"store_failed": 1}
        check = world.gate.check()
        assert (check.condition, "report" in check.detail) == (Condition.DEGRADED, True)
    assert "a mistake of ours" in caplog.text


async def test_an_ill_store_is_told_and_gets_well() -> None:
    world = World()
    async with started(world):
        world.store.is_ill = True
        assert isinstance((await world.write("a"))[0], StoreFailed)
        assert world.gate.check().condition is Condition.UNHEALTHY
        world.store.is_ill = False
        world.gate.looked(ROOM)
        assert await world.write("a") == [STORED]
        assert world.gate.check().condition is Condition.DEGRADED


async def test_a_warm_up_that_fails_ends_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise ImportError("no compiler")

    monkeypatch.setattr(store_thread, "warm_kernels", fail)
    world = World()
    world.gate.looked(ROOM)
    async with started(world):
        assert await world.write("a") == [STORED]
        world.gate.looked(ROOM)
        assert world.counters.total("store_failures") == 1


async def test_a_listener_that_raises_keeps_no_answer_from_others() -> None:
    world = World()
    heard: asyncio.Future[object] = asyncio.get_running_loop().create_future()

    def batch(name: str) -> Batch:
        return Batch((Sample(LabelSet({"__name__": name}), NOW, 1.0),), NOW)

    def raises(_outcome: object) -> None:
        raise ZeroDivisionError

    world.thread.write(batch("a"), raises)
    world.thread.write(batch("b"), heard.set_result)
    async with started(world):
        assert await heard == STORED
        assert world.counters.by_label("write_errors") == {"listener": 1}


async def test_after_a_fault_one_attempt_is_made_at_each_look() -> None:
    world = World()
    async with started(world):
        assert await world.write("a") == [STORED]
        world.disk.fail_append = 3
        assert [type(told) for told in await world.write("b", "c")] == [DiskFault, DiskFault]
        size = world.written()
        assert isinstance((await world.write("b"))[0], DiskFault)
        assert world.written() == size, "not even tried"
        assert world.gate.check().condition is Condition.UNHEALTHY
        world.gate.looked(ROOM)
        assert await world.write("b") == [STORED]
        assert await world.write("c") == [STORED]
        assert world.gate.check().condition is Condition.HEALTHY
    assert len(world.disk.names("wal")) == 2, "writing resumed in a new segment"


async def test_below_the_reserve_nothing_is_written_and_expiry_goes_on() -> None:
    world = World()
    async with started(world):
        assert await world.write("a") == [STORED]
        world.gate.looked(LOW)
        size = world.written()
        (told,) = await world.write("b")
        assert isinstance(told, DiskFull)
        assert world.written() == size
        check = world.gate.check()
        assert check.condition is Condition.UNHEALTHY
        assert "lower MIN_FREE_DISK" in check.detail
        await world.thread.expire(NOW + Limits().retention_ms + 1)
        assert world.store.series_count == 0
        world.gate.looked(None)  # no answer: the write itself will show
        assert await world.write("b", t_ms=NOW + 1) == [STORED]


@pytest.mark.parametrize("failures", [1, 2])
async def test_with_sync_always_nothing_unsynced_is_acknowledged(failures: int) -> None:
    world = World(sync_always=True)
    async with started(world):
        world.disk.fail_sync = failures  # the first is got over by writing anew
        (told,) = await world.write("a")
        assert isinstance(told, DiskFault) == (failures == 2)
        world.gate.looked(ROOM)
        assert world.counters.total("log_sync_failures") == failures
        assert (await world.write("a"))[0] in {STORED, (Verdict.REPEAT,)}
        world.gate.looked(ROOM)
        check = world.gate.check()
        assert (check.condition, "check the disk" in check.detail) == (Condition.DEGRADED, True)
        world.disk.cut_power(kept=0)
        again = Store(Limits(), disk=world.disk)
        again.replay(NOW)
        assert again.series_count == 1


@pytest.mark.parametrize("fail", [DiskFault("full"), ZeroDivisionError()])
async def test_a_stop_ends_though_nothing_can_be_written(fail: Exception) -> None:
    world = World()

    def close() -> None:
        raise fail

    world.store.close = close  # type: ignore[method-assign]
    async with started(world):
        assert await world.write("a") == [STORED]
    await asyncio.to_thread(world.thread._thread.join)
    assert world.gate.check().condition is Condition.UNHEALTHY


async def test_the_sync_loop_outlives_what_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_thread, "SYNC_SECONDS", 0)
    world = World()
    turns = asyncio.Event()
    faults: list[Callable[[], object]] = [_raise(DiskFault("eio")), _raise(ZeroDivisionError())]

    def begin_sync() -> object:
        if faults:
            return faults.pop(0)()
        world.thread._tell(turns.set)
        return None

    monkeypatch.setattr(world.store, "begin_sync", begin_sync)
    async with started(world):
        loop = asyncio.create_task(world.thread.sync_loop())
        async with asyncio.timeout(10):
            await turns.wait()
        assert not loop.done()
        loop.cancel()
        await asyncio.wait({loop})


def _raise(error: Exception) -> Callable[[], object]:
    def work() -> object:
        raise error

    return work


async def test_what_writing_costs_is_counted_and_failures_show_before_the_first() -> None:
    world = World()
    group = asyncio.ensure_future(world.write("a", "b"))  # one group: given before
    await asyncio.sleep(0)
    async with started(world):
        await group
        effort = world.thread.effort
        assert (effort.writes, effort.batches) == (1, 2)
        await world.write("c")
        assert (effort.writes, effort.batches) == (2, 3)
    assert world.counters.by_label("own_samples_lost") == {"": 0}


async def test_who_waits_for_a_body_hears_of_a_fault_behind_the_write() -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError("a mistake of ours")

    world = World()
    rejects = RejectLog(world.counters, SteppedClock())
    ingest = Ingest(world.thread, world.counters, rejects, on_senders=fail)
    metric = {"name": "x", "value": 1, "service_name": "s"}
    body = MetricBody(metric, received_ms=NOW, names=SeriesNames())
    async with started(world):
        writing = ingest.take(body, received_ms=NOW, entry="http")
        assert not isinstance(writing, Outcome)
        with pytest.raises(ZeroDivisionError):
            await writing
