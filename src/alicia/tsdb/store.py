"""The metric store: written by one thread, read through matchers by any."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import partial
from itertools import accumulate
from types import MappingProxyType
from typing import Final, NamedTuple

import numpy as np

from alicia.base.limits import TOO_FAR_AHEAD_MS
from alicia.series.labels import LabelSet
from alicia.series.samples import Metadata, Sample, SampleList
from alicia.tsdb.block import Block
from alicia.tsdb.blocks import Blocks, mergeable
from alicia.tsdb.cardinality import Culprit
from alicia.tsdb.head import Frozen, read_blocks
from alicia.tsdb.kernels.bits import Words
from alicia.tsdb.kernels.head import LAST_STORED, NEVER_MS, Codes
from alicia.tsdb.log_writer import LogWriter
from alicia.tsdb.ports import Disk, DiskFault
from alicia.tsdb.request import WriteRequest
from alicia.tsdb.request_writer import RequestOutcome, RequestWriter
from alicia.tsdb.rows import Rows
from alicia.tsdb.segments import Damage, Segments, Sync
from alicia.tsdb.series_table import Limits
from alicia.tsdb.store_reader import FAR_MS, StoreReader
from alicia.tsdb.verdict import BY_CODE, Verdict

EXPIRE_SLICE: Final = 2000
_BLOCKS_PER_RETENTION: Final = 4
_MERGED_PER_RETENTION: Final = 8  # blocks of so much of it are not merged further
_STRETCH_MS_MAX: Final = 30 * 60_000  # what is in memory at most, before it becomes a block


# A NamedTuple, since one is built for every message: it costs half of a frozen dataclass.
class Batch(NamedTuple):
    """Samples that were received together, with the time of receipt (wall clock, ms)."""

    samples: Sequence[Sample]
    received_ms: int
    metadata: Mapping[tuple[str, str], Metadata] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class StoreStats:
    """Sizes of the store; times are None while it is empty."""

    series: int
    samples: int  # in memory and in blocks
    bytes: int  # in memory
    head_samples: int
    head_chunks: int
    log_bytes: int
    log_segments: int
    blocks: int
    block_bytes: int
    damaged_records: int  # stretches of the log, found at start
    damaged_blocks: int  # set aside at start
    damaged_chunks: int  # of blocks, found while reading since start
    oldest_ms: int | None
    newest_ms: int | None
    refused: Mapping[str, int]  # refused series by service
    culprits: tuple[Culprit, ...]


class Store(StoreReader):
    """All series of the product; fits ``promql.ports.Querier``.

    One thread writes, expires and syncs; any may read. ``guard`` is entered for every look at
    memory and for every change of it, never while the disk works. ``seed`` is a secret number
    that keeps peers from choosing labels that collide. Without a ``disk`` all is in memory only.
    """

    def __init__(
        self,
        limits: Limits,
        *,
        seed: int = 0,
        disk: Disk | None = None,
        guard: AbstractContextManager[object] | None = None,
    ) -> None:
        super().__init__(limits, guard or nullcontext(), seed=seed)
        self._requests = RequestWriter(self._table, self._head)
        self._log = self._log_writer = self._blocks = None
        if disk is not None:
            self._log = Segments(disk)
            self._log_writer = LogWriter(
                self._log, self._head, self._table.catalog.key, self._guard
            )
            self._blocks = Blocks(disk)
        self._frozen_at_ms = NEVER_MS

    def replay(self, now_ms: int) -> None:
        """Read what earlier processes left on the disk; before anything is written.

        Raises:
            DiskFault: a file cannot be read.
        """
        self._floor_ms = now_ms - self._limits.retention_ms
        self._frozen_at_ms = now_ms
        if self._log is None or self._blocks is None:
            return

        covered = 0  # the last segment of which all is in blocks
        for block, keys in self._blocks.open_all():
            refs = np.array(list(map(self._table.restore, keys)), np.int64)
            block.place(refs.tolist())
            self._head.restore_last(refs, *block.last())
            self._head.blocks.append(block)
            covered = max(covered, block.log_segment)
        self._log.replay(self._table.restore, self._take_logged, after=covered)
        self._log.forget_before(self._floor_ms)
        self._end_empty(self._table.postings.find(()))
        self._frozen_at_ms = min(now_ms, self._head.sizes().oldest_ms or now_ms)

    def _take_logged(self, rows: Rows) -> None:
        codes = self._head.stage(rows, floor_ms=self._floor_ms, ceiling_ms=FAR_MS)
        self._head.apply(rows, codes)

    def write(self, batch: Batch) -> tuple[Verdict, ...]:
        """Take one batch, as write_all()."""
        return self.write_all((batch,))[0]

    def write_all(self, batches: Sequence[Batch]) -> list[tuple[Verdict, ...]]:
        """Take batches that came at about the same time, by one write to the log.

        One verdict per sample of each batch, in order; a bad one never fails its neighbours.
        Returns once the samples are in the log: a killed process loses none of them.

        Raises:
            DiskFault: nothing was stored.
        """
        samples = _joined(batches)
        received_ms = max((batch.received_ms for batch in batches), default=self._floor_ms)
        with self._guard:
            rows, refused = self._resolve(samples, received_ms)
            codes = self._stage(rows, received_ms)
        self._write_rows(rows, codes)
        with self._guard:
            for batch in batches:
                for (service, metric), metadata in batch.metadata.items():
                    self._table.metadata.describe(service, metric, metadata)
        verdicts = [BY_CODE.get(code) or refused[i] for i, code in enumerate(codes.tolist())]
        ends = list(accumulate(len(batch.samples) for batch in batches))
        return [
            tuple(verdicts[end - len(b.samples) : end])
            for b, end in zip(batches, ends, strict=True)
        ]

    def write_request(self, request: WriteRequest, received_ms: int) -> RequestOutcome:
        """Take a write request, as write_all() takes batches; a known series costs no object.

        Raises:
            DiskFault: nothing was stored.
        """
        bounds = self._bounds(received_ms)
        with self._guard:
            resolved = self._requests.resolve(request, received_ms=received_ms, bounds=bounds)
            codes = self._stage(resolved.rows, received_ms)
        self._write_rows(resolved.rows, codes)
        with self._guard:
            self._requests.describe(request, resolved)
            return self._requests.outcome(request, resolved, codes)

    def _resolve(self, samples: SampleList, received_ms: int) -> tuple[Rows, dict[int, Verdict]]:
        """Samples as rows, and the verdicts of those whose series may not begin."""
        floor_ms, ceiling_ms = self._bounds(received_ms)
        find = self._table.catalog.find
        refs: Words = np.array(list(map(find, samples.labels)), np.int64)
        refused: dict[int, Verdict] = {}
        begun: dict[LabelSet, int] = {}
        for i in np.flatnonzero(refs < 0).tolist():
            labels = samples.labels[i]
            if labels in begun:
                refs[i] = begun[labels]
            elif floor_ms <= samples.t_ms[i] <= ceiling_ms:
                found = self._table.begin(labels, now_ms=received_ms)
                if isinstance(found, Verdict):
                    refused[i] = found
                else:
                    refs[i] = begun[labels] = found
        values = np.array(samples.values, np.float64)
        return Rows(refs, np.array(samples.t_ms, np.int64), values.view(np.int64)), refused

    def _stage(self, rows: Rows, received_ms: int) -> Codes:
        self._floor_ms, ceiling_ms = self._bounds(received_ms)
        return self._head.stage(rows, floor_ms=self._floor_ms, ceiling_ms=ceiling_ms)

    def _bounds(self, received_ms: int) -> tuple[int, int]:
        return received_ms - self._limits.retention_ms, received_ms + TOO_FAR_AHEAD_MS

    def _write_rows(self, rows: Rows, codes: Codes) -> None:
        stored = codes <= LAST_STORED
        if not stored.any():
            return
        if self._log_writer is not None:
            try:
                self._log_writer.append(rows if stored.all() else rows.where(stored))
            except DiskFault:
                self._end_empty(np.unique(rows.refs[rows.refs >= 0]))
                raise
        with self._guard:
            self._head.apply(rows, codes)

    def sync(self) -> None:
        """Return once everything written would survive a power cut.

        Raises:
            DiskFault: it would not; nothing more must be acknowledged until a sync succeeds.
        """
        if self._log_writer is not None:
            self._log_writer.sync()

    def log_troubles(self) -> tuple[Damage, int]:
        """What of the log could not be read at the start, and how many syncs of it failed."""
        return (self._log.damage, self._log.sync_failures) if self._log else (Damage(0, 0), 0)

    def begin_sync(self) -> Sync | None:
        """What another thread can sync while this one writes on; None where all is safe.

        Raises:
            DiskFault: as sync().
        """
        return self._log_writer.begin_sync() if self._log_writer is not None else None

    def end_sync(self, sync: Sync) -> None:
        """Take note of a sync that has run.

        Raises:
            DiskFault: as sync().
        """
        if self._log_writer is not None:
            self._log_writer.end_sync(sync)

    def close(self) -> None:
        """Sync, and give the files back. Nothing may be written afterwards.

        Raises:
            DiskFault: what was written last may not survive a power cut.
        """
        if self._log_writer is not None:
            self._log_writer.close()

    def expire(self, now_ms: int) -> Iterator[int]:
        """Drop what is older than RETENTION; series without samples end, EXPIRE_SLICE at each step.

        A step tells how many series ended; between two of them others may read and write.
        """
        with self._guard:
            floor_ms = self._floor_ms = now_ms - self._limits.retention_ms
            ended = self._head.expire(floor_ms)
        if self._log is not None:
            self._log.forget_before(floor_ms)
        for start in range(0, len(ended), EXPIRE_SLICE):
            refs = ended[start : start + EXPIRE_SLICE]
            with self._guard:
                refs = refs[self._head.last(refs)[0] < floor_ms]  # some may have come back
                self._table.end(refs)
            yield len(refs)

    def compact(self, now_ms: int) -> Iterator[None]:
        """Delete old blocks, now and then write what is in memory as one, and merge small ones.

        In steps, between which others may read and write.

        Raises:
            DiskFault: all is in memory and in the log as before.
        """
        if self._blocks is None or self._log_writer is None:
            return
        for block in self._head.blocks:
            block.rest()
        self._drop([b for b in self._head.blocks if b.newest_ms < self._floor_ms], self._blocks)
        stretch_ms = min(self._limits.retention_ms // _BLOCKS_PER_RETENTION, _STRETCH_MS_MAX)
        if abs(now_ms - self._frozen_at_ms) >= stretch_ms:
            yield from self._write_block(now_ms, self._blocks, self._log_writer)
            yield from self._merge_blocks(self._blocks)

    def _write_block(self, now_ms: int, blocks: Blocks, log_writer: LogWriter) -> Iterator[None]:
        segment = log_writer.turn()
        self._frozen_at_ms = now_ms
        with self._guard:
            self._table.catalog.reuse_released()  # the log has turned to a new segment
            frozen = self._head.freeze()
        if frozen is None:
            return
        numbers, written = self._head.numbers(frozen.refs), None
        try:
            written = yield from blocks.write(
                frozen, self._table.catalog.key, self._head.read_frozen, log_segment=segment
            )
        finally:
            with self._guard:
                if written is not None:  # some series may have ended meanwhile
                    written.forget(frozen.refs[self._head.numbers(frozen.refs) != numbers])
                self._head.thaw(written)
        log_writer.forget_through(segment)

    def _merge_blocks(self, blocks: Blocks) -> Iterator[None]:
        span_ms_max = self._limits.retention_ms // _MERGED_PER_RETENTION
        while group := mergeable(self._head.blocks, span_ms_max=span_ms_max):
            merged = Frozen(
                np.unique(np.concatenate([block.refs() for block in group])),
                min(block.oldest_ms for block in group),
                max(block.newest_ms for block in group),
                sum(block.samples for block in group),
            )
            numbers = self._head.numbers(merged.refs)
            written = yield from blocks.write(
                merged,
                self._table.catalog.key,
                partial(read_blocks, group),
                log_segment=max(block.log_segment for block in group),
                replaced=group,
            )
            with self._guard:
                written.forget(merged.refs[self._head.numbers(merged.refs) != numbers])
                self._head.blocks.append(written)
            self._drop(group, blocks)

    def _drop(self, group: Sequence[Block], blocks: Blocks) -> None:
        with self._guard:
            self._head.blocks = [each for each in self._head.blocks if each not in group]
        for block in group:
            blocks.remove(block)

    def _end_empty(self, refs: Words) -> None:
        """End those series that got no sample."""
        with self._guard:
            self._table.end(refs[self._head.last(refs)[0] == NEVER_MS])

    def stats(self, now_ms: int) -> StoreStats:
        """Sizes now. Samples count until their memory is given back."""
        with self._guard:
            sizes, blocks = self._head.sizes(), self._head.blocks
            oldest = [block.oldest_ms for block in blocks]
            if sizes.oldest_ms is not None:
                oldest.append(sizes.oldest_ms)
            return StoreStats(
                series=len(self._table),
                samples=sizes.samples + sum(block.samples for block in blocks),
                bytes=sizes.bytes + self._table.catalog.size_bytes,
                head_samples=sizes.samples,
                head_chunks=sizes.chunks,
                log_bytes=0 if self._log is None else self._log.size_bytes,
                log_segments=0 if self._log is None else self._log.count,
                blocks=len(blocks),
                block_bytes=sum(block.size_bytes for block in blocks),
                damaged_records=0 if self._log is None else self._log.damage.records,
                damaged_blocks=0 if self._blocks is None else self._blocks.damaged_files,
                damaged_chunks=sum(block.damaged for block in blocks),
                oldest_ms=max(min(oldest), self._floor_ms) if oldest else None,
                newest_ms=sizes.newest_ms,
                refused=self._table.cardinality.refusals(),
                culprits=self._table.culprits(now_ms),
            )


def _joined(batches: Sequence[Batch]) -> SampleList:
    if len(batches) == 1:
        return SampleList.of(batches[0].samples)
    joined = SampleList()
    for batch in batches:
        joined.extend(SampleList.of(batch.samples))
    return joined
