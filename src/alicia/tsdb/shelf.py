"""Chunks in memory: one stretch of time of all series, filled once and dropped as a whole."""

from typing import Final

import numpy as np

from alicia.tsdb.catalog import doubled
from alicia.tsdb.kernels import head as k
from alicia.tsdb.kernels import reading
from alicia.tsdb.kernels.bits import Bytes, Words
from alicia.tsdb.kernels.chunk import bytes_max
from alicia.tsdb.kernels.head import Chain
from alicia.tsdb.rows import Part

BYTES_MIN: Final = 1 << 18
BYTES_MAX: Final = 1 << 26
_CHUNK_BYTES: Final = 48  # what a chunk is taken to need, to size the table of chunks


class Shelf:
    """An append-only room of ``size_bytes`` for chunks; pages that are not used cost nothing."""

    def __init__(self, references: int, size_bytes: int) -> None:
        assert size_bytes >= bytes_max(k.OPEN_MAX), "a shelf holds a chunk"
        self.chunks: Bytes = np.zeros(size_bytes, np.uint8)
        self.rows: Words = np.zeros((size_bytes // _CHUNK_BYTES + 1, k.ROW_COLUMNS), np.int64)
        self.chain: Chain = np.zeros(max(references, 1), np.int32)
        self.fill: Words = np.zeros(2, np.int64)

    def __len__(self) -> int:
        return int(self.fill[k.CHUNKS])

    @property
    def used_bytes(self) -> int:
        """Memory that holds something."""
        return int(self.fill[k.BYTES]) + len(self) * self.rows.itemsize * k.ROW_COLUMNS

    @property
    def samples(self) -> int:
        """How many samples the chunks hold."""
        return int(self.rows[: len(self), k.COUNT].sum())

    @property
    def oldest_ms(self) -> int:
        """Time of the oldest sample; the shelf must not be empty."""
        return int(self.rows[: len(self), k.FIRST_T].min())

    @property
    def newest_ms(self) -> int:
        """Time of the newest sample; the shelf must not be empty."""
        return int(self.rows[: len(self), k.NEWEST_T].max())

    def reach(self, references: int) -> None:
        """Make room for so many series."""
        while len(self.chain) < references:
            self.chain = doubled(self.chain)

    def read(self, refs: Words, bounds: tuple[int, int]) -> Part | None:
        """The samples between two times, both inclusive; None where there are none."""
        room = reading.count_shelf(refs, bounds, self.rows, self.chain)
        if not room:
            return None
        spans, (t_ms, values) = np.empty((len(refs), 2), np.int64), np.empty((2, room), np.int64)
        chunks = (self.chunks, self.rows, self.chain)
        outcome = reading.read_shelf(refs, bounds, chunks, spans, t_ms, values)
        assert outcome != reading.CORRUPT, "chunks in memory are whole"
        return spans, t_ms, values

    def count(self, refs: Words, counts: Words) -> None:
        """Add to ``counts`` how many samples the series have here."""
        reading.count_chunks(refs, self.rows, self.chain, counts)

    def forget(self, refs: Words) -> None:
        """These series ended; their references may come again for others."""
        self.chain[refs[refs < len(self.chain)]] = 0
