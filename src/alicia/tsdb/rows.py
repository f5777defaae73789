"""Samples as arrays, the form in which the store judges, logs and keeps them."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from alicia.tsdb.kernels.bits import Words

Mask = NDArray[np.bool_]


class Rows(NamedTuple):
    """Samples as arrays of one length; a value is the 64 bits of its float."""

    refs: Words
    t_ms: Words
    values: Words

    def where(self, wanted: Mask) -> "Rows":
        """A copy of some of them."""
        return Rows(self.refs[wanted], self.t_ms[wanted], self.values[wanted])


Part = tuple[Words, Words, Words]  # spans, times, values; see ``kernels.reading``


class Runs(NamedTuple):
    """Samples by series: those of the i-th stand from ``offsets[i]`` to ``offsets[i + 1]``."""

    offsets: Words
    t_ms: Words
    values: Words

    def of(self, wanted: Mask) -> "Runs":
        """Those of some series; the others have none."""
        counts = np.diff(self.offsets)
        kept = np.repeat(wanted, counts)
        offsets = np.concatenate((np.zeros(1, np.int64), np.cumsum(np.where(wanted, counts, 0))))
        return Runs(offsets, self.t_ms[kept], self.values[kept])
