"""Numbers in byte arrays: bits, most significant first, varints, and 64-bit words.

Numbers are int64, taken as 64 bits where they stand for a float. Bit positions count from the
start of the array. What reads never looks behind the array: there it finds zeros, and the
caller sees by the position that something is missing.
"""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from alicia.tsdb.kernels.compiled import kernel

Bytes = NDArray[np.uint8]
Words = NDArray[np.int64]

WORD_BITS: Final = 64
VARINT_BYTES_MAX: Final = 10
_LAST_BITS: Final = 7


@kernel
def signed(value: "int | np.integer[Any] | np.floating[Any]") -> int:
    """The same number as int64, which mixes with others without turning into a float."""
    return np.int64(value)  # type: ignore[return-value]


@kernel
def shift_right(value: int, count: int) -> int:
    """Shift in zeros from above; ``count`` from 0 to 63."""
    if count == 0:
        return value
    return (value >> count) & ((1 << (WORD_BITS - count)) - 1)


@kernel
def zigzag(value: int) -> int:
    """Fold the sign into the lowest bit, so that small numbers of either sign are short."""
    return (value << 1) ^ (value >> 63)


@kernel
def unzigzag(value: int) -> int:
    """The inverse of zigzag()."""
    return shift_right(value, 1) ^ -(value & 1)


@kernel
def bit_length(value: int) -> int:
    """How many bits the number needs without leading zeros: 0 for 0, 64 for a negative one."""
    if value < 0:
        return WORD_BITS
    length = 0
    for step in (32, 16, 8, 4, 2, 1):
        if value >> step:
            value >>= step
            length += step
    return length + (1 if value else 0)


@kernel
def put_bits(out: Bytes, at: int, value: int, width: int) -> int:
    """Write the lowest ``width`` bits (0 to 64); the position behind them.

    The bytes from the current one on must be zero, up to where it writes.
    """
    while width > 0:
        room = 8 - (at & 7)
        taken = min(room, width)
        piece = shift_right(value, width - taken) & ((1 << taken) - 1)
        out[at >> 3] |= np.uint8(piece << (room - taken))
        at += taken
        width -= taken
    return at


@kernel
def get_bits(data: Bytes, at: int, width: int) -> int:
    """The ``width`` bits (0 to 64) at a position; what lies behind the array counts as zero."""
    value = 0
    place = at >> 3
    skipped = at & 7
    if skipped + width <= WORD_BITS and place + 8 <= len(data):
        if width == 0:
            return 0
        return shift_right(get_word(data, place) << skipped, WORD_BITS - width)
    while width > 0:
        room = 8 - (at & 7)
        taken = min(room, width)
        piece = signed(data[at >> 3]) if at >> 3 < len(data) else 0
        value = (value << taken) | ((piece >> (room - taken)) & ((1 << taken) - 1))
        at += taken
        width -= taken
    return value


@kernel
def get_word(data: Bytes, place: int) -> int:
    """The eight bytes at a place, most significant first; they must be there."""
    value = 0
    for i in range(8):
        value = (value << 8) | signed(data[place + i])
    return value


@kernel
def put_word(out: Bytes, place: int, value: int) -> int:
    """Write eight bytes, most significant first; the place behind them."""
    for i in range(8):
        out[place + i] = np.uint8(shift_right(value, 56 - 8 * i) & 0xFF)
    return place + 8


@kernel
def little_half(data: Bytes, place: int) -> int:
    """Four bytes, least significant first, as a number without sign; they must be there."""
    value = 0
    for i in range(4):
        value |= signed(data[place + i]) << (8 * i)
    return value


@kernel
def little_word(data: Bytes, place: int) -> int:
    """Eight bytes, least significant first; they must be there."""
    return little_half(data, place) | (little_half(data, place + 4) << 32)


@kernel
def put_varint(out: Bytes, place: int, value: int) -> int:
    """Write a number of 64 bits, seven to a byte, least significant first; the place behind."""
    while value < 0 or value > 0x7F:
        out[place] = np.uint8((value & 0x7F) | 0x80)
        value = shift_right(value, _LAST_BITS)
        place += 1
    out[place] = np.uint8(value)
    return place + 1


@kernel
def varint_bytes(value: int) -> int:
    """How many bytes put_varint() writes."""
    return max((bit_length(value) + _LAST_BITS - 1) // _LAST_BITS, 1)


@kernel
def get_varint(data: Bytes, place: int, end: int) -> tuple[int, int]:
    """A varint and the place behind it; place -1 where ``end`` comes first or it is too long."""
    value = 0
    shift = 0
    while place < end and shift < WORD_BITS:
        byte = signed(data[place])
        value |= (byte & 0x7F) << shift
        place += 1
        if byte < 0x80:
            return value, place
        shift += _LAST_BITS
    return 0, -1
