"""Runs of small numbers: widths are the best there are, and what is no run is told as such."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alicia.tsdb.kernels.bits import Bytes, Words, bit_length
from alicia.tsdb.kernels.classes import PLAIN, choose_widths, get_run, put_run

COUNTS = np.zeros(65, np.int64)
FEW = st.sampled_from([0, 0, 0, 1, 1, 3, 5, 200, 2**20, 2**40, 2**63 - 1, -1, -(2**63)])


def words(numbers: list[int]) -> Words:
    return np.array(numbers, np.int64)


def written(numbers: list[int]) -> Bytes:
    narrow, wide, _ = choose_widths(words(numbers), COUNTS)
    out = np.zeros(16 + 9 * len(numbers), np.uint8)
    return out[: put_run(out, 0, words(numbers), (narrow, wide))]


@pytest.mark.parametrize(
    ("numbers", "run"),
    [
        ([], "00ff"),
        ([0], "00ff"),
        ([0] * 1000, "00ff"),  # zeros take no bits
        ([1, 1, 1], "01ffe0"),  # plain: 1 1 1
        ([5], "03ffa0"),  # plain: 101
        ([2**63 - 1], "3fff" + "ff" * 7 + "fe"),
        ([-1], "40ff" + "ff" * 8),
        ([0, -1], "4040" + "5" + "f" * 15 + "e0"),  # 0, then 10 and 64 bits
        ([0] * 14 + [5], "03030002a0"),  # 14 times 0, then 10 101
        # 20 times 0; four times 10 11; 110 10 0000 0000
        ([0] * 20 + [3] * 4 + [512], "020a" + "00000bbbbd" + "0000"),
        # 40 times 0; six times 10 1; 110 1 0000; 111 and 64 bits
        ([0] * 40 + [1] * 6 + [16, -1], "0105" + "00" * 5 + "b6db743" + "f" * 16 + "8"),
    ],
)
def test_runs(numbers: list[int], run: str) -> None:
    assert written(numbers).tobytes().hex() == run
    read = words([7] * len(numbers))
    data = written(numbers)
    assert get_run(data, 0, len(data), read) == len(data)
    assert read.tolist() == numbers


def cost(numbers: list[int], narrow: int, wide: int) -> int:
    """Bits under two widths, from the description of the form alone."""
    lengths = [bit_length(number) for number in numbers]
    if wide == PLAIN:
        return narrow * len(numbers) if max(lengths, default=0) <= narrow else 2**40
    return sum(
        1 if n == 0 else 2 + narrow if n <= narrow else 3 + wide if n <= wide else 67
        for n in lengths
    )


@given(st.lists(FEW, max_size=30))
def test_no_other_widths_are_shorter(numbers: list[int]) -> None:
    narrow, wide, bits = choose_widths(words(numbers), COUNTS)
    assert bits == cost(numbers, narrow, wide)
    pairs = [(n, w) for n in range(65) for w in (*range(n, 65), PLAIN)]
    assert bits == min(cost(numbers, *pair) for pair in pairs)


@given(st.lists(FEW | st.integers(-(2**63), 2**63 - 1), max_size=40), st.integers(0, 5))
def test_a_run_is_read_as_it_was_written(numbers: list[int], place: int) -> None:
    narrow, wide, bits = choose_widths(words(numbers), COUNTS)
    out = np.zeros(16 + 9 * len(numbers), np.uint8)
    end = put_run(out, place, words(numbers), (narrow, wide))
    assert end == place + 2 + (bits + 7) // 8
    read = words([7] * len(numbers))
    assert get_run(out, place, end, read) == end
    assert read.tolist() == numbers


@pytest.mark.parametrize(
    ("run", "count"),
    [
        ("", 0),
        ("00", 0),
        ("41ff", 0),  # 65 bits
        ("0041", 0),
        ("00fe", 0),
        ("ffff", 0),
        ("08ff01", 2),  # plain, one number short
        ("0808", 1),  # no bits at all
        ("080880", 1),  # 10 and six bits
        ("0808e0ffffffffffffff", 1),  # 111 and 61 bits
    ],
)
def test_what_is_no_run(run: str, count: int) -> None:
    data = np.frombuffer(bytearray.fromhex(run), np.uint8)
    assert get_run(data, 0, len(data), words([0] * count)) == -1


def test_a_run_ends_where_its_reader_is_told() -> None:
    data = written([0] * 14 + [5])
    for end in range(len(data)):
        assert get_run(data, 0, end, words([0] * 15)) == -1
