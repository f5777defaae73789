"""Arbitrary and broken bytes for whatever reads bytes: an answer, never an error or a stray read.

What is compiled runs with many inputs; its source as plain Python over guarded arrays with fewer,
since that also fails where a place outside of an array is read.
"""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.plain_kernels import guarded, plain

from alicia.series.samples import STALE_BITS
from alicia.tsdb.kernels import classes, decimals, log, xor
from alicia.tsdb.kernels.bits import Bytes, Words
from alicia.tsdb.kernels.chunk import (
    SCRATCH_MIN,
    SCRATCH_ROWS,
    bytes_max,
    decode_chunk,
    encode_chunk,
)
from alicia.tsdb.log import encode_names, encode_samples
from alicia.tsdb.rows import Rows

NOW = 1_700_000_000_000
ROOM = 16
MARK = 0x5555_5555_5555_5555
TABLES = log.checksum_tables()
REFS = np.array([-1, 10, 11, -1, 14], np.int64)


def array(content: bytes) -> Bytes:
    return np.frombuffer(bytearray(content), np.uint8)


def chunks() -> Iterator[bytes]:
    """One of every form and size."""
    chance = np.random.default_rng(1)
    for count in (1, 2, 3, ROOM):
        t_ms = NOW + 15_000 * np.arange(count) + chance.integers(0, 3, count)
        for values in (
            np.full(count, 7.25),
            np.arange(count) * 4096.0,
            np.round(chance.normal(20, 1, count), 1),
            chance.normal(size=count),
        ):
            words = values.view(np.int64)
            yield encoded(t_ms, words)
            words[-1] = STALE_BITS
            yield encoded(t_ms, words)


def encoded(t_ms: Words, values: Words) -> bytes:
    out = np.zeros(bytes_max(len(t_ms)), np.uint8)
    scratch = np.zeros((SCRATCH_ROWS, SCRATCH_MIN), np.int64)
    return out[: encode_chunk(t_ms, values, 0, out, 0, scratch)].tobytes()


CHUNKS = tuple(chunks())


def broken(whole: bytes, chance: np.random.Generator) -> bytes:
    """The bytes with some bits flipped, some replaced, cut or continued."""
    content = bytearray(whole)
    for place in chance.integers(0, 8 * len(content), chance.integers(0, 4)):
        content[place // 8] ^= 1 << place % 8
    if chance.random() < 0.3:
        content[chance.integers(len(content))] = chance.choice([0, 1, 0x7F, 0x80, 0xFF])
    if chance.random() < 0.3:
        del content[chance.integers(len(content)) :]
    if chance.random() < 0.3:
        content += chance.bytes(chance.integers(1, 12))
    return bytes(content)


def decode(content: bytes, decoder: Callable[..., Any] = decode_chunk) -> int:
    """Decode what stands between two other chunks, into arrays that end within larger ones."""
    data = array(b"\xff" * 9 + content + b"\xff" * 9)
    outer = np.full((2, ROOM + 2), MARK, np.int64)
    t_ms, values = outer[0, 1:-1], outer[1, 1:-1]
    count = int(decoder(data, 9, 9 + len(content), NOW, t_ms, values))
    assert (outer[:, [0, -1]] == MARK).all()
    assert -1 <= count <= ROOM
    assert count != 0
    assert (outer[:, 1 + max(count, 0) : -1] == MARK).all() or count < 0
    return count


def test_broken_chunks() -> None:
    chance = np.random.default_rng(2)
    counts = [decode(broken(whole, chance)) for _ in range(1500) for whole in CHUNKS]
    assert counts.count(-1) > 5000, "damage is seen where it breaks the form"
    assert len(counts) - counts.count(-1) > 5000, "and the rest is read as something"


def test_arbitrary_bytes_as_a_chunk() -> None:
    chance = np.random.default_rng(3)
    counts = [decode(bytes([n % 20]) + chance.bytes(n % 60)) for n in range(40_000)]
    assert {-1, 1} <= set(counts)


def test_arbitrary_bytes_behind_sound_times() -> None:
    chance = np.random.default_rng(4)
    counts = []
    for n in range(40_000):
        head = bytes((3 + n % 14, 0, 0, 0, 0xFF, *chance.integers((4, 11, 3))))
        counts.append(decode(head[: 6 + n % 3] + chance.bytes(n % 60)))
    assert {-1, 3, ROOM} <= set(counts)


def guarded_decode(data: Bytes, place: int, end: int, *rest: Any) -> int:
    base_ms, t_ms, values = rest
    arrays = guarded(data[:end]), place, end, base_ms, guarded(t_ms), guarded(values)
    return int(plain(decode_chunk)(*arrays))


@pytest.mark.parametrize("seed", range(4))
def test_no_decoder_reads_beside_its_bytes(seed: int) -> None:
    chance = np.random.default_rng(seed)
    for whole in CHUNKS:
        for _ in range(4):
            content = broken(whole, chance)
            assert decode(content, guarded_decode) == decode(content)


@settings(max_examples=200)
@given(st.binary(max_size=40), st.integers(0, 8))
def test_arbitrary_bytes_as_parts_of_a_chunk(content: bytes, count: int) -> None:
    for kernel, least in ((classes.get_run, 0), (xor.get_xored, 1), (decimals.get_decimals, 1)):
        numbers = np.zeros(max(count, least), np.int64)
        compiled = kernel(array(content), 0, len(content), numbers)
        assert -1 <= compiled <= len(content)
        again = guarded(np.zeros(max(count, least), np.int64))
        assert plain(kernel)(guarded(array(content)), 0, len(content), again) == compiled
        if compiled >= 0:
            assert again.tobytes() == numbers.tobytes()


WHOLE = [(10, NOW, 5), (11, NOW + 1, -6), (14, NOW, STALE_BITS)]
FAR = [(10, NOW, 5), (11, NOW + 1, -6), (14, -NOW, STALE_BITS)]


def record_of(samples: list[tuple[int, int, int]]) -> bytes:
    columns = np.array(samples, np.int64).T
    refs = np.searchsorted([9, 10, 11, 12, 14], columns[0])
    return encode_samples(Rows(refs, columns[1].copy(), columns[2].copy()))


NAMES = encode_names([(1, b"one"), (2, b"another"), (4, b"")])
SEGMENT = NAMES + record_of(WHOLE) + record_of(FAR)


def read_all(content: bytes) -> list[tuple[int, int, int]]:
    """As replay does: record by record, going on at the next sound one after damage."""
    data = np.frombuffer(content, np.uint8)
    out = np.zeros((3, ROOM), np.int64)
    found: list[tuple[int, int, int]] = []
    place = 0
    while True:
        before = place
        why, place, count = log.read_records(data, place, TABLES, REFS, out, 0)
        found += [tuple(column) for column in out[:, :count].T.tolist()]
        assert before <= place <= len(data)
        if why == log.END or place == len(data):
            return found
        if why == log.AT_NAMES:
            place = log.whole_record(data, place, TABLES)
        else:
            assert why == log.DAMAGED
            place = log.find_magic(data, place + 1)
        assert place > before or count, "it goes on"


def test_a_segment_that_nothing_hit() -> None:
    assert read_all(SEGMENT) == WHOLE + FAR


def test_every_flipped_bit_costs_its_record_and_no_other() -> None:
    """What names cost is for replay to say; here the references are known beforehand."""
    middle = len(NAMES) + len(record_of(WHOLE))
    for place in range(8 * len(SEGMENT)):
        flipped = bytearray(SEGMENT)
        flipped[place // 8] ^= 1 << place % 8
        left = WHOLE + FAR
        if place // 8 >= len(NAMES):
            left = FAR if place // 8 < middle else WHOLE
        assert read_all(bytes(flipped)) == left, place


def test_broken_segments() -> None:
    chance = np.random.default_rng(5)
    sound = set(WHOLE + FAR)
    for _ in range(20_000):
        assert set(read_all(broken(SEGMENT + SEGMENT, chance))) <= sound


@given(st.binary(max_size=200))
def test_arbitrary_bytes_as_a_segment(content: bytes) -> None:
    assert read_all(content) == []
    assert read_all(content + SEGMENT) == WHOLE + FAR
