"""Where all samples enter: decoded bodies become batches, verdicts become answers."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence
from itertools import islice
from typing import ClassVar, Final, NamedTuple

from alicia.base.counters import Counters
from alicia.base.errors import LimitExceeded
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
RETRY_SECONDS: Final = 1.0  # after which the disk is tried again
CLOCK_SKEW: Final = "clock_skew_seconds"
SKEWED_MAX: Final = 1000  # services whose wrong clocks are remembered

_DETAILS: Final = {
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


class _Whence(NamedTuple):
    """When and where a body came in, and what it held, for the list of rejects."""

    received_ms: int
    entry: str
    payload: object
    patient: bool


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
        self._queued = 0
        self._skewed: set[str] = set()

    def take(
        self,
        body: MetricBody,
        *,
        received_ms: int,
        entry: str,
        payload: object = None,
        patient: bool = False,
    ) -> Outcome | Awaitable[Outcome]:
        """Read a body and have it written: a small one as a whole, a large one in slices.

        ``entry`` and ``payload`` (the decoded body) are for the list of rejects. Of the rejects
        of a large body the first REJECTS_LISTED are told one by one; all are counted. Where the
        disk refuses, ``patient`` waits for it, so that a message stays with its broker.

        Raises:
            IngestBusy: when awaited; more than QUEUED_MAX metrics are waiting already.
            DiskFault: when awaited, and not patient; what was not written is not stored.
        """
        first = body.read(0, parts_max=SLICE)
        whence = _Whence(received_ms, entry, payload, patient)
        if first.size == body.size:
            return self._write(first, whence)
        return self._take_large(body, first, whence)

    async def _take_large(self, body: MetricBody, part: Decoded, whence: "_Whence") -> Outcome:
        if self._queued and self._queued + body.size > QUEUED_MAX:
            raise IngestBusy(f"{self._queued} metrics wait to be written; send again in a second")
        self._queued += body.size
        accepted = rejected = place = 0
        listed: list[Reject] = []
        try:
            while part.size:
                writing = self._write(part, whence)
                outcome = writing if isinstance(writing, Outcome) else await writing
                accepted += outcome.accepted
                rejected += outcome.rejected
                listed += outcome.rejects[: REJECTS_LISTED - len(listed)]
                place += part.size
                await asyncio.sleep(0)  # others get their turn on the loop
                part = body.read(place, parts_max=SLICE)
        finally:
            self._queued -= body.size
        return Outcome(accepted, listed, rejected)

    def _write(self, decoded: Decoded, whence: "_Whence") -> "Outcome | asyncio.Future[Outcome]":
        if not decoded.samples and not decoded.metadata:
            return self._settle(decoded, (), whence)
        batch = Batch(decoded.samples, whence.received_ms, decoded.metadata)
        at_once: list[Outcome] = []
        settled: asyncio.Future[Outcome] | None = None

        def on_written(outcome: Verdicts | DiskFault) -> None:
            if not isinstance(outcome, DiskFault):
                result = self._settle(decoded, outcome, whence)
                if settled is None:
                    at_once.append(result)
                elif not settled.done():
                    settled.set_result(result)
            elif settled is None or settled.done():
                return  # nobody waits for it any more
            elif whence.patient:
                loop = asyncio.get_running_loop()
                loop.call_later(RETRY_SECONDS, self._writer.write, batch, on_written)
            else:
                settled.set_exception(outcome)

        self._writer.write(batch, on_written)
        if at_once:
            return at_once[0]
        settled = asyncio.get_running_loop().create_future()
        return settled

    def _settle(self, decoded: Decoded, verdicts: Sequence[Verdict], whence: "_Whence") -> Outcome:
        if decoded.skewed or self._skewed:
            self._note_skew(decoded, whence.received_ms)
        if self._on_senders is not None:
            self._on_senders(decoded.senders, whence.received_ms)
        refused = [i for i, verdict in enumerate(verdicts) if not verdict.accepted]
        self._counters.add("samples", count=len(verdicts) - len(refused))
        if not refused and not decoded.rejects:
            return Outcome(decoded.size, (), 0)
        rejects = {reject.index: reject for reject in decoded.rejects}
        for i in refused:  # of a histogram's many samples the first refused one speaks
            index, verdict = decoded.indexes[i], verdicts[i]
            rejects.setdefault(index, Reject(index, verdict, _DETAILS[verdict]))
        ordered = [rejects[index] for index in sorted(rejects)]
        self._rejects.add(whence.entry, ordered, whence.payload)
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
