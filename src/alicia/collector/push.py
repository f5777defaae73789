"""Pushed groups: written as they come, kept across restarts, repeated for as long as they live."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import ClassVar, Final
from weakref import WeakValueDictionary

from alicia.adapters.sql.pushes import SqlPushGroups
from alicia.base.clock import Clock
from alicia.base.counters import Counters
from alicia.base.errors import LimitExceeded
from alicia.collector.ingest import DETAILS, SLICE, Outcome
from alicia.collector.rejects import RejectLog
from alicia.collector.store_thread import Verdicts, Writer
from alicia.series.labels import SERVICE
from alicia.series.samples import STALE, Metadata, Sample, is_stale
from alicia.tsdb.ports import DiskFault
from alicia.tsdb.store import Batch, Store
from alicia.tsdb.verdict import Verdict
from alicia.wire.push import PushedSeries, PushGroup, plan_push
from alicia.wire.read_exposition import Exposition
from alicia.wire.read_series import Pairs
from alicia.wire.rejects import Reject

AHEAD_MS_MAX: Final = 1000  # our own times run before the clock at most
_ENTRY: Final = "push"
_LIMITS: Final = (Verdict.SERIES_LIMIT, Verdict.SERVICE_SERIES_LIMIT)
_NOT_THERE: Final = (*_LIMITS, Verdict.TOO_OLD, Verdict.TOO_FAR_AHEAD)


class PushLimited(LimitExceeded):
    """The store may begin no more series; those of a push that it took are stored and kept."""

    code: ClassVar[str] = "push_limited"


class Pushes:
    """All pushed groups. Belongs to the event loop.

    Samples go to the store before a group is saved: what is repeated was stored once, and after a
    crash between the two the sender, who had no answer, sends again.
    """

    def __init__(
        self,
        groups: SqlPushGroups,
        store: Store,
        writer: Writer,
        *,
        clock: Clock,
        counters: Counters,
        rejects: RejectLog,
    ) -> None:
        self._saved = groups
        self._store = store
        self._writer = writer
        self._clock = clock
        self._counters = counters
        self._rejects = rejects
        self._groups: dict[Pairs, PushGroup] = {}
        self._changing: WeakValueDictionary[Pairs, asyncio.Lock] = WeakValueDictionary()
        self._written_ms = 0

    async def load(self) -> None:
        """Take up the groups of an earlier process.

        Raises:
            AliciaError: the database cannot be read.
        """
        self._groups = await self._saved.load()

    async def push(self, grouping: Pairs, exposition: Exposition, *, whole: bool) -> Outcome:
        """Store what was pushed: the ``whole`` group, or some of its metrics.

        Series that the group no longer has end with a marker. What the store refuses is counted
        and listed.

        Raises:
            BadExposition: a series is there twice; nothing was changed.
            PushLimited: some series are above a limit.
            DiskFault: the group is as it was, even where some samples are stored.
        """
        async with self._lock(grouping):
            old, now_ms = self._groups.get(grouping), self._next_ms()
            plan = plan_push(old, grouping, exposition.rows, whole=whole, now_ms=now_ms)
            samples = [*plan.samples, *self._markers(plan.ended, now_ms)]
            verdicts = await self._write(samples, now_ms, _by_service(exposition))
            verdicts = verdicts[: len(plan.samples)]
            group = plan.after(verdict not in _NOT_THERE for verdict in verdicts)
            if group.series:
                await self._saved.save(group)
                self._groups[grouping] = group
        return self._outcome(verdicts[:-1])

    async def delete(self, grouping: Pairs) -> None:
        """End a group and all its series; one that is not there is no error.

        Raises:
            DiskFault: the group stays.
        """
        async with self._lock(grouping):
            group = self._groups.get(grouping)
            if group is None:
                return
            now_ms = self._next_ms()
            await self._write(self._markers(group.series, now_ms), now_ms, {})
            await self._saved.forget(grouping)
            del self._groups[grouping]

    async def repeat(self) -> None:
        """Write the value of every pushed series anew, so that it stays visible."""
        for grouping, group in list(self._groups.items()):
            for start in range(0, len(group.series), SLICE):
                if self._groups.get(grouping) is not group or grouping in self._changing:
                    break  # a push writes it just now
                now_ms = self._next_ms()
                part = group.series[start : start + SLICE]
                samples = [_value_at(series, now_ms) for series in part if series.value is not None]
                if samples:
                    self._writer.post(Batch(samples, now_ms))
                await asyncio.sleep(0)

    def _lock(self, grouping: Pairs) -> asyncio.Lock:
        """What lets the changes of one group follow each other; gone when nobody holds it."""
        return self._changing.setdefault(grouping, asyncio.Lock())

    def _next_ms(self) -> int:
        """The time of a write: now, but never that of an earlier one, whose values would win."""
        now_ms = self._clock.now_ms()
        if now_ms <= self._written_ms < now_ms + AHEAD_MS_MAX:
            now_ms = self._written_ms + 1
        self._written_ms = now_ms
        return now_ms

    def _markers(self, ended: Sequence[PushedSeries], now_ms: int) -> list[Sample]:
        """The ends of series; one whose samples were all refused has none."""
        newest = ((series, self._store.newest(series.labels)) for series in ended)
        return [
            Sample(series.labels, now_ms, STALE)
            for series, last in newest
            if last is not None and not is_stale(last.value)
        ]

    async def _write(
        self,
        samples: Sequence[Sample],
        now_ms: int,
        metadata: Mapping[tuple[str, str], Metadata],
    ) -> Verdicts:
        verdicts: list[Verdict] = []
        for start in range(0, len(samples), SLICE):
            batch = Batch(samples[start : start + SLICE], now_ms, metadata if not start else {})
            verdicts += await self._written(batch)
        return tuple(verdicts)

    async def _written(self, batch: Batch) -> Verdicts:
        done: asyncio.Future[Verdicts] = asyncio.get_running_loop().create_future()

        def on_written(outcome: Verdicts | DiskFault) -> None:
            if done.done():
                return  # the request was given up
            if isinstance(outcome, DiskFault):
                done.set_exception(outcome)
            else:
                done.set_result(outcome)

        self._writer.write(batch, on_written)
        return await done

    def _outcome(self, verdicts: Verdicts) -> Outcome:
        rejects = [
            Reject(i, verdict, DETAILS[verdict])
            for i, verdict in enumerate(verdicts)
            if not verdict.accepted
        ]
        self._counters.add("samples", count=len(verdicts) - len(rejects))
        self._rejects.add(_ENTRY, rejects)
        limited = [reject for reject in rejects if reject.code in _LIMITS]
        if limited:
            raise PushLimited(
                f"{len(limited)} of {len(verdicts)} samples are not stored: {limited[0].detail}"
            )
        return Outcome(len(verdicts) - len(rejects), rejects, len(rejects))


def _value_at(series: PushedSeries, now_ms: int) -> Sample:
    assert series.value is not None, "samples with timestamps are not repeated"
    return Sample(series.labels, now_ms, series.value)


def _by_service(exposition: Exposition) -> Mapping[tuple[str, str], Metadata]:
    return {
        (row.labels.get(SERVICE, ""), row.metric): exposition.metadata[row.metric]
        for row in exposition.rows
        if row.metric in exposition.metadata
    }
