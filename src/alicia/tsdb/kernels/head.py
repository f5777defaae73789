"""The series in memory: judging samples, applying them, and reading them again.

``state``: int64[series, STATE_COLUMNS], one row per series, see the columns below.
``open_t``, ``open_values``: int64[series, OPEN_MAX], the newest samples of each series, as they
came. Once a row is full it becomes a chunk of a ``Shelf``: ``bytes`` holds the chunks, ``rows``
(int64[chunks, ROW_COLUMNS]) says where, and ``chain`` (int32 per series) is the row of its newest
chunk plus one, from which PREVIOUS leads to the older ones.
``fill``: int64[2], how many chunks and bytes the shelf holds.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from alicia.series.samples import STALE_BITS
from alicia.tsdb.kernels.bits import Bytes, Words, signed
from alicia.tsdb.kernels.chunk import bytes_max, encode_chunk
from alicia.tsdb.kernels.compiled import kernel

Chain = NDArray[np.int32]
Codes = NDArray[np.uint8]

OPEN_MAX: Final = 16
NEVER_MS: Final = -(2**63)

LAST_T: Final = 0  # NEVER_MS for a series without samples
LAST_BITS: Final = 1
OPEN: Final = 2  # how many samples stand in the open row
EPOCH: Final = 3  # the batch that STAGED_T and STAGED_BITS belong to
STAGED_T: Final = 4
STAGED_BITS: Final = 5
SEGMENT: Final = 6  # the log segment that names the series
NUMBER: Final = 7  # place in the order of creation
STATE_COLUMNS: Final = 8

START: Final = 0
END: Final = 1
FIRST_T: Final = 2
NEWEST_T: Final = 3
COUNT: Final = 4
PREVIOUS: Final = 5
ROW_COLUMNS: Final = 6

CHUNKS: Final = 0
BYTES: Final = 1

# Codes of stage().
STORED: Final = 0
STORED_LATE: Final = 1  # out of order
REPLACED: Final = 2  # a value in place of the newest sample, a marker
LAST_STORED: Final = REPLACED
REPEAT: Final = 3
DUPLICATE: Final = 4
TOO_OLD: Final = 5
TOO_FAR_AHEAD: Final = 6
SKIPPED: Final = 7  # has no series
LATER: Final = 8  # before the newest sample: settle_late() looks whether the time is free


@kernel
def stage(
    refs: Words,
    t_ms: Words,
    values: Words,
    bounds: tuple[int, int],
    epoch: int,
    state: Words,
    codes: Codes,
) -> int:
    """Judge each sample as if its predecessors in the batch were stored; how many are LATER.

    ``bounds``: the oldest and the newest time that are taken, both inclusive. ``refs`` is -1
    for samples without a series. Changes only the staging columns, which mean nothing outside
    of this ``epoch``.
    """
    floor_ms, ceiling_ms = bounds
    later = 0
    for i in range(len(refs)):
        ref, t = refs[i], t_ms[i]
        if t < floor_ms or t > ceiling_ms:
            codes[i] = TOO_OLD if t < floor_ms else TOO_FAR_AHEAD
            continue
        if ref < 0:
            codes[i] = SKIPPED
            continue
        if state[ref, EPOCH] != epoch:
            state[ref, EPOCH] = epoch
            state[ref, STAGED_T] = state[ref, LAST_T]
            state[ref, STAGED_BITS] = state[ref, LAST_BITS]
        if t > state[ref, STAGED_T]:
            codes[i] = STORED
            state[ref, STAGED_T] = t
            state[ref, STAGED_BITS] = values[i]
        elif t < state[ref, STAGED_T]:
            codes[i] = LATER
            later += 1
        else:
            codes[i] = _meet(state[ref, STAGED_BITS], values[i], REPLACED)
            if codes[i] == REPLACED:
                state[ref, STAGED_BITS] = values[i]
    return later


@kernel
def _meet(held: int, value: int, taken: int) -> int:
    """What a value becomes that finds another one at its time."""
    if value == held:
        return REPEAT
    return taken if held == STALE_BITS else DUPLICATE


@kernel
def settle_late(keys: Words, order: Words, codes: Codes) -> None:
    """Give every LATER sample its code.

    ``keys``: int64[n, 4]: reference, time, value, and place in the batch (-1 for what the head
    holds), of all samples that could meet one that is LATER. ``order`` sorts them by reference
    and time, equal ones held first and then in order of the batch.
    """
    held = 0
    for i in range(len(order)):
        row = order[i]
        place, value = keys[row, 3], keys[row, 2]
        before = order[i - 1]
        met = i > 0 and keys[row, 0] == keys[before, 0] and keys[row, 1] == keys[before, 1]
        if place >= 0 and codes[place] == LATER:
            codes[place] = _meet(held, value, STORED_LATE) if met else STORED_LATE
            if codes[place] != STORED_LATE and met:
                continue
        held = value


@kernel
def apply(
    first: int,
    refs: Words,
    t_ms: Words,
    values: Words,
    codes: Codes,
    state: Words,
    open_t: Words,
    open_values: Words,
    shelf: tuple[Bytes, Words, Chain, Words],
    scratch: Words,
) -> int:
    """Store the samples coded STORED or REPLACED from place ``first`` on.

    Those that replace a marker in a chunk are coded STORED_LATE, for the caller.

    The place where it stopped because the shelf is full; the number of samples when all is done.
    """
    chunks, rows, _, fill = shelf
    for i in range(first, len(refs)):
        ref = refs[i]
        if codes[i] == REPLACED:
            state[ref, LAST_BITS] = values[i]
            if state[ref, OPEN] == 0:  # the marker is in a chunk, where nothing changes
                codes[i] = STORED_LATE
                continue
            open_values[ref, state[ref, OPEN] - 1] = values[i]
        if codes[i] != STORED:
            continue
        if state[ref, OPEN] == OPEN_MAX:
            full = fill[CHUNKS] == len(rows)
            if full or fill[BYTES] + bytes_max(OPEN_MAX) > len(chunks):
                return i
            seal(ref, state, open_t, open_values, shelf, scratch)
        place = state[ref, OPEN]
        open_t[ref, place] = t_ms[i]
        open_values[ref, place] = values[i]
        state[ref, OPEN] = place + 1
        state[ref, LAST_T] = t_ms[i]
        state[ref, LAST_BITS] = values[i]
    return len(refs)


@kernel
def seal_all(
    first: int,
    refs: Words,
    state: Words,
    open_t: Words,
    open_values: Words,
    shelf: tuple[Bytes, Words, Chain, Words],
    scratch: Words,
) -> int:
    """Turn the open rows of these series into chunks, from place ``first`` on.

    The place where it stopped because the shelf is full; the number of series when all is done.
    """
    chunks, rows, _, fill = shelf
    for i in range(first, len(refs)):
        if state[refs[i], OPEN] > 0:
            if fill[CHUNKS] == len(rows) or fill[BYTES] + bytes_max(OPEN_MAX) > len(chunks):
                return i
            seal(refs[i], state, open_t, open_values, shelf, scratch)
    return len(refs)


@kernel
def seal(
    ref: int,
    state: Words,
    open_t: Words,
    open_values: Words,
    shelf: tuple[Bytes, Words, Chain, Words],
    scratch: Words,
) -> None:
    """Turn the open row of a series into a chunk; the shelf has room, the row has samples."""
    chunks, rows, chain, fill = shelf
    count = state[ref, OPEN]
    row, place = fill[CHUNKS], fill[BYTES]
    end = encode_chunk(open_t[ref, :count], open_values[ref, :count], 0, chunks, place, scratch)
    rows[row, START] = place
    rows[row, END] = end
    rows[row, FIRST_T] = open_t[ref, 0]
    rows[row, NEWEST_T] = open_t[ref, count - 1]
    rows[row, COUNT] = count
    rows[row, PREVIOUS] = signed(chain[ref]) - 1
    chain[ref] = row + 1
    fill[CHUNKS] = row + 1
    fill[BYTES] = end
    state[ref, OPEN] = 0
