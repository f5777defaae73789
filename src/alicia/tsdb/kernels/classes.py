"""Small integers as prefix codes, whose two widths each run of numbers chooses for itself.

Form of a run: one byte ``narrow``, one byte ``wide``, then per number
``0`` for zero, ``10`` and ``narrow`` bits, ``110`` and ``wide`` bits, ``111`` and 64 bits.
``wide`` = PLAIN says that there are no prefixes: each number is ``narrow`` bits.
``narrow`` = 0 then says that all numbers are zero, which takes no bits at all.
"""

from typing import Final

import numpy as np

from alicia.tsdb.kernels.bits import WORD_BITS, Bytes, Words, bit_length, get_bits, put_bits, signed
from alicia.tsdb.kernels.compiled import kernel

PLAIN: Final = 255
HEAD_BYTES: Final = 2
_PREFIX_NARROW: Final = 2
_PREFIX_OTHER: Final = 3


@kernel
def choose_widths(numbers: Words, counts: Words) -> tuple[int, int, int]:
    """The widths under which the numbers are shortest, and how many bits they take then.

    ``counts``: scratch of 65 or more, for the numbers by their bit length.
    """
    counts[: WORD_BITS + 1] = 0
    longest = 0
    for i in range(len(numbers)):
        length = bit_length(numbers[i])
        counts[length] += 1
        longest = max(longest, length)
    best, narrow, wide = len(numbers) * longest, longest, PLAIN
    base = len(numbers) + (len(numbers) - counts[0])  # a bit each, and one more if not zero
    within = 0
    for first in range(1, longest + 1):
        if counts[first] == 0:
            continue
        within += counts[first]
        rest = len(numbers) - counts[0] - within
        middle = 0
        for second in range(first, longest + 1):
            if second > first:
                if counts[second] == 0:
                    continue
                middle += counts[second]
            bits = base + within * first + rest + middle * second + (rest - middle) * WORD_BITS
            if bits < best:
                best, narrow, wide = bits, first, second
    return narrow, wide, best


@kernel
def put_run(out: Bytes, place: int, numbers: Words, widths: tuple[int, int]) -> int:
    """Write a run under the given widths; the place behind its last byte."""
    narrow, wide = widths
    out[place] = np.uint8(narrow)
    out[place + 1] = np.uint8(wide)
    at = (place + HEAD_BYTES) * 8
    for i in range(len(numbers)):
        number = numbers[i]
        if wide == PLAIN:
            at = put_bits(out, at, number, narrow)
            continue
        length = bit_length(number)
        if length == 0:
            at += 1
        elif length <= narrow:
            at = put_bits(out, put_bits(out, at, 0b10, 2), number, narrow)
        elif length <= wide:
            at = put_bits(out, put_bits(out, at, 0b110, 3), number, wide)
        else:
            at = put_bits(out, put_bits(out, at, 0b111, 3), number, WORD_BITS)
    return (at + 7) >> 3


@kernel
def get_run(data: Bytes, place: int, end: int, numbers: Words) -> int:
    """Read ``len(numbers)`` numbers; the place behind the run, -1 where it does not fit."""
    if place + HEAD_BYTES > end:
        return -1
    narrow, wide = signed(data[place]), signed(data[place + 1])
    if narrow > WORD_BITS or (wide > WORD_BITS and wide != PLAIN):
        return -1
    at = (place + HEAD_BYTES) * 8
    if wide == PLAIN:
        if at + narrow * len(numbers) > end * 8:
            return -1
        for i in range(len(numbers)):
            numbers[i] = get_bits(data, at, narrow)
            at += narrow
    else:
        for i in range(len(numbers)):
            if at >= end * 8:
                return -1
            at = _get_classed(data, at, (narrow, wide), numbers[i : i + 1])
    return (at + 7) >> 3 if at <= end * 8 else -1


@kernel
def _get_classed(data: Bytes, at: int, widths: tuple[int, int], number: Words) -> int:
    prefix = get_bits(data, at, _PREFIX_OTHER)
    if prefix < 0b100:
        number[0] = 0
        return at + 1
    if prefix < 0b110:
        number[0] = get_bits(data, at + _PREFIX_NARROW, widths[0])
        return at + _PREFIX_NARROW + widths[0]
    width = widths[1] if prefix == 0b110 else WORD_BITS
    number[0] = get_bits(data, at + _PREFIX_OTHER, width)
    return at + _PREFIX_OTHER + width
