"""Values that are decimal numbers of few digits: kept as integers over a power of ten.

Most of what is measured was rounded once: 12.3 %, 0.05 s, 4096 bytes. As integers such values
differ by little, where as floats they differ in most of their bits.

Form: exponent (byte); kind and shift (byte, kind in the two lowest bits); first integer, and for
SECOND the first difference (varints, zigzag); number of exceptions, then per exception its place
and its 64 bits; the rest as a run. All differences are less ``shift`` zero bits at their end, as
sizes in memory pages have them. An exception is a value that is no such decimal, a marker say;
its integer repeats the one before.
"""

from typing import Final

import numpy as np

from alicia.tsdb.kernels.bits import (
    Bytes,
    Words,
    bit_length,
    get_varint,
    get_word,
    put_varint,
    put_word,
    signed,
    unzigzag,
    varint_bytes,
    zigzag,
)
from alicia.tsdb.kernels.classes import choose_widths, get_run, put_run
from alicia.tsdb.kernels.compiled import checked_kernel, kernel

EXPONENT_MAX: Final = 9
INTEGER_MAX: Final = float(2**53)
FIRST: Final = 1  # differences between neighbours
SECOND: Final = 2  # differences between those
KIND_BITS: Final = 2
_EXCEPTIONS_SHARE: Final = 8  # one value in so many may be an exception
_MINUS_ZERO: Final = -(2**63)
_POWERS: Final = np.array([10.0**exponent for exponent in range(EXPONENT_MAX + 1)])


@kernel
def as_integer(value: float, bits: int, exponent: int) -> tuple[int, bool]:
    """The integer that divided by 10^exponent is exactly this float; False where there is none."""
    scaled = np.rint(value * _POWERS[exponent])
    if not (-INTEGER_MAX < scaled < INTEGER_MAX) or bits == _MINUS_ZERO:
        return 0, False
    return signed(scaled), scaled / _POWERS[exponent] == value


@kernel
def common_exponent(values: Words) -> int:
    """The smallest exponent that suits nearly all values; -1 where too many are exceptions."""
    floats = values.view(np.float64)
    exceptions_max = 1 + len(values) // _EXCEPTIONS_SHARE
    exceptions, exponent = 0, 0
    for i in range(len(values)):
        found = exponent
        while found <= EXPONENT_MAX and not as_integer(floats[i], values[i], found)[1]:
            found += 1
        if found <= EXPONENT_MAX:
            exponent = found
            continue
        exceptions += 1
        if exceptions > exceptions_max:
            return -1
    exceptions = 0
    for i in range(len(values)):  # a large value may not bear the exponent of a later one
        if not as_integer(floats[i], values[i], exponent)[1]:
            exceptions += 1
    return exponent if exceptions <= exceptions_max else -1


@kernel
def put_decimals(out: Bytes, place: int, values: Words, exponent: int, scratch: Words) -> int:
    """Write the values as integers over 10^exponent; the place behind them."""
    count = len(values)
    integers = scratch[0, :count]
    exceptions = _integers(values, exponent, integers)
    shift = _common_shift(integers)
    first, second = scratch[2, : count - 1], scratch[3, : max(count - 2, 0)]
    for i in range(1, count):
        first[i - 1] = zigzag((integers[i] - integers[i - 1]) >> shift)
    for i in range(2, count):
        second[i - 2] = zigzag((integers[i] - 2 * integers[i - 1] + integers[i - 2]) >> shift)
    narrow, wide, bits = choose_widths(first, scratch[1])
    kind, numbers = FIRST, first
    if count > 2:
        narrow_second, wide_second, bits_second = choose_widths(second, scratch[1])
        if _bytes_of(bits_second) + varint_bytes(first[0]) < _bytes_of(bits):
            kind, numbers, narrow, wide = SECOND, second, narrow_second, wide_second
    out[place] = np.uint8(exponent)
    out[place + 1] = np.uint8(kind | (shift << KIND_BITS))
    place = put_varint(out, place + 2, zigzag(integers[0]))
    if kind == SECOND:
        place = put_varint(out, place, first[0])
    place = _put_exceptions(out, place, values, exponent, exceptions)
    return put_run(out, place, numbers, (narrow, wide))


@kernel
def _bytes_of(bits: int) -> int:
    return (bits + 7) >> 3


@kernel
def _integers(values: Words, exponent: int, integers: Words) -> int:
    """Fill in the integers; how many values are exceptions."""
    floats = values.view(np.float64)
    exceptions, last = 0, 0
    for i in range(len(values)):
        integer, exact = as_integer(floats[i], values[i], exponent)
        if exact:
            last = integer
        else:
            exceptions += 1
        integers[i] = last
    return exceptions


@kernel
def _common_shift(integers: Words) -> int:
    """How many zero bits all differences end with; 0 where all integers are equal."""
    differing = 0
    for i in range(1, len(integers)):
        differing |= integers[i] ^ integers[0]
    return bit_length(differing & -differing) - 1 if differing else 0


@kernel
def _put_exceptions(out: Bytes, place: int, values: Words, exponent: int, count: int) -> int:
    floats = values.view(np.float64)
    place = put_varint(out, place, count)
    if count:
        for i in range(len(values)):
            if not as_integer(floats[i], values[i], exponent)[1]:
                place = put_word(out, put_varint(out, place, i), values[i])
    return place


@checked_kernel
def get_decimals(data: Bytes, place: int, end: int, values: Words) -> int:
    """Read ``len(values)`` values; the place behind them, -1 where the bytes are no decimals."""
    if place + 2 > end or data[place] > EXPONENT_MAX:
        return -1
    exponent, kind = signed(data[place]), signed(data[place + 1]) & ((1 << KIND_BITS) - 1)
    shift = signed(data[place + 1]) >> KIND_BITS
    folded, place = get_varint(data, place + 2, end)
    difference = 0
    if kind == SECOND and place >= 0:
        difference, place = get_varint(data, place, end)
    if place < 0 or len(values) <= kind - 1 or kind < FIRST or kind > SECOND:
        return -1
    exceptions, behind = get_varint(data, place, end)
    place = _skip_exceptions(data, behind, end, exceptions)
    if place < 0:
        return -1
    place = get_run(data, place, end, values[kind:])
    if place < 0:
        return -1
    values[0] = unzigzag(folded)
    if kind == SECOND:
        values[1] = difference
    _add_up(values, kind, shift, _POWERS[exponent])
    return place if _apply_exceptions(data, behind, end, exceptions, values) else -1


@kernel
def _add_up(values: Words, kind: int, shift: int, power: float) -> None:
    """From an integer and differences, zigzag but for the first, to floats in place."""
    floats = values.view(np.float64)
    last, step = values[0], 0
    floats[0] = last / power
    for i in range(1, len(values)):
        number = unzigzag(values[i]) << shift
        step = step + number if kind == SECOND else number
        last += step
        floats[i] = last / power


@checked_kernel
def _skip_exceptions(data: Bytes, place: int, end: int, count: int) -> int:
    if place < 0 or count < 0 or count > end - place:
        return -1
    for _ in range(count):
        _, place = get_varint(data, place, end)
        if place < 0 or place + 8 > end:
            return -1
        place += 8
    return place


@checked_kernel
def _apply_exceptions(data: Bytes, place: int, end: int, count: int, values: Words) -> bool:
    for _ in range(count):
        i, place = get_varint(data, place, end)
        if i < 0 or i >= len(values):
            return False
        values[i] = get_word(data, place)
        place += 8
    return True
