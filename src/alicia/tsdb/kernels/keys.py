"""A hash table from label bytes to series: one look-up for a series that was seen before.

``slots``: int32, a power of two, each a key's row plus one, 0 for none; never full.
``keys``: int64[rows, 4], see the columns below. ``arena``: the bytes of all keys.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from alicia.tsdb.kernels.bits import Bytes, Words, shift_right, signed
from alicia.tsdb.kernels.compiled import checked_kernel, kernel

Slots = NDArray[np.int32]

HASH: Final = 0
PLACE: Final = 1
LENGTH: Final = 2
REF: Final = 3  # of the series; GONE once it ended
COLUMNS: Final = 4
GONE: Final = -1

_WORD_BYTES_LOG: Final = 3
_MULTIPLIER: Final = -7046029254386353131  # an odd number whose bits look random
_SECOND: Final = -4417276706812531889


@kernel
def hash_bytes(data: Bytes, place: int, end: int, seed: int) -> int:
    """64 bits that depend on every byte; a secret seed keeps peers from choosing collisions."""
    mixed = signed(seed) ^ ((end - place) * _SECOND)
    words = _words(data, place, end)
    for i in range(len(words)):
        mixed = (mixed ^ words[i]) * _MULTIPLIER
        mixed ^= shift_right(mixed, 29)
    place += len(words) << _WORD_BYTES_LOG
    rest = 0
    while place < end:
        rest = (rest << 8) | signed(data[place])
        place += 1
    mixed = (mixed ^ rest) * _MULTIPLIER
    mixed ^= shift_right(mixed, 32)
    mixed *= _SECOND
    return mixed ^ shift_right(mixed, 29)


@kernel
def _words(data: Bytes, place: int, end: int) -> Words:
    """The whole words from a place on, as this machine reads them."""
    count = (end - place) >> _WORD_BYTES_LOG
    return data[place : place + (count << _WORD_BYTES_LOG)].view(np.int64)


@kernel
def _equal(data: Bytes, place: int, end: int, arena: Bytes, start: int) -> bool:
    """Whether ``data[place:end]`` stands in the arena from ``start`` on."""
    ours, theirs = _words(data, place, end), _words(arena, start, start + end - place)
    for i in range(len(ours)):
        if ours[i] != theirs[i]:
            return False
    for i in range(len(ours) << _WORD_BYTES_LOG, end - place):
        if arena[start + i] != data[place + i]:
            return False
    return True


@kernel
def find_key(
    data: Bytes, place: int, end: int, hashed: int, slots: Slots, keys: Words, arena: Bytes
) -> int:
    """The row of the key that equals ``data[place:end]``; -1 where there is none."""
    mask = len(slots) - 1
    slot = hashed & mask
    while slots[slot] != 0:
        row = signed(slots[slot]) - 1
        if keys[row, HASH] == hashed and keys[row, LENGTH] == end - place:
            lives = keys[row, REF] != GONE
            if lives and _equal(data, place, end, arena, keys[row, PLACE]):
                return row
        slot = (slot + 1) & mask
    return -1


@kernel
def pack_keys(keys: Words, count: int, arena: Bytes, moved: Words) -> tuple[int, int]:
    """Move the living of ``count`` keys and their bytes to the front, in place.

    Fills ``moved`` (int64[count]) with the new row of each key, -1 for those that are gone. How
    many keys, and how many bytes, there are now.
    """
    row, place = 0, 0
    for old in range(count):
        moved[old] = -1
        if keys[old, REF] == GONE:
            continue
        start = keys[old, PLACE]
        for i in range(keys[old, LENGTH]):
            arena[place + i] = arena[start + i]
        keys[row] = keys[old]
        keys[row, PLACE] = place
        place += keys[old, LENGTH]
        moved[old] = row
        row += 1
    return row, place


@kernel
def fill_slots(slots: Slots, keys: Words, first: int, count: int) -> None:
    """Enter the keys from row ``first`` to ``count`` (exclusive)."""
    mask = len(slots) - 1
    for row in range(first, count):
        slot = keys[row, HASH] & mask
        while slots[slot] != 0:
            slot = (slot + 1) & mask
        slots[slot] = row + 1


@checked_kernel
def find_all(
    data: Bytes, spans: Words, seed: int, slots: Slots, keys: Words, arena: Bytes, refs: Words
) -> int:
    """Look up ``data[spans[i, 0]:spans[i, 1]]`` for all i; how many are unknown.

    Fills ``refs`` with the series, GONE where there is none. Senders keep their order, so that
    the key behind the one found last is tried before anything is hashed.
    """
    unknown, row = 0, -1
    for i in range(len(spans)):
        place, end = spans[i, 0], spans[i, 1]
        row += 1
        if not _is_key(data, place, end, row, keys, arena):
            hashed = hash_bytes(data, place, end, seed)
            row = find_key(data, place, end, hashed, slots, keys, arena)
        refs[i] = keys[row, REF] if row >= 0 else GONE
        if refs[i] == GONE:
            unknown += 1
    return unknown


@kernel
def _is_key(data: Bytes, place: int, end: int, row: int, keys: Words, arena: Bytes) -> bool:
    """Whether a row, which may be none, is the living key ``data[place:end]``."""
    if row >= len(keys) or keys[row, LENGTH] != end - place or keys[row, REF] == GONE:
        return False
    # A row that was never filled has length 0, as has a series without labels: nobody's key.
    return place < end and _equal(data, place, end, arena, keys[row, PLACE])
