"""The one thread that writes the store: batches in, verdicts out, the loop never waits."""

import asyncio
import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Final, NamedTuple, Protocol

from alicia.adapters.memory import give_back_compiler
from alicia.base.clock import Clock
from alicia.base.counters import Counters
from alicia.collector.write_gate import WriteGate
from alicia.tsdb.ports import DiskFault
from alicia.tsdb.request import WriteRequest
from alicia.tsdb.request_writer import RequestOutcome
from alicia.tsdb.segments import Sync
from alicia.tsdb.store import Batch, Store
from alicia.tsdb.verdict import Verdict
from alicia.tsdb.warm import warm_kernels

SYNC_SECONDS: Final = 1.0
_DONE: Final = object()
_GROUP_MAX: Final = 1000  # batches written at once, so that none waits long for its answer
_OWN_LOST: Final = "own_samples_lost"
_LOG: Final = logging.getLogger(__name__)

Verdicts = tuple[Verdict, ...]
OnWritten = Callable[[Verdicts | DiskFault], None]
OnRequestWritten = Callable[[RequestOutcome | DiskFault], None]


@dataclass(slots=True)
class Effort:
    """What writing cost since the start. Its writer alone changes it; anybody may look."""

    kernels_ms: int = 0  # until the kernels were ready
    writes: int = 0
    batches: int = 0  # in those writes
    write_ms: int = 0


class Writer(Protocol):
    """Whoever writes the store, as the parts of the collector see it."""

    @property
    def effort(self) -> Effort:
        """What writing cost."""
        ...

    def start(self) -> None:
        """Begin to work for the running loop."""
        ...

    async def stop(self) -> None:
        """Write what was given and close the store; safe without start()."""
        ...

    async def sync_loop(self) -> None:
        """See that what was written survives a power cut, within a second."""
        ...

    def write(self, batch: Batch, on_written: OnWritten) -> None:
        """Write a batch; ``on_written`` hears in the event loop what became of it."""
        ...

    def write_request(
        self, request: WriteRequest, received_ms: int, on_written: OnRequestWritten
    ) -> None:
        """Write a request; ``on_written`` hears in the event loop what became of it."""
        ...

    def post(self, batch: Batch) -> None:
        """Write a batch of our own; what the disk refuses is counted and let go."""
        ...

    async def expire(self, now_ms: int) -> None:
        """Drop what is past retention, and write what is in memory as a block now and then.

        Raises:
            DiskFault: there is no new block; nothing is lost.
        """
        ...


class _Write(NamedTuple):
    batch: Batch
    on_written: OnWritten


class _Request(NamedTuple):
    request: WriteRequest
    received_ms: int
    on_written: OnRequestWritten


class _Call(NamedTuple):
    work: Callable[[], object]
    done: "asyncio.Future[object]"


class StoreThread:
    """Fits ``Writer``; all its methods belong to the event loop.

    All is written in the order in which it came; batches that wait are written together, by one
    write to the log. With ``sync_always`` what was written is synced before anybody hears of it;
    else another thread syncs every second. Nothing that fails ends the thread: ``gate`` hears of
    it, and those whose jobs it cost.
    """

    def __init__(
        self,
        store: Store,
        gate: WriteGate,
        counters: Counters,
        *,
        clock: Clock,
        sync_always: bool,
    ) -> None:
        self._store = store
        self._gate = gate
        self._counters = counters
        counters.add(_OWN_LOST, count=0)  # shown before the first, so that a rise can be seen
        self._clock = clock
        self.effort: Final = Effort()
        self._sync_always = sync_always
        self._jobs: SimpleQueue[_Write | _Request | _Call | None] = SimpleQueue()
        self._thread = Thread(target=self._run, name="store", daemon=True)
        self._ended = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    def start(self) -> None:
        """Begin to work for the running loop; what was given before waits until now."""
        self._loop = asyncio.get_running_loop()
        self._thread.start()

    async def stop(self) -> None:
        """Write what was given, close the store, end the thread; safe without start()."""
        if self._thread.is_alive():
            self._jobs.put(None)
            await self._ended.wait()  # no join in a thread, which a disk that hangs would keep

    def write(self, batch: Batch, on_written: OnWritten) -> None:
        """Write a batch; ``on_written`` hears in the event loop what became of it."""
        self._jobs.put(_Write(batch, on_written))

    def write_request(
        self, request: WriteRequest, received_ms: int, on_written: OnRequestWritten
    ) -> None:
        """Write a request; ``on_written`` hears in the event loop what became of it."""
        self._jobs.put(_Request(request, received_ms, on_written))

    def post(self, batch: Batch) -> None:
        """Write a batch of our own; what the disk refuses is counted and let go."""
        self.write(batch, self._posted)

    async def expire(self, now_ms: int) -> None:
        """Drop what is past retention and write blocks, in steps between which others write.

        Raises:
            DiskFault: there is no new block; nothing is lost.
        """
        steps: list[Iterator[int]] = []
        await self._run_there(lambda: steps.append(self._store.expire(now_ms)))
        while await self._run_there(lambda: next(steps[0], None)) is not None:
            pass
        writing = self._store.compact(now_ms)
        while await self._run_there(lambda: next(writing, _DONE)) is not _DONE:
            pass

    async def sync_loop(self) -> None:
        """Sync every second, beside the writes; with ``sync_always`` there is little to do."""
        while True:
            await asyncio.sleep(SYNC_SECONDS)
            try:
                await self._sync()
            except DiskFault as fault:
                self._gate.failed(fault)
            except Exception as error:  # the outermost frame of a long task
                self._gate.broke(error)

    async def _sync(self) -> None:
        sync = await self._run_there(self._store.begin_sync)
        if isinstance(sync, Sync):
            await asyncio.to_thread(sync.run)
            await self._run_there(lambda: self._store.end_sync(sync))

    async def _run_there(self, work: Callable[[], object]) -> object:
        assert self._loop is not None, "start() first"
        done: asyncio.Future[object] = self._loop.create_future()
        self._jobs.put(_Call(work, done))
        return await done

    def _posted(self, outcome: Verdicts | DiskFault) -> None:
        if isinstance(outcome, DiskFault):
            self._counters.add(_OWN_LOST)

    # --- in the thread

    def _run(self) -> None:
        start_ms = self._clock.monotonic_ms()
        try:
            warm_kernels()
            give_back_compiler()
        except Exception as error:  # they are compiled when they are needed, or fail there
            self._gate.broke(error)
        self.effort.kernels_ms = self._clock.monotonic_ms() - start_ms
        going = True
        while going:
            jobs = self._taken()
            going = None not in jobs
            writes = [job for job in jobs if isinstance(job, _Write | _Request)]
            if writes:
                self._write(writes)
            for job in jobs:
                if isinstance(job, _Call):
                    self._call(job)
        try:
            self._store.close()
        except DiskFault as fault:
            self._gate.failed(fault)
        except Exception as error:  # the outermost frame of the thread
            self._gate.broke(error)
        self._tell(self._ended.set)

    def _taken(self) -> Sequence[_Write | _Request | _Call | None]:
        """What waits, at least one job."""
        jobs = [self._jobs.get()]
        try:
            while len(jobs) < _GROUP_MAX:
                jobs.append(self._jobs.get_nowait())
        except Empty:
            pass
        return jobs

    def _write(self, writes: Sequence[_Write | _Request]) -> None:
        start_ms = self._clock.monotonic_ms()
        fault = self._gate.refusal()
        told = self._written(writes) if fault is None else self._refused(writes, fault)
        self.effort.write_ms += self._clock.monotonic_ms() - start_ms
        self.effort.writes += 1
        self.effort.batches += len(writes)
        self._tell(lambda: self._hear(told))  # in one turn

    def _written(self, writes: Sequence[_Write | _Request]) -> list[Callable[[], None]]:
        """Write all jobs; where that fails as it never should, each by itself."""
        told: list[Callable[[], None]] = []
        try:
            for kind, group in groupby(writes, type):
                if kind is _Write:
                    told += self._write_batches([job for job in group if isinstance(job, _Write)])
                else:
                    told += [self._write_request(job) for job in group if isinstance(job, _Request)]
            if self._sync_always:
                self._store.sync()
        except DiskFault as fault:
            self._gate.failed(fault)
            return self._refused(writes, fault)
        except Exception as error:  # one job may be the cause; the others shall not pay for it
            if len(writes) == 1:
                return self._refused(writes, self._gate.broke(error))
            return [news for job in writes for news in self._written([job])]
        self._gate.worked()
        return told

    def _write_batches(self, writes: Sequence[_Write]) -> list[Callable[[], None]]:
        verdicts = self._store.write_all([job.batch for job in writes])
        return [partial(job.on_written, each) for job, each in zip(writes, verdicts, strict=True)]

    def _write_request(self, job: _Request) -> Callable[[], None]:
        return partial(job.on_written, self._store.write_request(job.request, job.received_ms))

    def _refused(
        self, writes: Sequence[_Write | _Request], fault: DiskFault
    ) -> list[Callable[[], None]]:
        self._tell(partial(self._counters.add, "write_errors", fault.code, len(writes)))
        return [partial(job.on_written, fault) for job in writes]

    def _call(self, job: _Call) -> None:
        try:
            result = job.work()
        except Exception as error:
            self._tell(partial(_fail, job.done, error))
        else:
            self._tell(partial(_give, job.done, result))

    def _tell(self, news: Callable[[], object]) -> None:
        assert self._loop is not None, "the thread was started"
        with suppress(RuntimeError):  # the loop was closed: nobody is left to hear it
            self._loop.call_soon_threadsafe(news)

    # --- in the loop again

    def _hear(self, told: Sequence[Callable[[], None]]) -> None:
        for news in told:
            try:
                news()
            except Exception:  # the others wait for their answers
                self._counters.add("write_errors", "listener")
                _LOG.exception("who waited for a batch failed")


def _give(future: "asyncio.Future[object]", result: object) -> None:
    if not future.done():
        future.set_result(result)


def _fail(future: "asyncio.Future[object]", error: Exception) -> None:
    if not future.done():
        future.set_exception(error)
