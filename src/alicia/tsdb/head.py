"""The series in memory: a batch is staged by judgement alone, then applied."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np

from alicia.tsdb.block import Block
from alicia.tsdb.catalog import doubled
from alicia.tsdb.kernels import head as k
from alicia.tsdb.kernels import reading
from alicia.tsdb.kernels.bits import Words
from alicia.tsdb.kernels.chunk import SCRATCH_MIN, SCRATCH_ROWS
from alicia.tsdb.kernels.head import Codes
from alicia.tsdb.late import Late
from alicia.tsdb.rows import Part, Rows, Runs
from alicia.tsdb.shelf import BYTES_MAX, BYTES_MIN, Shelf

_ROWS_MIN: Final = 256


_FAR: Final = 2**62


class Frozen(NamedTuple):
    """What is to be written: series, and the bounds and the number of their samples."""

    refs: Words
    oldest_ms: int
    newest_ms: int
    samples: int


class Reading(NamedTuple):
    """Samples being read: ``parts`` of what was in memory, and ``blocks`` still to look into.

    ``cut`` is the end of the wanted time and the number of samples that a series shows at most,
    where some series has more.
    """

    refs: Words
    bounds: tuple[int, int]
    blocks: Sequence[Block]
    parts: Sequence[Part]
    cut: tuple[int, int] | None

    def finish(self) -> Runs:
        """The samples; takes as long as the disk, and needs no guard."""
        found = [part for block in self.blocks if (part := block.read(self.refs, self.bounds))]
        runs = woven([*found, *self.parts], len(self.refs))
        if self.cut is None:
            return runs
        size = reading.cut(*runs, *self.cut)
        return Runs(runs.offsets, runs.t_ms[:size], runs.values[:size])


@dataclass(frozen=True, slots=True)
class Sizes:
    """What the head holds; times are None while it is empty. Samples count until dropped."""

    samples: int
    chunks: int
    bytes: int
    oldest_ms: int | None
    newest_ms: int | None


class Head:
    """The samples of all series by reference. ``stage`` decides; ``apply`` cannot fail.

    A series begins with open() and ends with release().
    """

    def __init__(self) -> None:
        self._state: Words = np.zeros((_ROWS_MIN, k.STATE_COLUMNS), np.int64)
        self._open_t: Words = np.zeros((_ROWS_MIN, k.OPEN_MAX), np.int64)
        self._open_values: Words = np.zeros((_ROWS_MIN, k.OPEN_MAX), np.int64)
        self._scratch: Words = np.zeros((SCRATCH_ROWS, SCRATCH_MIN), np.int64)
        self.blocks: list[Block] = []
        self._frozen: list[Shelf | Late] = []
        self._shelves = [Shelf(_ROWS_MIN, BYTES_MIN)]
        self._late = Late()
        self._epoch = 0
        self._born = 0

    def open(self, ref: int) -> None:
        """Begin a series; its reference is new or was released."""
        while ref >= len(self._state):
            self._state = doubled(self._state)
            self._open_t = doubled(self._open_t)
            self._open_values = doubled(self._open_values)
        self._shelves[-1].reach(len(self._state))
        self._born += 1
        row = self._state[ref]
        row[:] = 0
        row[k.LAST_T] = k.NEVER_MS
        row[k.NUMBER] = self._born

    def release(self, refs: Words) -> None:
        """End series; their samples are gone."""
        self._state[refs, k.NUMBER] = 0
        for source in (*self.blocks, *self._memory()):
            source.forget(refs)

    def restore_last(self, refs: Words, t_ms: Words, values: Words) -> None:
        """Say what the newest samples of series are that a block holds."""
        newer = t_ms > self._state[refs, k.LAST_T]
        self._state[refs[newer], k.LAST_T] = t_ms[newer]
        self._state[refs[newer], k.LAST_BITS] = values[newer]

    def numbers(self, refs: Words) -> Words:
        """The places of series in the order of creation; numbers are never used again."""
        numbers: Words = self._state[refs, k.NUMBER]
        return numbers

    def last(self, refs: Words) -> tuple[Words, Words]:
        """Time and value of each series' newest sample; NEVER_MS where it has none."""
        return self._state[refs, k.LAST_T], self._state[refs, k.LAST_BITS]

    def unnamed(self, refs: Words, segment: int) -> Words:
        """Those series that this log segment does not name yet, each once."""
        return np.unique(refs[self._state[refs, k.SEGMENT] != segment])

    def named(self, refs: Words, segment: int) -> None:
        """This log segment names these series now."""
        self._state[refs, k.SEGMENT] = segment

    def stage(self, rows: Rows, *, floor_ms: int, ceiling_ms: int) -> Codes:
        """Judge every sample as if its predecessors in the batch were stored; ``kernels.head``.

        Samples out of order are STORED_LATE where their time is still free.
        """
        self._epoch += 1
        codes: Codes = np.empty(len(rows.refs), np.uint8)
        bounds = (floor_ms, ceiling_ms)
        later = k.stage(rows.refs, rows.t_ms, rows.values, bounds, self._epoch, self._state, codes)
        if later:
            self._stage_late(rows, codes)
        return codes

    def _stage_late(self, rows: Rows, codes: Codes) -> None:
        later = codes == k.LATER
        refs = np.unique(rows.refs[later])
        met = np.isin(rows.refs, refs) & ((codes == k.STORED) | (codes == k.REPLACED) | later)
        t_ms = rows.t_ms[later]
        runs = self.read(refs, int(t_ms.min()), int(t_ms.max()))
        held = np.repeat(refs, np.diff(runs.offsets))
        keys = np.concatenate(
            (
                np.stack((held, runs.t_ms, runs.values, np.full(len(held), -1)), axis=1),
                np.stack((*rows.where(met), np.flatnonzero(met)), axis=1),
            )
        )
        k.settle_late(keys, np.lexsort((keys[:, 3], keys[:, 1], keys[:, 0])), codes)

    def apply(self, rows: Rows, codes: Codes) -> None:
        """Store what was staged; the head is as it was when ``stage`` looked."""
        place = 0
        while True:
            shelf = self._shelves[-1]
            place = k.apply(
                place,
                *rows,
                codes,
                self._state,
                self._open_t,
                self._open_values,
                (shelf.chunks, shelf.rows, shelf.chain, shelf.fill),
                self._scratch,
            )
            if place == len(codes):
                break
            self._add_shelf(_next_size(shelf))
        late = codes == k.STORED_LATE
        if late.any():
            self._late.add(*rows.where(late))

    def _add_shelf(self, size_bytes: int) -> None:
        self._shelves.append(Shelf(len(self._state), size_bytes))

    def read(self, refs: Words, start_ms: int, end_ms: int) -> Runs:
        """Samples from ``start_ms`` to ``end_ms``, both inclusive, ascending, markers included."""
        return self.begin_read(refs, start_ms, end_ms, samples_max=_FAR).finish()

    def begin_read(self, refs: Words, start_ms: int, end_ms: int, *, samples_max: int) -> "Reading":
        """As read(), without what is behind the newest ``samples_max`` of its series.

        What is in memory is taken at once, what is in blocks when the reading is finished.
        """
        whole = int(self._count(refs).max(initial=0)) > samples_max
        bounds = (start_ms, _FAR if whole else end_ms)
        parts = [part for source in self._memory() if (part := source.read(refs, bounds))]
        parts.append(self._of_open(refs, bounds))
        cut = (end_ms, samples_max) if whole else None
        return Reading(refs, bounds, tuple(self.blocks), parts, cut)

    def _count(self, refs: Words) -> Words:
        """How many samples the series have at most."""
        counts: Words = self._state[refs, k.OPEN]
        for source in (*self.blocks, *self._memory()):
            source.count(refs, counts)
        return counts

    def _memory(self) -> list[Shelf | Late]:
        return [*self._frozen, *self._shelves, self._late]

    def freeze(self) -> "Frozen | None":
        """Set aside all that is in memory, to be written as a block; None where there is nothing.

        It is read as before, and waits for thaw(); nothing is added to it.
        """
        assert not self._frozen, "one block is written at a time"
        alive = np.flatnonzero(self._state[:, k.NUMBER] > 0)
        place = 0
        while True:
            shelf = self._shelves[-1]
            place = k.seal_all(
                place,
                alive,
                self._state,
                self._open_t,
                self._open_values,
                (shelf.chunks, shelf.rows, shelf.chain, shelf.fill),
                self._scratch,
            )
            if place == len(alive):
                break
            self._add_shelf(_next_size(shelf))
        held: list[Shelf | Late] = [shelf for shelf in self._shelves if len(shelf)]
        if len(self._late):
            held.append(self._late)
        if not held:
            return None
        last = self._shelves[-1]
        self._frozen, self._shelves, self._late = held, [], Late()
        self._add_shelf(_next_size(last))
        oldest_ms = min(source.oldest_ms for source in held)
        newest_ms = max(source.newest_ms for source in held)
        return Frozen(alive, oldest_ms, newest_ms, sum(source.samples for source in held))

    def read_frozen(self, refs: Words) -> Runs:
        """What was set aside."""
        bounds = (k.NEVER_MS, _FAR)
        parts = [part for source in self._frozen if (part := source.read(refs, bounds))]
        return woven(parts, len(refs))

    def thaw(self, block: Block | None) -> None:
        """Read a block in place of what was set aside; without one it is as never set aside."""
        if block is None:
            shelves = [source for source in self._frozen if isinstance(source, Shelf)]
            late = [source for source in self._frozen if isinstance(source, Late)]
            self._shelves = [*shelves, *self._shelves]
            for source in late:
                self._late.add(*source.columns())
        else:
            self.blocks.append(block)
        self._frozen = []

    def expire(self, floor_ms: int) -> Words:
        """Drop memory that holds only samples before ``floor_ms``; the series that have no other.

        The caller releases those.
        """
        last = self._shelves[-1]
        self._shelves = [s for s in self._shelves if len(s) and s.newest_ms >= floor_ms]
        if not self._shelves or self._shelves[-1] is not last:
            self._add_shelf(_next_size(last))
        if len(self._late):
            self._late.keep(self._late.columns()[1] >= floor_ms)
        alive = self._state[:, k.NUMBER] > 0
        ended: Words = np.flatnonzero(alive & (self._state[:, k.LAST_T] < floor_ms))
        return ended

    def sizes(self) -> Sizes:
        """What the head holds, blocks not counted."""
        alive = self._state[:, k.NUMBER] > 0
        used = alive & (self._state[:, k.OPEN] > 0)
        held = [s for s in (*self._frozen, *self._shelves, self._late) if len(s)]
        oldest = [source.oldest_ms for source in held]
        if used.any():
            oldest.append(int(self._open_t[used, 0].min()))
        newest = self._state[alive, k.LAST_T]
        row_bytes = 8 * (k.STATE_COLUMNS + 2 * k.OPEN_MAX)
        shelves = sum(source.used_bytes for source in held if isinstance(source, Shelf))
        return Sizes(
            int(self._state[used, k.OPEN].sum()) + sum(source.samples for source in held),
            sum(len(source) for source in held if isinstance(source, Shelf)),
            int(alive.sum()) * row_bytes + shelves,
            min(oldest, default=None),
            int(newest.max()) if len(newest) else None,
        )

    def _of_open(self, refs: Words, bounds: tuple[int, int]) -> Part:
        room = len(refs) * k.OPEN_MAX
        spans, (t_ms, values) = np.empty((len(refs), 2), np.int64), np.empty((2, room), np.int64)
        reading.read_open(
            refs, bounds, self._state, self._open_t, self._open_values, spans, t_ms, values
        )
        return spans, t_ms, values


def read_blocks(blocks: Sequence[Block], refs: Words) -> Runs:
    """All samples that some blocks hold of these series."""
    bounds = (k.NEVER_MS, _FAR)
    parts = [part for block in blocks if (part := block.read(refs, bounds))]
    return woven(parts, len(refs))


def woven(parts: Sequence[Part], count: int) -> Runs:
    """The samples of ``count`` series from several sources in one run per series."""
    offsets: Words = np.zeros(count + 1, np.int64)
    for spans, _, _ in parts:
        offsets[1:] += spans[:, 1] - spans[:, 0]
    np.cumsum(offsets, out=offsets)
    t_ms, values = np.empty((2, int(offsets[-1])), np.int64)
    cursors = offsets[:-1].copy()
    for part in parts:
        reading.append_part(*part, cursors, t_ms, values)
    size = reading.tidy(offsets, t_ms, values)
    return Runs(offsets, t_ms[:size], values[:size])


def _next_size(shelf: Shelf) -> int:
    """Twice of what the last one needed: there may be more series by now."""
    return min(max(2 * int(shelf.fill[k.BYTES]), BYTES_MIN), BYTES_MAX)
