"""Chunks: the samples of one series as few bytes, timestamps and values apart.

Form, numbers as varints unless said otherwise: count; first timestamp less a base, zigzag; first
difference of timestamps, zigzag (from two samples on); the changes of that difference as a run
(``classes``), zigzag (from three on); one byte for the form of the values; the values.

Samples ascend in time. A value is the 64 bits of its float, kept bit for bit: markers, NaNs and
the sign of zero included.
"""

from typing import Final

import numpy as np

from alicia.tsdb.kernels import decimals, xor
from alicia.tsdb.kernels.bits import (
    Bytes,
    Words,
    get_varint,
    get_word,
    put_varint,
    put_word,
    signed,
    unzigzag,
    zigzag,
)
from alicia.tsdb.kernels.classes import choose_widths, get_run, put_run
from alicia.tsdb.kernels.compiled import checked_kernel, kernel

CONSTANT: Final = 0
DECIMALS: Final = 1
XORED: Final = 2

HEAD_BYTES_MAX: Final = 64
SAMPLE_BYTES_MAX: Final = 20
SCRATCH_ROWS: Final = 4
SCRATCH_MIN: Final = 65


@kernel
def bytes_max(count: int) -> int:
    """More than any chunk of ``count`` samples takes."""
    return HEAD_BYTES_MAX + SAMPLE_BYTES_MAX * count


@kernel
def encode_chunk(
    t_ms: Words, values: Words, base_ms: int, out: Bytes, place: int, scratch: Words
) -> int:
    """Write samples as a chunk; the place behind it.

    ``out``: zeroed from ``place`` on, with room for bytes_max(). ``scratch``: int64[SCRATCH_ROWS,
    at least SCRATCH_MIN and the number of samples].
    """
    place = put_times(t_ms, base_ms, out, place, scratch)
    return put_values(values, out, place, scratch)


@kernel
def put_times(t_ms: Words, base_ms: int, out: Bytes, place: int, scratch: Words) -> int:
    """Write the timestamps of a chunk, as encode_chunk()."""
    count = len(t_ms)
    place = put_varint(out, place, count)
    place = put_varint(out, place, zigzag(t_ms[0] - base_ms))
    if count > 1:
        place = put_varint(out, place, zigzag(t_ms[1] - t_ms[0]))
    if count > 2:
        changes = scratch[0, : count - 2]
        for i in range(2, count):
            changes[i - 2] = zigzag((t_ms[i] - t_ms[i - 1]) - (t_ms[i - 1] - t_ms[i - 2]))
        narrow, wide, _ = choose_widths(changes, scratch[1])
        place = put_run(out, place, changes, (narrow, wide))
    return place


@kernel
def put_values(values: Words, out: Bytes, place: int, scratch: Words) -> int:
    """Write the values of a chunk, as encode_chunk()."""
    for i in range(1, len(values)):
        if values[i] != values[0]:
            break
    else:
        out[place] = np.uint8(CONSTANT)
        return put_word(out, place + 1, values[0])
    exponent = decimals.common_exponent(values)
    if exponent >= 0:
        out[place] = np.uint8(DECIMALS)
        return decimals.put_decimals(out, place + 1, values, exponent, scratch)
    out[place] = np.uint8(XORED)
    return xor.put_xored(out, place + 1, values)


@checked_kernel
def decode_chunk(
    data: Bytes, place: int, end: int, base_ms: int, t_ms: Words, values: Words
) -> int:
    """Read a chunk into the start of ``t_ms`` and ``values``; how many samples it has.

    -1 where the bytes are no chunk or hold more samples than the arrays; then what was written
    there means nothing. ``end`` is at most the length of ``data``.
    """
    count, place = get_times(data, place, end, base_ms, t_ms)
    if count < 0:
        return -1
    return count if get_values(data, place, end, values[:count]) >= 0 else -1


@checked_kernel
def get_times(data: Bytes, place: int, end: int, base_ms: int, t_ms: Words) -> tuple[int, int]:
    """Read timestamps into the start of ``t_ms``; how many, and the place behind them.

    -1 where the bytes are none, or are more than the array takes.
    """
    count, place = get_varint(data, place, end)
    if place < 0 or count < 1 or count > len(t_ms):
        return -1, -1
    first, place = get_varint(data, place, end)
    if place < 0:
        return -1, -1
    t_ms[0] = base_ms + unzigzag(first)
    if count > 1:
        place = _get_times(data, place, end, t_ms[:count])
    return (count, place) if place >= 0 else (-1, -1)


@checked_kernel
def get_values(data: Bytes, place: int, end: int, values: Words) -> int:
    """Read ``len(values)`` values; the place behind them, -1 where the bytes are none."""
    if place >= end:
        return -1
    form = signed(data[place])
    place += 1
    if form == CONSTANT:
        if place + 8 > end:
            return -1
        values[:] = get_word(data, place)
        return place + 8
    if form == DECIMALS:
        return decimals.get_decimals(data, place, end, values)
    if form == XORED:
        return xor.get_xored(data, place, end, values)
    return -1


@checked_kernel
def _get_times(data: Bytes, place: int, end: int, t_ms: Words) -> int:
    difference, place = get_varint(data, place, end)
    if place < 0:
        return -1
    step = unzigzag(difference)
    t_ms[1] = t_ms[0] + step
    if len(t_ms) > 2:
        place = get_run(data, place, end, t_ms[2:])
        for i in range(2, len(t_ms)):
            step += unzigzag(t_ms[i])
            t_ms[i] = t_ms[i - 1] + step
    return place
