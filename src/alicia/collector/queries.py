"""Questions to the store, answered beside the event loop where they are large.

Reading happens on the loop, which owns the store, in slices between which others get their turn.
Computing and rendering happen in a thread, over a copy that nobody else sees.
"""

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import ClassVar, Final, Protocol, TypeVar

from alicia.base.clock import Clock
from alicia.base.errors import Unavailable
from alicia.base.limits import QUERY_SAMPLES_MAX, QUERY_SECONDS_MAX
from alicia.promql.engine import Selected, evaluate
from alicia.promql.errors import QueryTimeout, TooManySamples
from alicia.promql.parser import parse
from alicia.promql.plan import Plan, Selection, Window, plan
from alicia.promql.ports import Check
from alicia.promql.values import Matrix, Scalar
from alicia.series.columns import Columns, joined
from alicia.series.labels import LabelSet
from alicia.series.matchers import Matcher

SLICE: Final = 500  # series read before others get their turn
AT_ONCE_MAX: Final = 2000  # values that are computed faster than a thread is woken
LARGE_AT_ONCE: Final = 2
WAITING_MAX: Final = 20
Answer = TypeVar("Answer")
Then = Callable[[Matrix | Scalar, Check], Answer]
Found = Mapping[Selection, list[LabelSet]]


class QueriesBusy(Unavailable):
    """Too many large queries wait already; a later one is taken again."""

    code: ClassVar[str] = "queries_busy"


class Source(Protocol):
    """The store, as far as queries need it; belongs to the event loop."""

    def series(self, matchers: tuple[Matcher, ...]) -> list[LabelSet]:
        """The label sets that match."""
        ...

    def select_of(self, series: list[LabelSet], start_ms: int, end_ms: int) -> Columns:
        """Samples of the series, bounds inclusive, markers included."""
        ...


class Queries:
    """Fits ``promql.ports.Evaluator``.

    Small questions are answered at once; of large ones LARGE_AT_ONCE at a time in threads, while
    WAITING_MAX wait for their turn. Belongs to the event loop.
    """

    def __init__(self, source: Source, clock: Clock, *, name: str) -> None:
        self._source = source
        self._clock = clock
        self._threads = ThreadPoolExecutor(LARGE_AT_ONCE, thread_name_prefix=name)
        self._turn = asyncio.Semaphore(LARGE_AT_ONCE)
        self._waiting = 0
        self._closed = False

    async def ask(self, expr: str, window: Window, then: Then[Answer]) -> Answer:
        """What ``then`` makes of the values; see ``promql.ports.Evaluator``."""
        planned = plan(parse(expr), window)
        deadline = _Deadline(self._clock, lambda: self._closed)
        found = {each: self._source.series(each.matchers) for each in planned.selections}
        if sum(map(len, found.values())) * window.points <= AT_ONCE_MAX:
            read = {
                each.matchers: self._source.select_of(series, each.start_ms, each.end_ms)
                for each, series in found.items()
            }
            return then(evaluate(planned, read, check=deadline.check), deadline.check)
        await self._take_turn()
        try:
            return await self._ask_large(planned, found, then, deadline)
        finally:
            deadline.end()  # a thread whose answer nobody awaits any more ends soon
            self._turn.release()

    def close(self) -> None:
        """End what is being computed, as if its time were over."""
        self._closed = True
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _take_turn(self) -> None:
        if self._waiting >= WAITING_MAX:
            raise QueriesBusy(f"{self._waiting} large queries wait already; ask again in a second")
        self._waiting += 1
        try:
            async with asyncio.timeout(QUERY_SECONDS_MAX):
                await self._turn.acquire()
        except TimeoutError:
            raise QueryTimeout(f"the query waited {QUERY_SECONDS_MAX} s for its turn") from None
        finally:
            self._waiting -= 1

    async def _ask_large(
        self, planned: Plan, found: Found, then: Then[Answer], deadline: "_Deadline"
    ) -> Answer:
        read = await self._read(found, deadline)

        def compute() -> Answer:
            return then(evaluate(planned, read, check=deadline.check), deadline.check)

        return await asyncio.get_running_loop().run_in_executor(self._threads, compute)

    async def _read(self, found: Found, deadline: "_Deadline") -> Selected:
        samples = 0
        read = {}
        for each, series in found.items():
            parts: list[Columns] = []
            for start in range(0, len(series), SLICE):
                deadline.check()
                part = self._source.select_of(
                    series[start : start + SLICE], each.start_ms, each.end_ms
                )
                samples += len(part.t_ms)
                if samples > QUERY_SAMPLES_MAX:
                    raise TooManySamples(
                        f"the query would load more than {QUERY_SAMPLES_MAX} samples into memory;"
                        " narrow the selector or the window"
                    )
                parts.append(part)
                await asyncio.sleep(0)
            read[each.matchers] = joined(parts)
        return read


class _Deadline:
    """The end of one query's time; may be looked at by any thread."""

    def __init__(self, clock: Clock, closed: Callable[[], bool]) -> None:
        self._clock = clock
        self._closed = closed
        self._end_ms = clock.monotonic_ms() + QUERY_SECONDS_MAX * 1000

    def end(self) -> None:
        """There is no more time from now on."""
        self._end_ms = 0

    def check(self) -> None:
        """Raise once the time is over."""
        if self._closed() or self._clock.monotonic_ms() >= self._end_ms:
            raise QueryTimeout(f"the query took more than {QUERY_SECONDS_MAX} s; narrow it")
