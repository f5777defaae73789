"""Records of the log: sums as zlib's, spans as written, damage told and never believed."""

import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alicia.tsdb.kernels import log as k
from alicia.tsdb.kernels.bits import Bytes, Words
from alicia.tsdb.log import (
    decode_names,
    encode_names,
    encode_samples,
    segment_name,
    segment_number,
)
from alicia.tsdb.rows import Rows

TABLES = k.checksum_tables()
REFS = np.array([-1, 10, 11, -1, 14], np.int64)  # the series by the reference of a segment
NOW = 1_700_000_000_000
MAGIC = k.MAGIC.to_bytes(8, "little", signed=True)


def array(content: bytes) -> Bytes:
    return np.frombuffer(content, np.uint8)


def rows(*samples: tuple[int, int, int]) -> Rows:
    columns = np.array(samples, np.int64).reshape(-1, 3).T
    return Rows(*(column.copy() for column in columns))


def record(kind: int, count: int, body: bytes, base_ms: int = 0) -> bytes:
    """A sound record, from the description of the form alone."""
    head = (kind | count << 8).to_bytes(8, "little") + base_ms.to_bytes(8, "little", signed=True)
    content = head + body
    sizes = len(content).to_bytes(4, "little") + zlib.crc32(content).to_bytes(4, "little")
    return MAGIC + sizes + content


def read(content: bytes, room: int = 100) -> tuple[int, int, list[tuple[int, ...]]]:
    """Why it stopped, where, and the samples."""
    out: Words = np.zeros((3, room), np.int64)
    why, place, count = k.read_records(array(content), 0, TABLES, REFS, out, 0)
    return why, place, [tuple(column) for column in out[:, :count].T.tolist()]


@given(st.binary(max_size=70), st.integers(0, 9), st.integers(0, 9))
def test_the_checksum_is_that_of_zlib(content: bytes, place: int, cut: int) -> None:
    end = max(len(content) - cut, place)
    if end <= len(content):
        assert k.checksum(array(content), place, end, TABLES) == zlib.crc32(content[place:end])


def test_magic_is_found_at_every_place() -> None:
    for place in range(12):
        content = b"\xa1" * place + MAGIC + b"\xa1"
        assert k.find_magic(array(content), 0) == place
        assert k.find_magic(array(content), place) == place
        assert k.find_magic(array(content), place + 1) == len(content)
        assert k.find_magic(array(content[: place + 7]), 0) == place + 7
    assert k.find_magic(array(b""), 0) == 0


def test_a_record_is_whole_or_none() -> None:
    content = encode_samples(rows((1, NOW, 5), (2, NOW + 1, 6)))
    assert k.whole_record(array(content), 0, TABLES) == len(content)
    assert k.whole_record(array(b"!" + content + b"!"), 1, TABLES) == 1 + len(content)
    for end in range(len(content)):
        assert k.whole_record(array(content[:end]), 0, TABLES) == -1
    for place in range(8 * len(content)):
        flipped = bytearray(content)
        flipped[place // 8] ^= 1 << place % 8
        assert k.whole_record(array(bytes(flipped)), 0, TABLES) == -1


@pytest.mark.parametrize("size", [0, 8, 15])
def test_a_body_without_its_head_is_no_record(size: int) -> None:
    body = bytes(size)
    sizes = size.to_bytes(4, "little") + zlib.crc32(body).to_bytes(4, "little")
    assert k.whole_record(array(MAGIC + sizes + body), 0, TABLES) == -1


FAR = 2**31 - 1


@pytest.mark.parametrize(
    ("samples", "kind"),
    [
        ([(1, NOW, 5)], k.SAMPLES),
        ([(1, NOW, -1), (2, NOW - 1, 2**63 - 1), (1, NOW + 1, -(2**63))], k.SAMPLES),
        ([(1, NOW, 5), (2, NOW + FAR, 6), (2, NOW - FAR, 7)], k.SAMPLES),
        ([(1, NOW, 5), (2, NOW + FAR + 1, 6)], k.FAR_SAMPLES),
        ([(1, NOW, 5), (2, NOW - FAR - 1, 6)], k.FAR_SAMPLES),
        ([(1, -(2**62), 5), (2, 2**62, 6)], k.FAR_SAMPLES),
        ([(1, -5, 5), (2, 0, 6)], k.SAMPLES),
    ],
)
def test_samples_are_read_as_they_were_written(
    samples: list[tuple[int, int, int]], kind: int
) -> None:
    content = encode_samples(rows(*samples))
    assert content[16] == kind
    named = [(int(REFS[ref]), t_ms, value) for ref, t_ms, value in samples]
    assert read(content) == (k.END, len(content), named)


def test_samples_of_series_without_a_name_are_left_out() -> None:
    samples = [(0, NOW, 1), (1, NOW, 2), (3, NOW, 3), (4, NOW, 4), (5, NOW, 5), (2**31 - 1, NOW, 6)]
    why, _, found = read(encode_samples(rows(*samples)))
    assert (why, found) == (k.END, [(10, NOW, 2), (14, NOW, 4)])
    far = [(-1, NOW, 1), (2**40, -NOW, 2), (2, NOW, 3)]
    assert read(encode_samples(rows(*far)))[2] == [(11, NOW, 3)]


def test_why_reading_stops() -> None:
    first, second = (
        encode_samples(rows((1, NOW, 1))),
        encode_samples(rows((1, NOW, 2), (2, NOW, 3))),
    )
    names = encode_names([(1, b"key")])
    assert read(b"") == (k.END, 0, [])
    assert read(first + second)[:2] == (k.END, len(first + second))
    assert read(first + names + second) == (k.AT_NAMES, len(first), [(10, NOW, 1)])
    assert read(first + second, room=2) == (k.FULL, len(first), [(10, NOW, 1)])
    assert read(first + second, room=3)[0] == k.END
    for end in range(len(first) + 1, len(first + second)):
        assert read((first + second)[:end]) == (k.DAMAGED, len(first), [(10, NOW, 1)])


@pytest.mark.parametrize(
    ("kind", "count", "size"),
    [
        (0, 0, 0),  # no such kind
        (4, 0, 0),
        (k.SAMPLES, 1, 0),  # says more than it holds
        (k.SAMPLES, 0, 16),  # and less
        (k.SAMPLES, 2**55, 16),
        (k.SAMPLES, 2**56 - 1, 16),  # the highest bit makes it negative
        (k.FAR_SAMPLES, 1, 16),
        (k.FAR_SAMPLES, 2, 24),
        (k.SAMPLES, 1, 24),  # half a sample too much
        (k.FAR_SAMPLES, 1, 40),
    ],
)
def test_sound_sums_over_senseless_records(kind: int, count: int, size: int) -> None:
    content = record(kind, count, bytes(size))
    assert k.whole_record(array(content), 0, TABLES) == len(content)
    assert read(content) == (k.DAMAGED, 0, [])


@given(st.lists(st.tuples(st.integers(0, 2**24), st.binary(max_size=20)), max_size=8))
def test_names_are_read_as_they_were_written(names: list[tuple[int, bytes]]) -> None:
    content = encode_names(names)
    assert len(content) % 8 == 0
    assert list(decode_names(memoryview(content)[k.HEAD_BYTES :])) == names


@pytest.mark.parametrize(
    ("name", "number"),
    [
        ("000000000001.wal", 1),
        ("999999999999.wal", 999_999_999_999),
        ("7.wal", 7),
        ("000000000001.wal.corrupt", None),
        ("000000000001", None),
        (".wal", None),
        ("-1.wal", None),
        ("٣.wal", None),
        ("1.wal.1", None),
    ],
)
def test_numbers_of_segments(name: str, number: int | None) -> None:
    assert segment_number(name) == number


def test_names_of_segments_sort_as_their_numbers() -> None:
    numbers = [1, 2, 9, 10, 99, 100, 10**11]
    names = [segment_name(number) for number in numbers]
    assert names == sorted(names)
    assert [segment_number(name) for name in names] == numbers
