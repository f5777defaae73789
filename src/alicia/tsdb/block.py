"""Blocks: what the head held for a while, on disk, never changed again."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from alicia.tsdb.block_file import BlockHead, DamagedBlock, decode_head
from alicia.tsdb.kernels import block as k
from alicia.tsdb.kernels.bits import Bytes, Words
from alicia.tsdb.kernels.block import Halves
from alicia.tsdb.kernels.log import Table
from alicia.tsdb.rows import Part


class Block:
    """One file, mapped into memory; reads as a ``Shelf`` does.

    What finds the chunks is loaded when somebody reads, and let go by rest(). ``damaged`` counts
    what could not be read.
    """

    def __init__(self, name: str, data: Bytes, head: BlockHead, tables: Table) -> None:
        self.name: Final = name
        self.size_bytes: Final = len(data)
        self.series: Final = len(head.keys)
        self.samples: Final = head.samples
        self.oldest_ms: Final = head.oldest_ms
        self.newest_ms: Final = head.newest_ms
        self.log_segment: Final = head.log_segment
        self.damaged = 0
        self._longest = _longest(head)
        self._clock = (head.oldest_ms, head.unit_ms)
        self._data = data
        self._loaded: tuple[Halves, Halves] | None = (head.chunks, head.first)
        self._was_read = True
        self._tables = tables
        self._row_of: Halves = np.zeros(1, np.int32)

    def place(self, refs: Sequence[int]) -> None:
        """Say which references the series of the file have now, in its order; -1 for none."""
        row_of: Halves = np.zeros(max(refs, default=0) + 1, np.int32)
        for row, ref in enumerate(refs):
            if ref >= 0:
                row_of[ref] = row + 1
        self._row_of = row_of

    def refs(self) -> Words:
        """The references of its series that live."""
        return np.flatnonzero(self._row_of)

    def forget(self, refs: Words) -> None:
        """These series ended; their references may come again for others."""
        self._row_of[refs[refs < len(self._row_of)]] = 0

    def rest(self) -> None:
        """Let go of what finds the chunks, unless somebody read since the last call."""
        if not self._was_read:
            self._loaded = None
        self._was_read = False

    def read(self, refs: Words, bounds: tuple[int, int]) -> Part | None:
        """The samples between two times, both inclusive; None where there are none."""
        if self.newest_ms < bounds[0] or self.oldest_ms > bounds[1]:
            return None
        try:
            index, first = self._load()
        except DamagedBlock:  # it was whole when it was opened
            self.damaged += 1
            return None
        row_of = self._row_of
        room = k.count_block(refs, bounds, self._clock, index, first, row_of)
        if not room:
            return None
        spans, (t_ms, values) = np.empty((len(refs), 2), np.int64), np.empty((2, room), np.int64)
        block = (self._data, index, first, row_of)
        self.damaged += k.read_block(
            refs, bounds, self._clock, block, self._tables, spans, t_ms, values
        )
        return spans, t_ms, values

    def count(self, refs: Words, counts: Words) -> None:
        """Add to ``counts`` how many samples the series have here at most."""
        inside = refs < len(self._row_of)
        counts[inside] += self._longest * (self._row_of[refs[inside]] > 0)

    def last(self) -> tuple[Words, Words]:
        """Time and value of the newest sample of each series, in the order of the file."""
        t_ms, values = (
            np.full(self.series, self.oldest_ms, np.int64),
            np.zeros(self.series, np.int64),
        )
        k.read_last(self.oldest_ms, (self._data, *self._load()), self._tables, t_ms, values)
        return t_ms, values

    def _load(self) -> tuple[Halves, Halves]:
        self._was_read = True
        loaded = self._loaded
        if loaded is None:
            head = decode_head(self._data)
            loaded = self._loaded = (head.chunks, head.first)
        return loaded


def _longest(head: BlockHead) -> int:
    """The number of samples of the series that has most."""
    ends = np.concatenate((np.zeros(1, np.int64), np.cumsum(head.chunks[:, k.COUNT])))
    return int(np.diff(ends[head.first]).max(initial=0))
