"""The table from label bytes to series: equal bytes only, whatever their hashes do."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alicia.tsdb.kernels.bits import Bytes, Words
from alicia.tsdb.kernels.keys import (
    COLUMNS,
    GONE,
    Slots,
    fill_slots,
    find_all,
    find_key,
    hash_bytes,
    pack_keys,
)

SEED = 12345


def array(content: bytes) -> Bytes:
    return np.frombuffer(content, np.uint8)


def hashed(content: bytes, seed: int = SEED) -> int:
    return hash_bytes(array(content), 0, len(content), seed)


class Table:
    """Keys with the hashes that a test wants them to have."""

    def __init__(self, entries: list[tuple[bytes, int, int]], size: int = 8) -> None:
        self.arena = np.zeros(256, np.uint8)
        self.keys: Words = np.zeros((len(entries), COLUMNS), np.int64)
        self.slots: Slots = np.zeros(size, np.int32)
        place = 0
        for row, (key, hash_, ref) in enumerate(entries):
            self.arena[place : place + len(key)] = array(key)
            self.keys[row] = (hash_, place, len(key), ref)
            place += len(key)
        fill_slots(self.slots, self.keys, 0, len(entries))

    def row(self, key: bytes, hash_: int) -> int:
        return find_key(array(key), 0, len(key), hash_, self.slots, self.keys, self.arena)

    def refs(self, keys: list[bytes]) -> tuple[list[int], int]:
        """As find_all(), with a byte between the keys that belongs to none."""
        ends = np.cumsum([len(key) + 1 for key in keys])
        spans = np.stack((ends - 1 - [len(key) for key in keys], ends - 1), axis=1)
        refs = np.full(len(keys), 99, np.int64)
        data = array(b"".join(key + b"!" for key in keys))
        unknown = find_all(data, spans, SEED, self.slots, self.keys, self.arena, refs)
        return refs.tolist(), unknown


@given(st.binary(max_size=40), st.data())
def test_every_bit_and_the_length_change_the_hash(content: bytes, data: st.DataObject) -> None:
    assert hashed(content) == hashed(bytes(content))
    assert hashed(content) != hashed(content + b"\0")
    assert hashed(content) != hashed(content, SEED + 1)
    if content:
        flipped = bytearray(content)
        place = data.draw(st.integers(0, 8 * len(content) - 1))
        flipped[place // 8] ^= 1 << place % 8
        assert hashed(content) != hashed(bytes(flipped))


def test_a_hash_is_of_the_span_alone() -> None:
    content = b"0123456789abcdef0123"
    for start in range(4):
        for end in range(start, len(content)):
            assert hash_bytes(array(content), start, end, SEED) == hashed(content[start:end])


def test_hashes_use_all_their_bits() -> None:
    found = np.array([hashed(f"series {i}".encode()) for i in range(2000)], np.int64)
    ones = ((found[:, None] >> np.arange(64)) & 1).mean(axis=0)
    assert ((ones > 0.4) & (ones < 0.6)).all()


def test_keys_with_one_hash_are_told_apart_by_their_bytes() -> None:
    table = Table([(b"aa", 7, 10), (b"ab", 7, 11), (b"abc", 7, 12), (b"", 7, 13)])
    assert [table.row(key, 7) for key in (b"aa", b"ab", b"abc", b"")] == [0, 1, 2, 3]
    assert table.row(b"zz", 7) == -1
    assert table.row(b"aa", 15) == -1, "the same slot, another hash"


@pytest.mark.parametrize("hash_", [7, -1, 2**63 - 1, 15])
def test_a_search_goes_on_at_the_first_slot_behind_the_last(hash_: int) -> None:
    table = Table([(b"a", hash_, 0), (b"b", hash_, 1), (b"c", 0, 2)])
    assert table.slots.tolist() == [2, 3, 0, 0, 0, 0, 0, 1]
    assert [table.row(b"a", hash_), table.row(b"b", hash_), table.row(b"c", 0)] == [0, 1, 2]
    assert table.row(b"d", hash_) == -1


def test_what_is_gone_gives_its_room_back() -> None:
    table = Table([(b"aa", 1, GONE), (b"bbb", 2, 5), (b"", 3, 6), (b"c", 4, GONE), (b"dd", 5, 7)])
    moved = np.full(5, 99, np.int64)
    assert pack_keys(table.keys, 5, table.arena, moved) == (3, 5)
    assert moved.tolist() == [-1, 0, 1, -1, 2]
    assert table.keys[:3].tolist() == [[2, 0, 3, 5], [3, 3, 0, 6], [5, 3, 2, 7]]
    assert table.arena[:5].tobytes() == b"bbbdd"
    assert pack_keys(table.keys, 3, table.arena, moved) == (3, 5), "nothing is gone"
    assert pack_keys(table.keys, 0, table.arena, moved) == (0, 0)


def test_many_are_looked_up_at_once() -> None:
    keys = [b"", b"a", b"\x00", b"\x00\x00", b"x" * 30, b"ended"]
    table = Table([(k, hashed(k), GONE if k == b"ended" else i) for i, k in enumerate(keys)], 16)
    assert table.refs([*keys, b"new"]) == ([0, 1, 2, 3, 4, GONE, GONE], 2)
