"""Raw samples to the values that a selector has at each instant."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from alicia.promql.plan import LOOKBACK_MS
from alicia.promql.ports import Check
from alicia.promql.values import Matrix, empty_matrix
from alicia.series.columns import Columns
from alicia.series.samples import STALE_BITS

_ROWS_PER_CHECK: Final = 500


def at_instants(columns: Columns, t_ms: NDArray[np.int64], *, check: Check) -> Matrix:
    """The newest sample with T - 5 min < t <= T per series and instant T.

    A staleness marker is nothing, and the search does not go on behind it.

    Source: metrics.md §3.
    """
    if not len(columns.t_ms):
        return empty_matrix(t_ms)
    # Per series and instant the place of the newest sample in the flat columns.
    places = _at_one(columns, t_ms) if len(t_ms) == 1 else _at_each(columns, t_ms, check)
    found = places >= columns.offsets[:-1, np.newaxis]
    at = np.where(found, places, 0)
    sample_ms, values = columns.t_ms[at], columns.values[at]
    alive = np.ascontiguousarray(columns.values).view(np.int64)[at] != STALE_BITS
    present = found & (sample_ms > t_ms - LOOKBACK_MS) & alive
    return Matrix(t_ms, columns.labels, values, present, sample_ms)


def _at_one(columns: Columns, t_ms: NDArray[np.int64]) -> NDArray[np.int64]:
    """All series at once: how many samples of each are not later, told by a running total."""
    total = np.concatenate([np.zeros(1, np.int64), np.cumsum(columns.t_ms <= t_ms[0])])
    starts, ends = columns.offsets[:-1], columns.offsets[1:]
    newest: NDArray[np.int64] = starts + total[ends] - total[starts] - 1
    return newest[:, np.newaxis]


def _at_each(columns: Columns, t_ms: NDArray[np.int64], check: Check) -> NDArray[np.int64]:
    places = np.empty((len(columns.labels), len(t_ms)), np.int64)
    for row, (_, times, _) in enumerate(columns):
        if row % _ROWS_PER_CHECK == 0:
            check()
        places[row] = np.searchsorted(times, t_ms, side="right")
    places += columns.offsets[:-1, np.newaxis] - 1
    return places
