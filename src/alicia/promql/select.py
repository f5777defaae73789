"""Raw samples to the values that a selector has at each instant."""

import numpy as np
from numpy.typing import NDArray

from alicia.promql.plan import LOOKBACK_MS
from alicia.promql.values import Matrix, empty_matrix
from alicia.series.columns import Columns
from alicia.series.samples import STALE_BITS


def at_instants(columns: Columns, t_ms: NDArray[np.int64]) -> Matrix:
    """The newest sample with T - 5 min < t <= T per series and instant T.

    A staleness marker is nothing, and the search does not go on behind it.

    Source: metrics.md §3.
    """
    if not columns.labels:
        return empty_matrix(t_ms)
    shape = (len(columns.labels), len(t_ms))
    values, sample_ms = np.zeros(shape), np.zeros(shape, np.int64)
    present = np.zeros(shape, np.bool_)
    for row, (_, times, raw) in enumerate(columns):
        newest = np.searchsorted(times, t_ms, side="right") - 1
        found = newest >= 0
        at = newest[found]
        fresh = times[at] > t_ms[found] - LOOKBACK_MS
        alive = np.ascontiguousarray(raw).view(np.int64)[at] != STALE_BITS
        present[row, found] = fresh & alive
        values[row, found] = raw[at]
        sample_ms[row, found] = times[at]
    return Matrix(t_ms, columns.labels, values, present, sample_ms)
