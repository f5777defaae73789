"""Where write requests enter: bounded, in parts, and what became of them in words."""

import asyncio
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Final, NamedTuple

from alicia.base.counters import Counters
from alicia.collector.ingest import DETAILS, QUEUED_MAX, IngestBusy
from alicia.collector.rejects import RejectLog
from alicia.collector.store_thread import Writer
from alicia.tsdb.ports import DiskFault
from alicia.tsdb.request import WriteRequest
from alicia.tsdb.request_writer import REFUSALS_LISTED, Refusal, RequestOutcome
from alicia.tsdb.verdict import Verdict
from alicia.wire.rejects import Reject

ENTRY: Final = "remote-write"
PART_SERIES: Final = 2000  # written in one go, so that others get their turn
PART_SAMPLES: Final = 100_000
QUEUED_BYTES_MAX: Final = 16 * 1024 * 1024  # of labels (reliability.md §3)

Sender = tuple[str, str]


class Taken(NamedTuple):
    """What became of a request: samples that are stored now, and the others by code."""

    stored: int
    refused: Mapping[str, int]
    first: Sequence[Reject]


class RequestIngest:
    """From write requests to answers. Belongs to the event loop.

    ``on_senders`` hears the services and instances of a request, and when it came.
    """

    def __init__(
        self,
        writer: Writer,
        counters: Counters,
        rejects: RejectLog,
        on_senders: Callable[[Collection[Sender], int], None],
    ) -> None:
        self._writer = writer
        self._counters = counters
        self._rejects = rejects
        self._on_senders = on_senders
        self._queued = 0
        self._queued_bytes = 0

    async def take(self, request: WriteRequest, *, received_ms: int) -> Taken:
        """Have a request written, a large one in parts; samples in it keep their order.

        Raises:
            IngestBusy: too much is waiting already; nothing was taken.
            DiskFault: what was not written is not stored; sending all again is safe.
        """
        size, size_bytes = len(request.t_ms), request.data.nbytes
        self._check_room(size, size_bytes)
        self._queued += size
        self._queued_bytes += size_bytes
        stored, refused = 0, Counter[str]()
        first: list[Reject] = []
        try:
            for part in request.parts(series_max=PART_SERIES, samples_max=PART_SAMPLES):
                outcome = await self._write(part, received_ms)
                stored += outcome.stored + outcome.repeated
                refused.update(outcome.refused)
                first += map(_reject, outcome.first[: REFUSALS_LISTED - len(first)])
                self._on_senders(outcome.senders, received_ms)
        finally:
            self._queued -= size
            self._queued_bytes -= size_bytes
        return self._taken(request, stored, refused, first)

    def _check_room(self, size: int, size_bytes: int) -> None:
        if self._queued and (
            self._queued + size > QUEUED_MAX or self._queued_bytes + size_bytes > QUEUED_BYTES_MAX
        ):
            raise IngestBusy(f"{self._queued} samples wait to be written; send again in a second")

    async def _write(self, request: WriteRequest, received_ms: int) -> RequestOutcome:
        written: asyncio.Future[RequestOutcome] = asyncio.get_running_loop().create_future()

        def on_written(outcome: RequestOutcome | DiskFault) -> None:
            if written.done():
                return  # the sender went away
            if isinstance(outcome, DiskFault):
                written.set_exception(outcome)
            else:
                written.set_result(outcome)

        self._writer.write_request(request, received_ms, on_written)
        return await written

    def _taken(
        self, request: WriteRequest, stored: int, refused: Counter[str], first: list[Reject]
    ) -> Taken:
        if request.histograms:
            refused["native_histogram"] = request.histograms
            first.append(
                Reject(
                    0,
                    "native_histogram",
                    f"{request.histograms} native histograms are not stored; send classic ones",
                )
            )
        self._counters.add("samples", count=stored)
        if refused:
            self._rejects.add_counted(ENTRY, first, refused)
        return Taken(stored, refused, first)


def _reject(refusal: Refusal) -> Reject:
    why = refusal.detail or DETAILS[Verdict(refusal.code)]
    named = refusal.series or f"series {refusal.row} of the request"
    return Reject(refusal.row, refusal.code, f"{named}: {why}")
