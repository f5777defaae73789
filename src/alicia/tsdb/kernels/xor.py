"""Values with many digits: each as the bits in which it differs from the one before.

Form: the first value (8 bytes); then per value ``0`` if it is equal; ``10`` and the differing
bits in the window of the last ones; ``11``, 6 bits of leading zeros, 6 bits of length less one,
and the differing bits.

Source: Pelkonen et al., Gorilla (2015), section 4.1.2.
"""

from typing import Final

from alicia.tsdb.kernels.bits import (
    WORD_BITS,
    Bytes,
    Words,
    bit_length,
    get_bits,
    get_word,
    put_bits,
    put_word,
    shift_right,
)
from alicia.tsdb.kernels.compiled import checked_kernel, kernel

_WINDOW_BITS: Final = 6
_WINDOW_COST: Final = 2 * _WINDOW_BITS


@kernel
def put_xored(out: Bytes, place: int, values: Words) -> int:
    """Write the values; the place behind them."""
    at = put_word(out, place, values[0]) * 8
    low, size = 0, 0  # the window: its lowest bit and its length; none at first
    for i in range(1, len(values)):
        changed = values[i] ^ values[i - 1]
        if changed == 0:
            at += 1
            continue
        length = bit_length(changed)
        lowest = bit_length(changed & -changed) - 1
        fits = lowest >= low and length <= low + size
        if fits and size <= length - lowest + _WINDOW_COST:
            at = put_bits(out, at, 0b10, 2)
        else:
            low, size = lowest, length - lowest
            at = put_bits(out, at, 0b11, 2)
            at = put_bits(out, at, WORD_BITS - length, _WINDOW_BITS)
            at = put_bits(out, at, size - 1, _WINDOW_BITS)
        at = put_bits(out, at, shift_right(changed, low), size)
    return (at + 7) >> 3


@checked_kernel
def get_xored(data: Bytes, place: int, end: int, values: Words) -> int:
    """Read ``len(values)`` values; the place behind them, -1 where the bytes are no such run."""
    if place + 8 > end:
        return -1
    last = get_word(data, place)
    values[0] = last
    at, stop = (place + 8) * 8, end * 8
    low, size = 0, 0
    for i in range(1, len(values)):
        if at >= stop:
            return -1
        prefix = get_bits(data, at, 2)
        if prefix < 0b10:
            at += 1
        else:
            at += 2
            if prefix == 0b11:
                leading = get_bits(data, at, _WINDOW_BITS)
                size = get_bits(data, at + _WINDOW_BITS, _WINDOW_BITS) + 1
                low = WORD_BITS - leading - size
                at += _WINDOW_COST
            if size == 0 or low < 0:
                return -1
            last ^= get_bits(data, at, size) << low
            at += size
        values[i] = last
    return (at + 7) >> 3 if at <= stop else -1
