"""Samples that came out of order, until they are written into chunks in their place."""

from typing import Final

import numpy as np

from alicia.tsdb.catalog import doubled
from alicia.tsdb.kernels import reading
from alicia.tsdb.kernels.bits import Words
from alicia.tsdb.rows import Mask, Part

_ROOM_MIN: Final = 64
REF: Final = 0
T_MS: Final = 1
VALUE: Final = 2


class Late:
    """Rows of reference, time and value; sorted when somebody reads."""

    def __init__(self) -> None:
        self._rows: Words = np.zeros((_ROOM_MIN, 3), np.int64)
        self._count = 0
        self._sorted: Words | None = None

    def __len__(self) -> int:
        return self._count

    def add(self, refs: Words, t_ms: Words, values: Words) -> None:
        """Take samples; of two at one time readers keep the first that is no marker."""
        while self._count + len(refs) > len(self._rows):
            self._rows = doubled(self._rows)
        self._rows[self._count : self._count + len(refs)] = np.stack((refs, t_ms, values), axis=1)
        self._count += len(refs)
        self._sorted = None

    def columns(self) -> tuple[Words, Words, Words]:
        """References, times and values, by reference and time, at one time as they came."""
        if self._sorted is None:
            rows = self._rows[: self._count]
            rows = rows[np.lexsort((rows[:, T_MS], rows[:, REF]))]
            self._sorted = np.ascontiguousarray(rows.T)
        refs, t_ms, values = self._sorted
        return refs, t_ms, values

    @property
    def oldest_ms(self) -> int:
        """Time of the oldest sample; there must be one."""
        return int(self.columns()[1].min())

    @property
    def newest_ms(self) -> int:
        """Time of the newest sample; there must be one."""
        return int(self.columns()[1].max())

    @property
    def samples(self) -> int:
        """How many there are."""
        return self._count

    def read(self, refs: Words, bounds: tuple[int, int]) -> Part | None:
        """The samples between two times, both inclusive; None where there are none at all."""
        if not self._count:
            return None
        _, t_ms, values = self.columns()
        spans = self._spans(refs)
        reading.narrow_spans(spans, t_ms, bounds)
        return spans, t_ms, values

    def count(self, refs: Words, counts: Words) -> None:
        """Add to ``counts`` how many samples the series have here."""
        if self._count:
            spans = self._spans(refs)
            counts += spans[:, 1] - spans[:, 0]

    def forget(self, refs: Words) -> None:
        """These series ended; their references may come again for others."""
        if self._count:
            self.keep(~np.isin(self.columns()[0], refs))

    def _spans(self, refs: Words) -> Words:
        spans: Words = np.empty((len(refs), 2), np.int64)
        reading.find_spans(refs, self.columns()[0], spans)
        return spans

    def keep(self, wanted: Mask) -> None:
        """Drop the rows of columns() that are not wanted."""
        rows = np.stack(self.columns(), axis=1)[wanted]
        self._rows[: len(rows)] = rows
        self._count, self._sorted = len(rows), None
