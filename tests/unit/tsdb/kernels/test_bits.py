"""Bits, varints and words: tables at the bounds, and every place and width against big integers."""

import numpy as np
import pytest

from alicia.tsdb.kernels.bits import (
    Bytes,
    bit_length,
    get_bits,
    get_varint,
    get_word,
    little_half,
    little_word,
    put_bits,
    put_varint,
    put_word,
    shift_right,
    unzigzag,
    varint_bytes,
    zigzag,
)

MOST, LEAST = 2**63 - 1, -(2**63)


def array(content: bytes) -> Bytes:
    return np.frombuffer(bytearray(content), np.uint8)


@pytest.mark.parametrize(
    ("value", "folded"),
    [(0, 0), (-1, 1), (1, 2), (-2, 3), (2, 4), (MOST, -2), (LEAST, -1), (2**62, LEAST)],
)
def test_zigzag(value: int, folded: int) -> None:
    assert zigzag(value) == folded
    assert unzigzag(folded) == value


@pytest.mark.parametrize(
    ("value", "length"),
    [(0, 0), (1, 1), (2, 2), (3, 2), (4, 3), (255, 8), (256, 9), (2**16, 17), (2**31, 32),
     (2**32 - 1, 32), (2**32, 33), (2**62, 63), (MOST, 63), (-1, 64), (LEAST, 64)],
)  # fmt: skip
def test_bit_length(value: int, length: int) -> None:
    assert bit_length(value) == length


@pytest.mark.parametrize(
    ("value", "count", "shifted"),
    [(5, 0, 5), (5, 1, 2), (5, 63, 0), (-1, 0, -1), (-1, 1, MOST), (-1, 63, 1), (LEAST, 63, 1)],
)
def test_zeros_come_in_from_above(value: int, count: int, shifted: int) -> None:
    assert shift_right(value, count) == shifted


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (0, "00"),
        (127, "7f"),
        (128, "8001"),
        (300, "ac02"),
        (2**14 - 1, "ff7f"),
        (2**14, "808001"),
        (MOST, "ffffffffffffffff7f"),
        (-1, "ffffffffffffffffff01"),
        (LEAST, "80808080808080808001"),
    ],
)
def test_varints(value: int, written: str) -> None:
    out = array(bytes(12))
    end = put_varint(out, 1, value)
    assert out[1:end].tobytes().hex() == written
    assert not out[end:].any()
    assert varint_bytes(value) == end - 1
    assert get_varint(out, 1, end) == (value, end)
    assert get_varint(out, 1, end - 1) == (0, -1), "it ends in the middle"


@pytest.mark.parametrize(
    "content",
    ["", "80", "ffffff", "80808080808080808080", "8080808080808080808001", "ff" * 20],
)
def test_a_varint_that_ends_too_early_or_never(content: str) -> None:
    data = array(bytes.fromhex(content))
    assert get_varint(data, 0, len(data)) == (0, -1)


def test_a_varint_is_not_sought_behind_its_end() -> None:
    data = array(b"\x80\x01")
    assert get_varint(data, 0, 1) == (0, -1)
    assert get_varint(data, 1, 1) == (0, -1)
    assert get_varint(data, 0, 2) == (128, 2)


def signed_64(value: int) -> int:
    return value - 2**64 if value >> 63 else value


def test_every_place_and_width_reads_what_is_there_and_zeros_behind() -> None:
    content = bytes(range(7, 7 + 13 * 19, 19))
    data = array(content)
    whole, size = int.from_bytes(content + bytes(9), "big"), 8 * (len(content) + 9)
    for at in range(8 * len(content) + 1):
        for width in range(65):
            expected = whole >> (size - at - width) & ((1 << width) - 1)
            assert get_bits(data, at, width) == signed_64(expected), (at, width)


@pytest.mark.parametrize("value", [0, 1, -1, LEAST, MOST, 0x5A5A_1234_5678_9ABC])
def test_every_place_and_width_is_written_and_nothing_beside(value: int) -> None:
    for at in range(17):
        for width in range(65):
            out = array(bytes(11))
            assert put_bits(out, at, value, width) == at + width
            expected = (value & ((1 << width) - 1)) << (88 - at - width)
            assert int.from_bytes(out.tobytes(), "big") == expected, (at, width)


def test_bits_written_one_behind_the_other_stand_side_by_side() -> None:
    out = array(bytes(2))
    at = put_bits(out, 0, 0b101, 3)
    at = put_bits(out, at, 0b0, 1)
    at = put_bits(out, at, 0b11_0011_0011, 10)
    assert (at, out.tobytes().hex()) == (14, "accc")


@pytest.mark.parametrize("value", [0, 1, -1, LEAST, MOST, 0x0102_0304_0506_0708])
def test_words(value: int) -> None:
    out = array(bytes(10))
    assert put_word(out, 1, value) == 9
    assert out.tobytes() == b"\0" + value.to_bytes(8, "big", signed=True) + b"\0"
    assert get_word(out, 1) == value
    little = array(b"\xff" + value.to_bytes(8, "little", signed=True) + b"\xff")
    assert little_word(little, 1) == value
    assert little_half(little, 1) == value & 0xFFFF_FFFF
