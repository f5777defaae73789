"""Where all samples enter: decoded bodies become batches, verdicts become answers."""

import asyncio
from collections.abc import Sequence
from typing import ClassVar, Final, NamedTuple

from alicia.base.counters import Counters
from alicia.base.errors import LimitExceeded
from alicia.collector.rejects import RejectLog
from alicia.series.labels import INSTANCE, NAME, SERVICE, LabelSet
from alicia.series.samples import Sample
from alicia.tsdb.head import Batch
from alicia.tsdb.store import Store
from alicia.tsdb.verdict import Verdict
from alicia.wire.rejects import Reject
from alicia.wire.samples import Decoded

SLICE: Final = 1000  # samples written before others get their turn on the loop
QUEUED_MAX: Final = 50_000  # samples of large bodies that may wait at once (reliability.md §3)
CLOCK_SKEW: Final = "clock_skew_seconds"

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
    """Too many samples wait to be written; nothing of this body was taken."""

    code: ClassVar[str] = "ingest_busy"


class Outcome(NamedTuple):
    """What became of one body: how many of its metrics are stored, and which are not."""

    accepted: int
    rejects: Sequence[Reject]


class Ingest:
    """The only writer of the store. Belongs to the event loop."""

    def __init__(self, store: Store, counters: Counters, rejects: RejectLog) -> None:
        self._store = store
        self._counters = counters
        self._rejects = rejects
        self._queued = 0
        self._skewed: set[str] = set()

    def offer(
        self, decoded: Decoded, *, received_ms: int, entry: str, payload: object = None
    ) -> Outcome:
        """Write a body at once; for bodies of at most SLICE samples.

        ``entry`` and ``payload`` (the decoded body) are for the list of rejects.
        """
        verdicts = self._store.write(Batch(decoded.samples, received_ms, decoded.metadata))
        return self._settle(decoded, verdicts, received_ms, entry, payload)

    async def offer_large(
        self, decoded: Decoded, *, received_ms: int, entry: str, payload: object = None
    ) -> Outcome:
        """Write a body in slices, so that others get their turn.

        Raises:
            IngestBusy: more than QUEUED_MAX samples are waiting already.
        """
        size = len(decoded.samples)
        if self._queued and self._queued + size > QUEUED_MAX:
            raise IngestBusy(f"{self._queued} samples wait to be written; send again in a second")
        self._queued += size
        verdicts: list[Verdict] = []
        try:
            for start in range(0, size, SLICE):
                part = decoded.samples[start : start + SLICE]
                verdicts += self._store.write(Batch(part, received_ms, decoded.metadata))
                await asyncio.sleep(0)
        finally:
            self._queued -= size
        return self._settle(decoded, verdicts, received_ms, entry, payload)

    def _settle(
        self,
        decoded: Decoded,
        verdicts: Sequence[Verdict],
        received_ms: int,
        entry: str,
        payload: object,
    ) -> Outcome:
        if decoded.skewed or self._skewed:
            self._note_skew(decoded, received_ms)
        refused = [i for i, verdict in enumerate(verdicts) if not verdict.accepted]
        self._counters.add("samples", count=len(verdicts) - len(refused))
        if not refused and not decoded.rejects:
            return Outcome(decoded.size, ())
        rejects = {reject.index: reject for reject in decoded.rejects}
        for i in refused:  # of a histogram's many samples the first refused one speaks
            index, verdict = decoded.indexes[i], verdicts[i]
            rejects.setdefault(index, Reject(index, verdict, _DETAILS[verdict]))
        ordered = [rejects[index] for index in sorted(rejects)]
        self._rejects.add(entry, ordered, payload)
        return Outcome(max(decoded.size - len(ordered), 0), ordered)

    def _note_skew(self, decoded: Decoded, received_ms: int) -> None:
        """Show whose clock is wrong, and that it is right again."""
        mended = (self._skewed & decoded.services) - decoded.skewed.keys()
        gauges = {**decoded.skewed, **dict.fromkeys(mended, 0.0)}
        self._skewed = (self._skewed | decoded.skewed.keys()) - mended
        samples = [
            Sample(LabelSet({NAME: CLOCK_SKEW, SERVICE: name, INSTANCE: name}), received_ms, skew)
            for name, skew in gauges.items()
        ]
        self._store.write(Batch(samples, received_ms))
