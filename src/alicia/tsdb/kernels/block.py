"""Chunks of a block: written from runs of samples, read again from the bytes of a file.

A chunk is two stretches of the file: its values, behind four bytes of checksum; and timestamps,
behind checksum and two bytes of length, which other chunks with the same ones share. ``index``
(int32[chunks, INDEX_COLUMNS], see the columns below) says where they are, ``first`` (int32[series
+ 1]) which rows of it are of which series. Times of the index count from the oldest sample of the
block, ``base_ms``, in units of ``unit_ms``, the first rounded down and the newest up; those of
the chunks are exact. All numbers are little endian.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from alicia.tsdb.kernels.bits import Bytes, Words, little_half, signed
from alicia.tsdb.kernels.chunk import get_times, get_values, put_times, put_values
from alicia.tsdb.kernels.compiled import checked_kernel, kernel
from alicia.tsdb.kernels.log import Table, checksum

Halves = NDArray[np.int32]

CHUNK_SAMPLES: Final = 240
CHECKSUM_BYTES: Final = 4
LENGTH_BYTES: Final = 2
KNOWN_TIMES: Final = 1024

START: Final = 0  # of the checksum before the values
LENGTH: Final = 1  # of the values, without the checksum
TIMES: Final = 2  # of the checksum before the timestamps
FIRST: Final = 3
NEWEST: Final = 4
COUNT: Final = 5
INDEX_COLUMNS: Final = 6


@kernel
def encode_runs(
    runs: tuple[Words, Words, Words],
    clock: tuple[int, int],
    at: int,
    out: Bytes,
    index: Halves,
    first: Halves,
    scratch: Words,
    tables: Table,
) -> int:
    """Write the chunks of a number of series; how many bytes of ``out`` they fill.

    ``runs``: offsets, times and values, as ``rows.Runs``. ``clock``: base and unit. ``at`` is
    where in the file ``out`` will stand. ``out`` is zero, ``index`` has a row for each chunk to
    come, ``first`` one for each series and one more; here both count from 0.
    """
    offsets, t_ms, values = runs
    base_ms, unit_ms = clock
    known = np.zeros((KNOWN_TIMES, 3), np.int64)
    place, row = 0, 0
    for i in range(len(offsets) - 1):
        first[i] = row
        low = offsets[i]
        while low < offsets[i + 1]:
            high = min(low + CHUNK_SAMPLES, offsets[i + 1])
            times, place = _put_times(
                t_ms, low, high, base_ms, at, out, place, known, scratch, tables
            )
            end = put_values(values[low:high], out, place + CHECKSUM_BYTES, scratch)
            _put_checksum(out, place, place + CHECKSUM_BYTES, end, tables)
            index[row, START] = at + place
            index[row, LENGTH] = end - place - CHECKSUM_BYTES
            index[row, TIMES] = times
            index[row, FIRST] = (t_ms[low] - base_ms) // unit_ms
            index[row, NEWEST] = -((base_ms - t_ms[high - 1]) // unit_ms)
            index[row, COUNT] = high - low
            place, row, low = end, row + 1, high
    first[len(offsets) - 1] = row
    return place


@kernel
def _put_times(
    t_ms: Words,
    low: int,
    high: int,
    base_ms: int,
    at: int,
    out: Bytes,
    place: int,
    known: Words,
    scratch: Words,
    tables: Table,
) -> tuple[int, int]:
    """Write timestamps, unless they are ``known``; where in the file they are, and the next place.

    Series that are read or sent together have the same ones, often all of a machine.
    """
    mixed = (t_ms[low] * 31 + t_ms[high - 1]) * 31 + high - low
    slot = (mixed ^ (mixed >> 17)) & (KNOWN_TIMES - 1)
    start, stop = known[slot, 0], known[slot, 1]
    if stop - start == high - low:
        i = 0
        while i < high - low and t_ms[start + i] == t_ms[low + i]:
            i += 1
        if i == high - low:
            return known[slot, 2], place
    begin = place + CHECKSUM_BYTES + LENGTH_BYTES
    end = put_times(t_ms[low:high], base_ms, out, begin, scratch)
    for j in range(LENGTH_BYTES):
        out[place + CHECKSUM_BYTES + j] = np.uint8(((end - begin) >> (8 * j)) & 0xFF)
    _put_checksum(out, place, place + CHECKSUM_BYTES, end, tables)
    known[slot, 0], known[slot, 1], known[slot, 2] = low, high, at + place
    return at + place, end


@kernel
def _put_checksum(out: Bytes, place: int, start: int, end: int, tables: Table) -> None:
    crc = checksum(out, start, end, tables)
    for j in range(CHECKSUM_BYTES):
        out[place + j] = np.uint8((crc >> (8 * j)) & 0xFF)


@checked_kernel
def count_block(
    refs: Words,
    bounds: tuple[int, int],
    clock: tuple[int, int],
    index: Halves,
    first: Halves,
    row_of: Halves,
) -> int:
    """At least as many samples as read_block() will find."""
    total = 0
    for i in range(len(refs)):
        series = row_of_series(row_of, refs[i])
        if series >= 0:
            for row in range(first[series], first[series + 1]):
                if _overlaps(index[row], clock, bounds):
                    total += signed(index[row, COUNT])
    return total


@kernel
def row_of_series(row_of: Halves, ref: int) -> int:
    """The place of a series in the block, -1 where it is not there; it may be younger."""
    return signed(row_of[ref]) - 1 if ref < len(row_of) else -1


@kernel
def _overlaps(row: Halves, clock: tuple[int, int], bounds: tuple[int, int]) -> bool:
    first_ms = clock[0] + clock[1] * signed(row[FIRST])
    newest_ms = clock[0] + clock[1] * signed(row[NEWEST])
    return first_ms <= bounds[1] and newest_ms >= bounds[0]


@checked_kernel
def read_block(
    refs: Words,
    bounds: tuple[int, int],
    clock: tuple[int, int],
    block: tuple[Bytes, Halves, Halves, Halves],
    tables: Table,
    spans: Words,
    t_ms: Words,
    values: Words,
) -> int:
    """The samples from ``bounds[0]`` to ``bounds[1]``, both inclusive; how many chunks are damaged.

    ``block``: its bytes, ``index``, ``first``, and per reference the place in ``first`` plus one.
    ``t_ms`` and ``values`` have room for count_block(). Damaged chunks are left out.
    """
    data, index, first, row_of = block
    found_t, found_values = np.empty(CHUNK_SAMPLES, np.int64), np.empty(CHUNK_SAMPLES, np.int64)
    at, damaged, times, count = 0, 0, -1, 0
    for i in range(len(refs)):
        spans[i, 0] = at
        series = row_of_series(row_of, refs[i])
        if series >= 0:
            for row in range(first[series], first[series + 1]):
                if not _overlaps(index[row], clock, bounds):
                    continue
                if signed(index[row, TIMES]) != times:
                    times = signed(index[row, TIMES])
                    count = open_times(data, times, clock[0], tables, found_t)
                if not open_values(data, index[row], count, tables, found_values):
                    damaged += 1
                    continue
                for j in range(count):
                    if bounds[0] <= found_t[j] <= bounds[1]:
                        t_ms[at] = found_t[j]
                        values[at] = found_values[j]
                        at += 1
        spans[i, 1] = at
    return damaged


@checked_kernel
def open_times(data: Bytes, place: int, base_ms: int, tables: Table, t_ms: Words) -> int:
    """Read the timestamps at a place; how many there are, -1 where they are damaged."""
    start = place + CHECKSUM_BYTES
    begin = start + LENGTH_BYTES
    if place < 0 or begin > len(data):
        return -1
    end = begin + signed(data[start]) + (signed(data[start + 1]) << 8)
    if end > len(data) or checksum(data, start, end, tables) != little_half(data, place):
        return -1
    return get_times(data, begin, end, base_ms, t_ms)[0]


@checked_kernel
def open_values(data: Bytes, row: Halves, count: int, tables: Table, values: Words) -> bool:
    """Read the values of an index row, which has ``count`` timestamps; False where damaged."""
    start = signed(row[START]) + CHECKSUM_BYTES
    end = start + signed(row[LENGTH])
    if count != signed(row[COUNT]) or start < CHECKSUM_BYTES or end < start or end > len(data):
        return False
    if checksum(data, start, end, tables) != little_half(data, start - CHECKSUM_BYTES):
        return False
    return get_values(data, start, end, values[:count]) >= 0


@checked_kernel
def read_last(
    base_ms: int,
    block: tuple[Bytes, Halves, Halves],
    tables: Table,
    t_ms: Words,
    values: Words,
) -> None:
    """Fill in time and value of the newest sample of each series; both stay where it is damaged."""
    data, index, first = block
    found_t, found_values = np.empty(CHUNK_SAMPLES, np.int64), np.empty(CHUNK_SAMPLES, np.int64)
    for series in range(len(first) - 1):
        if first[series + 1] > first[series]:
            row = index[first[series + 1] - 1]
            count = open_times(data, signed(row[TIMES]), base_ms, tables, found_t)
            if open_values(data, row, count, tables, found_values):
                t_ms[series] = found_t[count - 1]
                values[series] = found_values[count - 1]
