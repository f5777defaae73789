"""Forms of values: decimals and what is none, and the bits in which neighbours differ."""

import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alicia.series.samples import STALE_BITS
from alicia.tsdb.kernels.bits import Bytes, Words
from alicia.tsdb.kernels.chunk import SCRATCH_MIN, SCRATCH_ROWS
from alicia.tsdb.kernels.decimals import as_integer, common_exponent, get_decimals, put_decimals
from alicia.tsdb.kernels.xor import get_xored, put_xored

PAYLOAD = 0x7FF8_0000_0000_BEEF
NAN, MINUS_ZERO = float("nan"), -0.0
INFINITE = float("inf")
PI, E = 3.141592653589793, 2.718281828459045


def words(values: list[float | int]) -> Words:
    """Floats as their bits; an int is bits already."""
    return np.array(
        [v if isinstance(v, int) else struct.unpack("<q", struct.pack("<d", v))[0] for v in values],
        np.int64,
    )


def scratch(count: int) -> Words:
    return np.zeros((SCRATCH_ROWS, max(SCRATCH_MIN, count)), np.int64)


def exact_integer(value: float, exponent: int) -> int | None:
    bits = int(words([value])[0])
    integer, exact = as_integer(value, bits, exponent)
    return integer if exact else None


@pytest.mark.parametrize(
    ("value", "exponent", "integer"),
    [
        (0.0, 0, 0),
        (MINUS_ZERO, 0, None),  # an integer has no such sign
        (12.3, 0, None),
        (12.3, 1, 123),
        (12.3, 2, 1230),
        (-0.05, 2, -5),
        (0.1 + 0.2, 1, None),  # 0.30000000000000004
        (1e-9, 9, 1),
        (1e-10, 9, None),
        (2.0**53 - 1, 0, 2**53 - 1),
        (2.0**53, 0, None),
        (-(2.0**53) + 1, 0, -(2**53) + 1),
        (-(2.0**53), 0, None),
        (2.0**52, 1, None),  # times ten it is too large
        (1e300, 9, None),
        (5e-324, 9, None),
        (INFINITE, 0, None),
        (-INFINITE, 3, None),
        (NAN, 0, None),
    ],
)
def test_which_values_are_decimals(value: float, exponent: int, integer: int | None) -> None:
    assert exact_integer(value, exponent) == integer


@pytest.mark.parametrize(
    ("values", "exponent"),
    [
        ([1.0, 2.0], 0),
        ([0.5, 2.0], 1),
        ([2.0, 12.34, 0.5], 2),
        ([1e-9], 9),
        ([PI], 0),  # one exception is always allowed
        ([PI, E], -1),
        ([1.0] * 6 + [PI], 0),
        ([1.0] * 5 + [PI, E], -1),
        ([1.0] * 6 + [PI, E], 0),  # of eight values two
        ([1.0] * 13 + [PI, E, NAN], 0),  # of sixteen three
        ([1.0] * 12 + [PI, E, NAN], -1),
        ([0.001, 2.0**52, 2.0**52], -1),  # two that are too large for three digits
        ([0.001, 2.0**52], 3),
        ([2.0**52, 2.0**52, 2.0**52, 0.001], -1),
        ([STALE_BITS, 1.5], 1),
    ],
)
def test_the_exponent_that_suits_nearly_all(values: list[float | int], exponent: int) -> None:
    assert common_exponent(words(values)) == exponent


def decimals(values: list[float | int]) -> Bytes:
    numbers = words(values)
    out = np.zeros(64 + 20 * len(values), np.uint8)
    exponent = common_exponent(numbers)
    assert exponent >= 0
    return out[: put_decimals(out, 0, numbers, exponent, scratch(len(values)))]


@pytest.mark.parametrize(
    ("values", "run"),
    [
        # exponent, kind, first integer, number of exceptions, then the run
        ([7.0, 7.5, 7.0], "01018c01" + "00" + "04ff" + "a9"),  # 5 and -5, zigzag
        ([1.0, 2.0, 3.0, 4.0], "000102" + "00" + "02ff" + "a8"),  # differences of 2 (zigzag)
        # grows by 1001 each time: the difference once (2002, zigzag), then zeros
        ([1001.0 * i for i in range(7)], "000200" + "d20f" + "00" + "00ff"),
        # by 1000: three zero bits less, so kind 2 + 4 * 3, and 125
        ([1000.0 * i for i in range(7)], "000e00" + "fa01" + "00" + "00ff"),
        # differences 8 and -12, two zero bits less: 2 and -3, kind 1 + 4 * 2
        ([9.0, 17.0, 5.0], "0009" + "12" + "00" + "03ff" + "94"),
        ([0.0, 2.0**52], "00d1" + "00" + "00" + "02ff" + "80"),  # 52 zero bits less
        # one exception at place 1, whose integer repeats the one before
        ([5.0, NAN, 6.0], "00010a" + "01" + "01" + "7ff8000000000000" + "02ff" + "20"),
        ([PI], "000100" + "01" + "00" + "400921fb54442d18" + "00ff"),
    ],
)
def test_decimals(values: list[float | int], run: str) -> None:
    assert decimals(values).tobytes().hex() == run


MANY = st.sampled_from(
    [0.0, MINUS_ZERO, 1.0, 1.5, -2.25, 12.3, 4096.0, 2.0**53 - 1, -(2.0**53) + 1, 1e-9, PI,
     INFINITE, -INFINITE, STALE_BITS, PAYLOAD, -1, 2**63 - 1, -(2**63)]
)  # fmt: skip
ANY = MANY | st.integers(-(2**63), 2**63 - 1)


@given(st.lists(st.decimals(-1000, 1000, places=2).map(float) | MANY, min_size=1, max_size=40))
def test_decimals_are_read_as_they_were_written(values: list[float | int]) -> None:
    numbers = words(values)
    if common_exponent(numbers) < 0:
        return
    data = decimals(values)
    read = words([1.0] * len(values))
    assert get_decimals(data, 0, len(data), read) == len(data)
    assert read.tolist() == numbers.tolist()
    for end in range(len(data)):
        assert get_decimals(data, 0, end, read) == -1


@pytest.mark.parametrize(
    ("content", "count"),
    [
        ("", 1),
        ("00", 1),
        ("0a01000000ff", 1),  # ten digits
        ("0000000000ff", 1),  # no such kind
        ("0003000000ff", 3),
        ("00ff000000ff", 300),
        ("000200000000ff", 1),  # a difference needs two values
        ("0001000100", 1),  # an exception that is not there
        ("0001000101400921fb54442d1800ff", 1),  # an exception behind the end
        ("00010001ffffffffffffffffff01400921fb54442d1800ff", 1),  # and one at place -1
        ("000100" + "ffffffffffffffffff01" + "00ff", 1),  # -1 exceptions
        ("000100" + "ffffffff0f" + "00ff", 1),  # more than there are bytes
    ],
)
def test_what_are_no_decimals(content: str, count: int) -> None:
    data = np.frombuffer(bytearray.fromhex(content), np.uint8)
    assert get_decimals(data, 0, len(data), words([0] * count)) == -1


def xored(values: list[float | int]) -> Bytes:
    out = np.zeros(32 + 20 * len(values), np.uint8)
    return out[: put_xored(out, 0, words(values))]


@pytest.mark.parametrize(
    ("values", "run"),
    [
        ([1], "0000000000000001"),
        ([1, 1, 1], "0000000000000001" + "00"),
        # 11, 62 leading zeros, length 1 less one, the bit
        ([1, 3], "0000000000000001" + "fe02"),
        # 11, no leading zeros, length 64 less one, all bits
        ([0, -1], "0000000000000000" + "c0ff" + "ff" * 7 + "fc"),
        # 11 111110 000000 1, then in the same window 10 1, and 0 for no change
        ([1, 3, 1, 1], "0000000000000001" + "fe" + "03" + "40"),
        # a window of 64 is left as soon as a new one is shorter with its head: 1 + 12 < 64
        ([0, -1, -2], "0000000000000000" + "c0ff" + "ff" * 7 + "ff" + "fc08"),
    ],
)
def test_xored(values: list[float | int], run: str) -> None:
    assert xored(values).tobytes().hex() == run


@given(st.lists(ANY, min_size=1, max_size=40))
def test_xored_values_are_read_as_they_were_written(values: list[float | int]) -> None:
    data = xored(values)
    read = words([1.0] * len(values))
    assert get_xored(data, 0, len(data), read) == len(data)
    assert read.tolist() == words(values).tolist()
    for end in range(len(data)):
        assert get_xored(data, 0, end, read) == -1


@pytest.mark.parametrize(
    ("content", "count"),
    [
        ("00" * 7, 1),
        ("00" * 8, 2),  # no bit for the second
        ("00" * 8 + "80", 2),  # 10: in a window that nobody opened
        ("00" * 8 + "fffc", 2),  # 63 leading zeros and 64 bits
        ("00" * 8 + "c0fc", 2),  # 64 bits of which two are there
    ],
)
def test_what_is_no_xored_run(content: str, count: int) -> None:
    data = np.frombuffer(bytearray.fromhex(content), np.uint8)
    assert get_xored(data, 0, len(data), words([0] * count)) == -1
