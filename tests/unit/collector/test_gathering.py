"""What comes during one write is written next, as one."""

import asyncio
from collections.abc import Mapping, Sequence
from types import MappingProxyType

import pytest
from tests.support.stepped_clock import SteppedClock

from alicia.base.counters import Counters
from alicia.collector import gathering
from alicia.collector.gathering import Body, Gathering
from alicia.collector.ingest import Ingest
from alicia.collector.rejects import RejectLog
from alicia.collector.store_thread import OnWritten, Verdicts
from alicia.collector.write_gate import StoreFailed
from alicia.tsdb.ports import DiskFault
from alicia.tsdb.series_table import Limits
from alicia.tsdb.store import Batch, Store
from alicia.tsdb.verdict import Verdict
from alicia.wire.samples import MetricBody, decode_metrics

NONE: Mapping[float, DiskFault] = MappingProxyType({})


class SlowWriter:
    """Batches wait until a test says what became of them."""

    def __init__(self) -> None:
        self.waiting: list[tuple[Batch, OnWritten]] = []
        self.came = asyncio.Event()

    def start(self) -> None:
        raise NotImplementedError

    async def stop(self) -> None:
        raise NotImplementedError

    async def sync_loop(self) -> None:
        raise NotImplementedError

    def write(self, batch: Batch, on_written: OnWritten) -> None:
        self.waiting.append((batch, on_written))
        self.came.set()

    def post(self, batch: Batch) -> None:
        raise NotImplementedError

    async def expire(self, now_ms: int) -> None:
        raise NotImplementedError

    async def next(self) -> None:
        """Return once a batch waits."""
        while not self.waiting:
            self.came.clear()
            await self.came.wait()

    async def end(
        self, fault: DiskFault | None = None, *, unless: Mapping[float, DiskFault] = NONE
    ) -> list[float]:
        """Let the oldest write end, once there is one; the values of its batch.

        ``unless`` are faults by the first value.
        """
        await self.next()
        batch, on_written = self.waiting.pop(0)
        values = [sample.value for sample in batch.samples]
        on_written(fault or unless.get(values[0]) or (Verdict.STORED,) * len(values))
        return values


class Told:
    """What was settled, as the values of each body and their verdicts."""

    def __init__(self) -> None:
        self.writes: list[tuple[list[list[float]], int]] = []

    def settle(self, bodies: Sequence[Body], verdicts: Verdicts) -> None:
        values = [[sample.value for sample in body.decoded.samples] for body in bodies]
        self.writes.append((values, len(verdicts)))


def body(*values: float) -> Body:
    metrics = [{"name": "x", "value": value, "service_name": "s"} for value in values]
    return Body(decode_metrics(metrics, received_ms=1000), 1000, "topic", metrics)


@pytest.fixture(autouse=True)
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pauses and retries end as soon as the loop turns."""
    monkeypatch.setattr(gathering, "PAUSE_SECONDS", 0)
    monkeypatch.setattr(gathering, "RETRY_SECONDS", 0)


async def test_a_lone_body_is_written_at_once_and_those_behind_it_together() -> None:
    writer, told = SlowWriter(), Told()
    gathered = Gathering(writer, told.settle)
    first = gathered.add(body(1))
    second, third = gathered.add(body(2, 3)), gathered.add(body(4))
    assert first is not None
    assert second is third is not first
    assert second is not None
    assert len(writer.waiting) == 1
    assert await writer.end() == [1]
    assert first.done()
    assert not second.done()
    assert await writer.end() == [2, 3, 4]
    assert second.done()
    assert not writer.waiting
    assert told.writes == [([[1]], 1), ([[2, 3], [4]], 3)]


async def test_a_write_that_the_disk_refused_comes_again_before_all_others() -> None:
    writer, told = SlowWriter(), Told()
    gathered = Gathering(writer, told.settle)
    first, second = gathered.add(body(1)), gathered.add(body(2))
    assert first is not None
    assert second is not None
    for _ in range(3):
        assert await writer.end(DiskFault("full")) == [1]
        assert not writer.waiting
    assert told.writes == []
    assert not first.done()
    assert await writer.end() == [1]
    assert (first.done(), second.done()) == (True, False)
    assert await writer.end() == [2]
    assert second.done()


async def test_a_body_that_we_stumble_over_holds_up_no_other_write() -> None:
    writer, told = SlowWriter(), Told()
    gathered = Gathering(writer, told.settle)
    first = gathered.add(body(1))
    ill = gathered.add(body(2))
    assert gathered.add(body(3)) is ill
    assert first is not None
    assert ill is not None
    await writer.end()
    assert await writer.end(StoreFailed("a mistake")) == [2, 3]
    later = gathered.add(body(4))
    assert later is not None
    tried: list[float] = []
    while len(tried) < 4:  # the two bodies, the write behind them, and the ill one once more
        tried += await writer.end(unless={2: StoreFailed("a mistake")})
    assert set(tried) == {2, 3, 4}
    assert later.done()
    assert not ill.done(), "a message of it is not written"
    assert await writer.end() == [2]
    assert ill.done()
    assert told.writes[0] == ([[1]], 1)
    assert sorted(told.writes[1:]) == [([[2]], 1), ([[3]], 1), ([[4]], 1)]


async def test_a_fault_in_settling_stops_no_later_write() -> None:
    def settle(bodies: Sequence[Body], _verdicts: Verdicts) -> None:
        raise AssertionError(len(bodies))

    writer = SlowWriter()
    gathered = Gathering(writer, settle)
    first, second = gathered.add(body(1)), gathered.add(body(2))
    for waiting in (first, second):
        assert waiting is not None
        with pytest.raises(AssertionError):
            await writer.end()
        assert waiting.done()


async def test_nobody_minds_a_future_that_was_given_up() -> None:
    writer, told = SlowWriter(), Told()
    gathered = Gathering(writer, told.settle)
    waiting = gathered.add(body(1))
    assert waiting is not None
    waiting.cancel()
    assert await writer.end() == [1]
    assert gathered.add(body(2)) is not None


async def test_what_comes_in_the_pause_behind_a_write_is_written_together() -> None:
    writer, told = SlowWriter(), Told()
    gathered = Gathering(writer, told.settle)
    assert gathered.add(body(1)) is not None
    assert await writer.end() == [1]
    second, third = gathered.add(body(2)), gathered.add(body(3))
    assert second is third
    assert not writer.waiting
    assert await writer.end() == [2, 3]


async def test_each_body_of_one_write_gets_its_own_verdicts(clock: SteppedClock) -> None:
    counters, store, writer = Counters(), Store(Limits()), SlowWriter()
    log = RejectLog(counters, clock)
    noted: list[tuple[set[tuple[str, str]], int]] = []
    ingest = Ingest(writer, counters, log, lambda senders, at: noted.append((set(senders), at)))
    now_ms = clock.now_ms()

    def gather(entry: str, *metrics: object) -> object:
        value = [{"service_name": "s", "timestamp": now_ms / 1000, **m} for m in metrics]
        body = MetricBody(value, received_ms=now_ms)
        return ingest.gather(body, received_ms=now_ms, entry=entry, payload=value)

    def write() -> None:
        batch, on_written = writer.waiting.pop()
        on_written(store.write(batch))

    assert gather("first", {"name": "x", "value": 1}) is not None
    second = gather("second", {"name": "y", "value": 1}, {"name": "x", "value": 2})
    third = gather("third", {"name": "", "value": 1}, {"name": "z", "value": 1})
    assert gather("fourth", {"name": "y", "value": 1}) is second is third
    write()
    await writer.next()
    write()
    assert [(kept.entry, kept.reject.index, kept.reject.code) for kept in log.newest()] == [
        ("third", 0, "bad_name"),
        ("second", 1, "duplicate_timestamp"),
    ]
    assert counters.by_label("samples") == {"": 4}  # a repeat is a success
    assert noted == [({("s", "s")}, now_ms)] * 4
