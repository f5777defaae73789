"""Reading the series in memory: parts per source, woven into one run per series.

A part holds the samples of n series from one source: ``spans`` (int64[n, 2]) says from where to
where in its arrays those of series i stand, ascending in time.
"""

from typing import Final

import numpy as np

from alicia.series.samples import STALE_BITS
from alicia.tsdb.kernels.bits import Bytes, Words, signed
from alicia.tsdb.kernels.chunk import decode_chunk
from alicia.tsdb.kernels.compiled import kernel
from alicia.tsdb.kernels.head import (
    COUNT,
    END,
    FIRST_T,
    NEWEST_T,
    OPEN,
    OPEN_MAX,
    PREVIOUS,
    START,
    Chain,
)

CORRUPT: Final = -1


@kernel
def count_shelf(refs: Words, bounds: tuple[int, int], rows: Words, chain: Chain) -> int:
    """At least as many samples as read_shelf() will find."""
    total = 0
    for i in range(len(refs)):
        row = _newest_row(chain, refs[i])
        while row >= 0:
            if rows[row, FIRST_T] <= bounds[1] and rows[row, NEWEST_T] >= bounds[0]:
                total += rows[row, COUNT]
            row = rows[row, PREVIOUS]
    return total


@kernel
def count_chunks(refs: Words, rows: Words, chain: Chain, counts: Words) -> None:
    """Add to ``counts`` (int64[n]) how many samples each series has here."""
    for i in range(len(refs)):
        row = _newest_row(chain, refs[i])
        while row >= 0:
            counts[i] += rows[row, COUNT]
            row = rows[row, PREVIOUS]


@kernel
def _newest_row(chain: Chain, ref: int) -> int:
    """The newest chunk of a series, -1 where it has none; series may be younger than the chain."""
    return signed(chain[ref]) - 1 if ref < len(chain) else -1


@kernel
def read_shelf(
    refs: Words,
    bounds: tuple[int, int],
    shelf: tuple[Bytes, Words, Chain],
    spans: Words,
    t_ms: Words,
    values: Words,
) -> int:
    """The samples from ``bounds[0]`` to ``bounds[1]``, both inclusive.

    ``t_ms`` and ``values`` have room for count_shelf(). CORRUPT where a chunk cannot be read.
    """
    chunks, rows, chain = shelf
    found_t, found_values = np.empty(OPEN_MAX, np.int64), np.empty(OPEN_MAX, np.int64)
    back = len(t_ms)
    for i in range(len(refs) - 1, -1, -1):
        spans[i, 1] = back
        row = _newest_row(chain, refs[i])
        while row >= 0:
            if rows[row, FIRST_T] <= bounds[1] and rows[row, NEWEST_T] >= bounds[0]:
                place, end = rows[row, START], rows[row, END]
                count = decode_chunk(chunks, place, end, 0, found_t, found_values)
                if count < 0:
                    return CORRUPT
                for j in range(count - 1, -1, -1):
                    if bounds[0] <= found_t[j] <= bounds[1]:
                        back -= 1
                        t_ms[back] = found_t[j]
                        values[back] = found_values[j]
            row = rows[row, PREVIOUS]
        spans[i, 0] = back
    return 0


@kernel
def read_open(
    refs: Words,
    bounds: tuple[int, int],
    state: Words,
    open_t: Words,
    open_values: Words,
    spans: Words,
    t_ms: Words,
    values: Words,
) -> None:
    """The newest samples, as read_shelf(); the arrays have room for OPEN_MAX per series."""
    at = 0
    for i in range(len(refs)):
        ref = refs[i]
        spans[i, 0] = at
        for j in range(state[ref, OPEN]):
            if bounds[0] <= open_t[ref, j] <= bounds[1]:
                t_ms[at] = open_t[ref, j]
                values[at] = open_values[ref, j]
                at += 1
        spans[i, 1] = at


@kernel
def find_spans(refs: Words, sorted_refs: Words, spans: Words) -> None:
    """Where each series stands in arrays that are sorted by series."""
    for i in range(len(refs)):
        spans[i, 0] = np.searchsorted(sorted_refs, refs[i], side="left")
        spans[i, 1] = np.searchsorted(sorted_refs, refs[i], side="right")


@kernel
def append_part(
    spans: Words, t_ms: Words, values: Words, cursors: Words, out_t: Words, out_values: Words
) -> None:
    """Copy a part behind what each series has already; ``cursors`` (int64[n]) move on."""
    for i in range(len(spans)):
        at = cursors[i]
        for j in range(spans[i, 0], spans[i, 1]):
            out_t[at] = t_ms[j]
            out_values[at] = values[j]
            at += 1
        cursors[i] = at


@kernel
def narrow_spans(spans: Words, t_ms: Words, bounds: tuple[int, int]) -> None:
    """Leave of each span what lies between two times, both inclusive."""
    for i in range(len(spans)):
        low, high = spans[i, 0], spans[i, 1]
        spans[i, 0] = low + np.searchsorted(t_ms[low:high], bounds[0], side="left")
        spans[i, 1] = low + np.searchsorted(t_ms[low:high], bounds[1], side="right")


@kernel
def tidy(offsets: Words, t_ms: Words, values: Words) -> int:
    """Sort each series by time and keep one sample per time; the number of samples left.

    Of two samples at one time the one that is no marker stays, else the first. Works in place,
    ``offsets`` (int64[n + 1]) included.
    """
    at = 0
    low = offsets[0]
    for i in range(len(offsets) - 1):
        high = offsets[i + 1]
        _sort(t_ms[low:high], values[low:high])
        kept = _unique(t_ms[low:high], values[low:high])
        offsets[i] = at
        at = _moved(t_ms, values, low, low + kept, at)
        low = high
    offsets[len(offsets) - 1] = at
    return at


@kernel
def cut(offsets: Words, t_ms: Words, values: Words, end_ms: int, samples_max: int) -> int:
    """Keep of each series the newest ``samples_max``, and of those what is not after ``end_ms``.

    Works in place, as tidy().
    """
    at = 0
    low = offsets[0]
    for i in range(len(offsets) - 1):
        high = offsets[i + 1]
        first = max(low, high - samples_max)
        last = low + np.searchsorted(t_ms[low:high], end_ms, side="right")
        offsets[i] = at
        at = _moved(t_ms, values, first, max(first, last), at)
        low = high
    offsets[len(offsets) - 1] = at
    return at


@kernel
def _moved(t_ms: Words, values: Words, low: int, high: int, at: int) -> int:
    """Move samples down to place ``at``; the place behind them."""
    if low == at:
        return high
    for j in range(low, high):
        t_ms[at] = t_ms[j]
        values[at] = values[j]
        at += 1
    return at


@kernel
def _sort(t_ms: Words, values: Words) -> None:
    for i in range(1, len(t_ms)):
        if t_ms[i] < t_ms[i - 1]:
            order = np.argsort(t_ms, kind="mergesort")
            t_ms[:] = t_ms[order]
            values[:] = values[order]
            return


@kernel
def _unique(t_ms: Words, values: Words) -> int:
    kept = 0
    for i in range(len(t_ms)):
        if kept and t_ms[kept - 1] == t_ms[i]:
            if values[kept - 1] == STALE_BITS:
                values[kept - 1] = values[i]
            continue
        t_ms[kept] = t_ms[i]
        values[kept] = values[i]
        kept += 1
    return kept
