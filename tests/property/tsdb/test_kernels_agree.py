"""Compiled kernels against their own source as plain Python: equal, bit for bit.

Numba and Python differ where numbers wrap, turn into floats or leave an array; none of the three
may happen unseen. The arrays of the plain run are guarded: it fails where it leaves one.
"""

from collections.abc import Callable
from typing import Any
from zlib import crc32

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.plain_kernels import guarded, plain

from alicia.series.samples import STALE_BITS
from alicia.tsdb.kernels import bits, chunk, classes, decimals, keys, log, xor

MOST, LEAST = 2**63 - 1, -(2**63)
WORD = st.integers(LEAST, MOST) | st.integers(-70, 70) | st.sampled_from([LEAST, MOST])
PALETTE = [0, LEAST, -1, STALE_BITS, 0x7FF8_0000_0000_BEEF]
FLOATS = [0.5, 12.3, -4.0, 2.0**53, 2.0**53 - 1, 1e-9, 3.141592653589793, float("inf")]
VALUE = (
    st.sampled_from([*PALETTE, *np.array(FLOATS).view(np.int64).tolist()])
    | st.decimals(-1000, 1000, places=2).map(lambda d: int(np.float64(d).view(np.int64)))
    | WORD
)
BYTES = st.binary(max_size=80)
TABLES = log.checksum_tables()


def both(kernel: Callable[..., Any], *arguments: Any) -> Any:
    """Run a kernel compiled and plain on equal arguments; all arrays must be equal afterwards."""
    compiled = [np.array(a) if isinstance(a, np.ndarray) else a for a in arguments]
    pure = [guarded(np.array(a)) if isinstance(a, np.ndarray) else a for a in arguments]
    result, expected = kernel(*compiled), plain(kernel)(*pure)
    assert result == expected
    for left, right in zip(compiled, pure, strict=True):
        if isinstance(left, np.ndarray):
            assert left.tobytes() == right.tobytes()
    return result, compiled


def words(numbers: list[int]) -> bits.Words:
    return np.array(numbers, np.int64)


def array(content: bytes) -> bits.Bytes:
    return np.frombuffer(bytearray(content), np.uint8)


@given(WORD, st.integers(0, 63))
def test_numbers(value: int, count: int) -> None:
    folded, _ = both(bits.zigzag, value)
    assert both(bits.unzigzag, folded)[0] == value
    assert both(bits.bit_length, value)[0] == (64 if value < 0 else value.bit_length())
    size, _ = both(bits.varint_bytes, value)
    both(bits.shift_right, value, count)
    assert both(bits.put_varint, np.zeros(12, np.uint8), 1, value)[0] == 1 + size
    both(bits.put_word, np.zeros(12, np.uint8), 1, value)
    both(bits.put_bits, np.zeros(20, np.uint8), count, value, 64 - count)
    both(bits.put_bits, np.zeros(20, np.uint8), count, value, count)


@given(BYTES, st.integers(0, 90), st.integers(0, 64))
def test_reading_bytes(content: bytes, place: int, width: int) -> None:
    found, _ = both(bits.get_bits, array(content), 8 * place + width % 8, width)
    start = 8 * place + width % 8
    digits = "".join(f"{byte:08b}" for byte in content + bytes(200))[start : start + width]
    assert found % 2**64 == int(digits or "0", 2)
    both(bits.get_varint, array(content), place, len(content))
    if place + 8 <= len(content):
        for kernel in (bits.get_word, bits.little_half, bits.little_word):
            both(kernel, array(content), place)


@given(st.lists(WORD, max_size=30))
def test_runs(numbers: list[int]) -> None:
    (narrow, wide, _), _ = both(classes.choose_widths, words(numbers), np.zeros(65, np.int64))
    out = np.zeros(16 + 9 * len(numbers), np.uint8)
    end, arrays = both(classes.put_run, out, 1, words(numbers), (narrow, wide))
    behind, (*_, read) = both(classes.get_run, arrays[0], 1, end, words(numbers))
    assert (behind, read.tolist()) == (end, numbers)


@settings(max_examples=60)
@given(st.lists(VALUE, min_size=1, max_size=20))
def test_values(values: list[int]) -> None:
    out = np.zeros(64 + 20 * len(values), np.uint8)
    end, arrays = both(xor.put_xored, out, 1, words(values))
    assert both(xor.get_xored, arrays[0], 1, end, words(values))[1][-1].tolist() == values
    for value in values:
        both(decimals.as_integer, float(np.int64(value).view(np.float64)), value, 3)
    exponent, _ = both(decimals.common_exponent, words(values))
    scratch = np.zeros((chunk.SCRATCH_ROWS, chunk.SCRATCH_MIN), np.int64)
    if exponent >= 0:
        end, arrays = both(decimals.put_decimals, out, 1, words(values), exponent, scratch)
        _, (*_, read) = both(decimals.get_decimals, arrays[0], 1, end, words(values))
        assert read.tolist() == values


@settings(max_examples=60)
@given(
    st.lists(WORD, min_size=1, max_size=20, unique=True).map(sorted),
    st.lists(VALUE, min_size=20, max_size=20),
    WORD,
)
def test_chunks(t_ms: list[int], values: list[int], base_ms: int) -> None:
    count = len(t_ms)
    out = np.zeros(chunk.bytes_max(count), np.uint8)
    scratch = np.zeros((chunk.SCRATCH_ROWS, chunk.SCRATCH_MIN), np.int64)
    end, arrays = both(
        chunk.encode_chunk, words(t_ms), words(values[:count]), base_ms, out, 0, scratch
    )
    read = np.zeros((2, count), np.int64)
    found, (*_, times, bits_read) = both(
        chunk.decode_chunk, arrays[3], 0, end, base_ms, read[0], read[1]
    )
    assert (found, times.tolist(), bits_read.tolist()) == (count, t_ms, values[:count])


@given(BYTES, st.integers(0, 40), WORD)
def test_hashes_and_sums(content: bytes, place: int, seed: int) -> None:
    place = min(place, len(content))
    both(keys.hash_bytes, array(content), place, len(content), seed)
    assert both(log.checksum, array(content), place, len(content), TABLES)[0] == crc32(
        content[place:]
    )
    both(log.find_magic, array(content), place)


@given(st.lists(st.binary(max_size=12), max_size=12, unique=True), st.integers(0, 3))
def test_keys(names: list[bytes], mask: int) -> None:
    """Hashes of two bits, so that nearly all of them meet."""
    rows = np.zeros((len(names), keys.COLUMNS), np.int64)
    ends = np.cumsum([len(name) for name in names], dtype=np.int64)
    for row, name in enumerate(names):
        rows[row] = (crc32(name) & mask, ends[row] - len(name), len(name), row)
    arena = array(b"".join(names) + b"!")
    _, (slots, *_) = both(keys.fill_slots, np.zeros(32, np.int32), rows, 0, len(names))
    for row, name in enumerate(names):
        place = (0, len(name), crc32(name) & mask)
        found, _ = both(keys.find_key, array(name + b"."), *place, slots, rows, arena)
        assert found == row
    rows[::2, keys.REF] = keys.GONE
    both(keys.pack_keys, rows, len(names), arena, np.zeros(len(names), np.int64))


SAMPLE = st.tuples(st.integers(0, 9), WORD, WORD)


@settings(max_examples=60)
@given(st.lists(SAMPLE, min_size=1, max_size=12), st.binary(max_size=20), st.integers(0, 14))
def test_log_records(samples: list[tuple[int, int, int]], torn: bytes, room: int) -> None:
    rows = words([n for sample in samples for n in sample]).reshape(-1, 3).T.copy()
    near = rows[:, np.abs(rows[1]) < 2**30]
    content = b""
    if near.shape[1]:
        both(log.pack_rows, *near, 5, np.zeros(2 * near.shape[1], np.int64))
    for kind, body in ((log.FAR_SAMPLES, rows.T), (log.FAR_SAMPLES, near.T)):
        content += record(kind, body.copy().tobytes(), len(body))
    data = array(content + torn)
    out = np.zeros((3, room), np.int64)
    (why, _, count), _ = both(
        log.read_records, data, 0, TABLES, words([4, -1, 6, 7, -1, 9]), out, 0
    )
    assert count <= room
    assert why != log.AT_NAMES  # there are none


def record(kind: int, body: bytes, count: int) -> bytes:
    head = (kind | count << 8).to_bytes(8, "little") + bytes(8)
    size = len(head) + len(body)
    crc = log.checksum(array(head + body), 0, size, TABLES)
    magic = log.MAGIC.to_bytes(8, "little", signed=True)
    return magic + size.to_bytes(4, "little") + crc.to_bytes(4, "little") + head + body


def test_a_plain_kernel_does_not_leave_its_arrays() -> None:
    """The oracle sees what it is there to see."""
    data = guarded(array(b"12345678"))
    assert plain(bits.get_word)(data, 0) == bits.get_word(array(b"12345678"), 0)
    for place in (-1, 1):
        with pytest.raises(IndexError):
            plain(bits.get_word)(data, place)
