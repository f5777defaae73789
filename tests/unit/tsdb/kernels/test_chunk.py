"""Chunks: what is written is read, bit for bit, and what is no chunk is told as such."""

import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alicia.series.samples import STALE_BITS
from alicia.tsdb.kernels.bits import Bytes, Words
from alicia.tsdb.kernels.chunk import (
    CONSTANT,
    DECIMALS,
    SCRATCH_MIN,
    SCRATCH_ROWS,
    XORED,
    bytes_max,
    decode_chunk,
    encode_chunk,
)

MOST, LEAST = 2**63 - 1, -(2**63)
NOW = 1_700_000_000_000


def bits(value: float) -> int:
    number: int = struct.unpack("<q", struct.pack("<d", value))[0]
    return number


def words(numbers: list[int]) -> Words:
    return np.array(numbers, np.int64)


def encoded(t_ms: list[int], values: list[int], base_ms: int = 0, place: int = 0) -> Bytes:
    """A chunk behind ``place`` bytes; room is what bytes_max() promises."""
    count = len(t_ms)
    out = np.zeros(place + bytes_max(count), np.uint8)
    scratch = np.full((SCRATCH_ROWS, max(SCRATCH_MIN, count)), -1, np.int64)
    end = encode_chunk(words(t_ms), words(values), base_ms, out, place, scratch)
    assert not out[:place].any()
    assert not out[end:].any()
    return out[:end]


def decoded(
    data: Bytes, room: int, base_ms: int = 0, place: int = 0, end: int | None = None
) -> tuple[list[int], list[int]] | None:
    t_ms, values = np.full((2, room), 77, np.int64)
    count = decode_chunk(data, place, len(data) if end is None else end, base_ms, t_ms, values)
    if count < 0:
        return None
    assert (t_ms[count:] == 77).all()
    assert (values[count:] == 77).all()
    return t_ms[:count].tolist(), values[:count].tolist()


COUNTER = [bits(float(4096 * i)) for i in range(16)]
HARD = [bits(3.141592653589793 * (i + 1) / 7) for i in range(16)]
STEADY = [NOW + 15_000 * i for i in range(16)]


@pytest.mark.parametrize(
    ("t_ms", "values", "form"),
    [
        ([NOW], [bits(1.5)], CONSTANT),
        ([0], [STALE_BITS], CONSTANT),
        ([LEAST], [LEAST], CONSTANT),
        ([MOST], [-1], CONSTANT),
        ([LEAST, MOST], [bits(0.0), bits(-0.0)], DECIMALS),  # -0.0 is an exception
        ([LEAST, 0, MOST], [1, 2, 3], XORED),
        ([0, 1], [bits(1.0), bits(2.0)], DECIMALS),
        (STEADY, [bits(7.25)] * 16, CONSTANT),
        (STEADY, [0x7FF8_0000_0000_BEEF] * 16, CONSTANT),
        (STEADY, COUNTER, DECIMALS),
        (STEADY, [*COUNTER[:15], STALE_BITS], DECIMALS),
        (STEADY, HARD, XORED),
        (STEADY, [bits(2.0**53), bits(2.0**53 - 1), *HARD[2:]], XORED),
    ],
)
def test_chunks_of_every_form(t_ms: list[int], values: list[int], form: int) -> None:
    data = encoded(t_ms, values, base_ms=t_ms[0])
    times_alone = encoded(t_ms, [0] * len(t_ms), base_ms=t_ms[0])  # 9 bytes of values
    assert data[len(times_alone) - 9] == form
    assert decoded(data, len(t_ms), base_ms=t_ms[0]) == (t_ms, values)


def test_sizes_of_what_is_common() -> None:
    assert len(encoded(STEADY, [bits(7.25)] * 16, NOW)) == 16  # 2 + 3 of times, 2 + 9
    assert len(encoded(STEADY, COUNTER, NOW)) == 15
    assert len(encoded(STEADY, [bits(20.0 + i % 3 / 10) for i in range(16)], NOW)) <= 21


_times = st.lists(
    st.integers(LEAST, MOST) | st.integers(NOW, NOW + 10_000) | st.integers(-3, 300),
    min_size=1, max_size=70, unique=True,
).map(sorted)  # fmt: skip
_value = (
    st.sampled_from([0, LEAST, MOST, -1, STALE_BITS, bits(1.0), bits(-0.0), bits(12.3)])
    | st.decimals(-10_000, 10_000, places=3).map(float).map(bits)
    | st.integers(LEAST, MOST)
)


@given(_times, st.data(), st.sampled_from([0, NOW, LEAST, MOST]), st.integers(0, 9))
def test_a_chunk_is_read_as_it_was_written(
    t_ms: list[int], data: st.DataObject, base_ms: int, place: int
) -> None:
    palette = data.draw(st.lists(_value, min_size=1, max_size=8))
    values = data.draw(st.lists(st.sampled_from(palette), min_size=len(t_ms), max_size=len(t_ms)))
    chunk = encoded(t_ms, values, base_ms, place)
    assert decoded(chunk, len(t_ms), base_ms, place) == (t_ms, values)
    behind = np.concatenate((chunk, np.full(20, 255, np.uint8)))
    assert decoded(behind, len(t_ms) + 3, base_ms, place, end=len(chunk)) == (t_ms, values)
    assert decoded(chunk, len(t_ms) - 1, base_ms, place) is None, "no room for all"


@pytest.mark.parametrize("values", [[bits(7.25)] * 16, COUNTER, HARD, [*COUNTER[:15], STALE_BITS]])
def test_a_chunk_cut_short_is_none(values: list[int]) -> None:
    data = encoded(STEADY, values)
    for end in range(len(data)):
        assert decoded(data, 16, end=end) is None, end
        assert decoded(data[:end].copy(), 16) is None, end


@pytest.mark.parametrize("count", [1, 2, 3, 16, 64, 65, 66, 240])
def test_no_chunk_is_larger_than_it_may_be(count: int) -> None:
    chance = np.random.default_rng(count)
    t_ms = np.sort(chance.integers(LEAST, MOST, count))
    for values in (chance.integers(LEAST, MOST, count), t_ms):
        encoded(t_ms.tolist(), values.tolist())  # checks its room


@pytest.mark.parametrize(
    "content",
    [
        "",
        "00",  # no samples
        "0100",  # no form of values
        "010003" + "00" * 8,  # no such form
        "0100ff" + "00" * 8,
        "0100" + "00" * 8,  # a constant of seven bytes
        "0200",  # no second time
        "02000000" + "00" * 7,
        "0300000000",  # no changes of times
        "ffffffffffffffffff01" + "00" * 20,  # -1 samples
        "80808080808080808001" + "00" * 20,
        "1100" + "00" * 20,  # more than there is room
    ],
)
def test_what_is_no_chunk(content: str) -> None:
    data = np.frombuffer(bytearray.fromhex(content), np.uint8)
    assert decoded(data, 16) is None
