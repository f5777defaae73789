"""Where all samples enter: decoded bodies become batches, verdicts become answers."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Collection, Sequence
from contextlib import aclosing
from itertools import islice
from typing import ClassVar, Final, NamedTuple

from alicia.base.counters import Counters
from alicia.base.errors import LimitExceeded
from alicia.collector.gathering import Body, Gathering
from alicia.collector.rejects import RejectLog
from alicia.collector.store_thread import Verdicts, Writer
from alicia.series.labels import INSTANCE, NAME, SERVICE, LabelSet
from alicia.series.samples import Sample
from alicia.tsdb.ports import DiskFault
from alicia.tsdb.store import Batch
from alicia.tsdb.verdict import Verdict
from alicia.wire.rejects import Reject
from alicia.wire.samples import Decoded, MetricBody

SLICE: Final = 500  # samples read and written in one go
QUEUED_MAX: Final = 50_000  # metrics of large bodies that may wait at once (reliability.md §3)
REJECTS_LISTED: Final = 10_000
CLOCK_SKEW: Final = "clock_skew_seconds"
SKEWED_MAX: Final = 1000  # services whose wrong clocks are remembered

DETAILS: Final = {
    Verdict.DUPLICATE_TIMESTAMP: "the series has another value at this time; the first one stays",
    Verdict.TOO_OLD: "timestamp: older than RETENTION; send it sooner",
    Verdict.TOO_FAR_AHEAD: "timestamp: more than 10 min ahead; set the sender's clock",
    Verdict.SERIES_LIMIT: "a new series above MAX_SERIES; existing series keep flowing",
    Verdict.SERVICE_SERIES_LIMIT: (
        "a new series above MAX_SERIES_PER_SERVICE; existing series keep flowing"
    ),
}


class IngestBusy(LimitExceeded):
    """Too many metrics wait to be written; nothing of this body was taken."""

    code: ClassVar[str] = "ingest_busy"


class Outcome(NamedTuple):
    """What became of one body: how many of its metrics are stored, and which are not.

    ``rejected`` counts them all, also where ``rejects`` lists only the first ones.
    """

    accepted: int
    rejects: Sequence[Reject]
    rejected: int


class Ingest:
    """From bodies to batches, and from verdicts to answers. Belongs to the event loop.

    ``on_senders`` hears the services and instances in a body, and when it came.
    """

    def __init__(
        self,
        writer: Writer,
        counters: Counters,
        rejects: RejectLog,
        on_senders: Callable[[Collection[tuple[str, str]], int], None] | None = None,
    ) -> None:
        self._writer = writer
        self._on_senders = on_senders
        self._counters = counters
        self._rejects = rejects
        self._gathering = Gathering(writer, self._settle_all)
        self._queued = 0
        self._skewed: set[str] = set()

    def take(
        self, body: MetricBody, *, received_ms: int, entry: str, payload: object = None
    ) -> Outcome | Awaitable[Outcome]:
        """Read a body and have it written: a small one as a whole, a large one in slices.

        ``entry`` and ``payload`` (the decoded body) are for the list of rejects. Of the rejects
        of a large body the first REJECTS_LISTED are told one by one; all are counted.

        Raises:
            IngestBusy: when awaited; more than QUEUED_MAX metrics are waiting already.
            DiskFault: when awaited; what was not written is not stored.
        """
        first = body.read(0, parts_max=SLICE)
        whole = Body(first, received_ms, entry, payload)
        return self._write(whole) if first.size == body.size else self._take_large(body, whole)

    def gather(
        self, body: MetricBody, *, received_ms: int, entry: str, payload: object = None
    ) -> "asyncio.Future[None] | Awaitable[None] | None":
        """As take(), for a message, whose sender waits for no answer: what to wait for, if at all.

        It may wait long, since where the disk refuses the message stays with its broker.

        Raises:
            IngestBusy: as take(), and never by a future.
        """
        first = body.read(0, parts_max=SLICE)
        whole = Body(first, received_ms, entry, payload)
        if first.size != body.size:
            return self._gather_large(body, whole)
        if not first.samples and not first.metadata:
            self._settle(whole, ())
            return None
        return self._gathering.add(whole)

    async def _take_large(self, body: MetricBody, first: Body) -> Outcome:
        accepted = rejected = 0
        listed: list[Reject] = []
        async with aclosing(self._slices(body, first)) as slices:
            async for part in slices:
                writing = self._write(part)
                outcome = writing if isinstance(writing, Outcome) else await writing
                accepted += outcome.accepted
                rejected += outcome.rejected
                listed += outcome.rejects[: REJECTS_LISTED - len(listed)]
        return Outcome(accepted, listed, rejected)

    async def _gather_large(self, body: MetricBody, first: Body) -> None:
        async with aclosing(self._slices(body, first)) as slices:
            async for part in slices:
                waiting = self._gathering.add(part)
                if waiting is not None:
                    await waiting

    async def _slices(self, body: MetricBody, part: Body) -> AsyncGenerator[Body]:
        """A large body in parts, between which others get their turn on the loop."""
        if self._queued and self._queued + body.size > QUEUED_MAX:
            raise IngestBusy(f"{self._queued} metrics wait to be written; send again in a second")
        self._queued += body.size
        place = 0
        try:
            while part.decoded.size:
                yield part
                place += part.decoded.size
                await asyncio.sleep(0)
                part = part._replace(decoded=body.read(place, parts_max=SLICE))
        finally:
            self._queued -= body.size

    def _write(self, body: Body) -> "Outcome | asyncio.Future[Outcome]":
        decoded = body.decoded
        if not decoded.samples and not decoded.metadata:
            return self._settle(body, ())
        at_once: list[Outcome] = []
        settled: asyncio.Future[Outcome] | None = None

        def on_written(outcome: Verdicts | DiskFault) -> None:
            result: Outcome | Exception
            try:
                result = outcome if isinstance(outcome, DiskFault) else self._settle(body, outcome)
            except Exception as error:  # it is stored, but somebody waits for an answer
                if settled is None or settled.done():
                    raise
                result = error
            if settled is None:
                assert isinstance(result, Outcome), "only a thread tells of a fault"
                at_once.append(result)
            elif settled.done():
                return  # nobody waits for it any more
            elif isinstance(result, Outcome):
                settled.set_result(result)
            else:
                settled.set_exception(result)

        self._writer.write(Batch(decoded.samples, body.received_ms, decoded.metadata), on_written)
        if at_once:
            return at_once[0]
        settled = asyncio.get_running_loop().create_future()
        return settled

    def _settle_all(self, bodies: Sequence[Body], verdicts: Verdicts) -> None:
        """Settle many bodies, in one go where nothing was refused, as nearly always."""
        usual = verdicts.count(Verdict.STORED) == len(verdicts) and not self._skewed
        if usual and not any(body.decoded.rejects or body.decoded.skewed for body in bodies):
            self._counters.add("samples", count=len(verdicts))
            if self._on_senders is not None:
                senders = frozenset[tuple[str, str]]().union(*(b.decoded.senders for b in bodies))
                self._on_senders(senders, bodies[-1].received_ms)
            return
        start = 0
        for body in bodies:
            end = start + len(body.decoded.samples)
            self._settle(body, verdicts[start:end])
            start = end

    def _settle(self, body: Body, verdicts: Sequence[Verdict]) -> Outcome:
        decoded = body.decoded
        if decoded.skewed or self._skewed:
            self._note_skew(decoded, body.received_ms)
        if self._on_senders is not None:
            self._on_senders(decoded.senders, body.received_ms)
        refused = [i for i, verdict in enumerate(verdicts) if not verdict.accepted]
        self._counters.add("samples", count=len(verdicts) - len(refused))
        if not refused and not decoded.rejects:
            return Outcome(decoded.size, (), 0)
        rejects = {reject.index: reject for reject in decoded.rejects}
        for i in refused:  # of a histogram's many samples the first refused one speaks
            index, verdict = decoded.indexes[i], verdicts[i]
            rejects.setdefault(index, Reject(index, verdict, DETAILS[verdict]))
        ordered = [rejects[index] for index in sorted(rejects)]
        self._rejects.add(body.entry, ordered, body.payload)
        return Outcome(max(decoded.size - len(ordered), 0), ordered, len(ordered))

    def _note_skew(self, decoded: Decoded, received_ms: int) -> None:
        """Show whose clock is wrong, and that it is right again."""
        mended = (self._skewed & decoded.services) - decoded.skewed.keys()
        gauges = {**decoded.skewed, **dict.fromkeys(mended, 0.0)}
        self._skewed = (self._skewed | decoded.skewed.keys()) - mended
        if len(self._skewed) > SKEWED_MAX:  # a forgotten one's gauge ends without a last zero
            self._skewed = set(islice(decoded.skewed, SKEWED_MAX))
        samples = [
            Sample(LabelSet({NAME: CLOCK_SKEW, SERVICE: name, INSTANCE: name}), received_ms, skew)
            for name, skew in gauges.items()
        ]
        self._writer.post(Batch(samples, received_ms))
