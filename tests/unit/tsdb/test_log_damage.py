"""Copies of a log that are cut, flipped and zeroed: it always opens, and loses what was hit."""

import random
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pytest
from tests.support.fault_disk import FaultDisk

from alicia.tsdb.kernels.log import HEAD_BYTES
from alicia.tsdb.log import encode_names, encode_samples, segment_name
from alicia.tsdb.ports import DiskFault, DiskFull
from alicia.tsdb.rows import Rows
from alicia.tsdb.segments import Damage, Segments

PAGE = 4096
FIRST = f"wal/{segment_name(1)}"

Sample = tuple[bytes, int, int]  # the key of the series, time, bits of the value


class Record(NamedTuple):
    """One record of a log: where it is, its samples, and the series that it names."""

    start: int
    end: int
    samples: frozenset[Sample]
    names: frozenset[bytes]


class Log:
    """A segment of ``size`` bytes at least: samples of a few series, and now and then a new one."""

    def __init__(self, size: int) -> None:
        self.content = b""
        self.records: list[Record] = []
        chance = random.Random(size)
        keys: list[bytes] = []
        while len(self.content) < size:
            if len(self.records) % 16 == 0:
                keys.append(b"series %d" % len(keys))
                named = encode_names([(len(keys) - 1, keys[-1])])
                self._add(named, frozenset(), frozenset(keys[-1:]))
            t_ms = 1_000_000 + 10 * len(self.records)
            far_ms = 2**40 if len(self.records) % 5 == 0 else 0  # the layout with whole times
            rows = [
                (chance.randrange(len(keys)), t_ms + i + far_ms * (i % 2), chance.getrandbits(62))
                for i in range(chance.randint(1, 6))
            ]
            columns = np.array(rows, np.int64).T
            samples = frozenset((keys[ref], t, value) for ref, t, value in rows)
            self._add(encode_samples(Rows(*columns.copy())), samples, frozenset())

    def _add(self, record: bytes, samples: frozenset[Sample], names: frozenset[bytes]) -> None:
        start = len(self.content)
        self.content += record
        self.records.append(Record(start, len(self.content), samples, names))

    def all(self) -> set[Sample]:
        return {sample for record in self.records for sample in record.samples}

    def hit(self, start: int, end: int) -> set[Sample]:
        """What damage of these bytes may cost: a name that is lost takes its samples with it."""
        hit = [record for record in self.records if record.start < end and start < record.end]
        nameless = {name for record in hit for name in record.names}
        lost = {sample for sample in self.all() if sample[0] in nameless}
        return lost.union(*(record.samples for record in hit))


class Read:
    """What came of opening these segments, and the disk as it is now."""

    def __init__(self, *contents: bytes) -> None:
        self.disk = FaultDisk()
        for number, content in enumerate(contents, start=1):
            self.disk.files[f"wal/{segment_name(number)}"] = bytearray(content)
            self.disk.synced[f"wal/{segment_name(number)}"] = 0
        self.samples: set[Sample] = set()
        keys: list[bytes] = []

        def open_series(key: bytes) -> int:
            keys.append(key)
            return len(keys) - 1

        def take(rows: Rows) -> None:
            for ref, t_ms, value in zip(*(column.tolist() for column in rows), strict=True):
                self.samples.add((keys[ref], t_ms, value))

        self.log = Segments(self.disk)
        self.log.replay(open_series, take)

    @property
    def is_kept(self) -> bool:
        return f"{FIRST}.corrupt" in self.disk.files


class Refusing(FaultDisk):
    """A disk with room for no further name, which cannot sync what it has."""

    def link(self, name: str, other: str) -> None:
        raise DiskFull(f"{other}: no space left")

    def sync(self, name: str) -> None:
        raise DiskFault(f"{name}: input/output error")


SMALL = Log(2 * PAGE)


def test_a_sound_log_is_read_whole() -> None:
    read = Read(SMALL.content)
    assert read.samples == SMALL.all()
    assert (read.log.damage, read.is_kept, read.log.current) == (Damage(0, 0), False, 2)


@pytest.mark.parametrize("size", [PAGE, pytest.param(16 * PAGE, marks=pytest.mark.slow)])
def test_a_log_cut_anywhere_keeps_every_whole_record(size: int) -> None:
    log = SMALL if size == PAGE else Log(2 * size)
    whole = len(log.content)
    for end in range(whole - size, whole):
        read = Read(log.content[:end])
        kept = [record for record in log.records if record.end <= end]
        assert read.samples == {sample for record in kept for sample in record.samples}, end
        assert len(read.disk.files[FIRST]) == kept[-1].end, "the torn end was cut off"
        assert read.log.damage == Damage(0, 0)


def flips(log: Log, count: int) -> Iterator[tuple[int, bytes]]:
    """Copies with one bit turned, and the byte it is in."""
    chance = random.Random(count)
    for _ in range(count):
        at = chance.randrange(len(log.content))
        copy = bytearray(log.content)
        copy[at] ^= 1 << chance.randrange(8)
        yield at, bytes(copy)


@pytest.mark.parametrize("flip_count", [200, pytest.param(2000, marks=pytest.mark.slow)])
@pytest.mark.parametrize("is_last", [True, False])
def test_a_bit_that_turned_costs_its_record(flip_count: int, is_last: bool) -> None:
    for at, copy in flips(SMALL, flip_count):
        read = Read(copy) if is_last else Read(copy, b"")
        lost = SMALL.hit(at, at + 1)
        assert SMALL.all() - lost <= read.samples <= SMALL.all(), at
        last = SMALL.records[-1].start
        if is_last and last + 8 <= at < last + 12 and not read.log.damage.records:
            continue  # a length that points behind the end looks like a record half written
        assert read.log.damage.records > 0, at
        assert bytes(read.disk.files[f"{FIRST}.corrupt"]) == copy


@pytest.mark.parametrize("is_last", [True, False])
@pytest.mark.parametrize("page", range(len(SMALL.content) // PAGE + 1))
def test_a_zeroed_page_costs_what_was_on_it(page: int, is_last: bool) -> None:
    start, end = page * PAGE, min((page + 1) * PAGE, len(SMALL.content))
    copy = SMALL.content[:start] + bytes(end - start) + SMALL.content[end:]
    read = Read(copy) if is_last else Read(copy, b"")
    assert SMALL.all() - SMALL.hit(start, end) <= read.samples <= SMALL.all()
    assert read.log.damage.records == 1
    assert 0 < read.log.damage.bytes <= end - start + 1024
    assert read.is_kept


@pytest.mark.parametrize("rest", [b"", b"\xa1ALI", bytes(8), bytes(PAGE)])
def test_a_last_segment_that_holds_nothing_costs_nothing(rest: bytes) -> None:
    read = Read(SMALL.content, rest)
    assert read.samples == SMALL.all()
    assert read.log.damage.records == (1 if rest.startswith(b"\0") else 0)
    assert read.log.current == 3


def test_damage_in_one_segment_costs_none_of_the_next() -> None:
    other = Log(PAGE)
    read = Read(bytes(len(SMALL.content)), other.content)
    assert read.samples == other.all()
    assert read.log.damage == Damage(1, len(SMALL.content))


def test_damage_is_told_at_every_start_while_its_file_is_there() -> None:
    copy = bytearray(SMALL.content)
    copy[SMALL.records[-1].start + HEAD_BYTES] ^= 1
    read = Read(bytes(copy))
    again = Segments(read.disk)
    again.replay(lambda key: 0, lambda rows: None)
    assert again.damage == read.log.damage != Damage(0, 0)


def test_a_start_outlives_a_disk_that_neither_links_nor_syncs() -> None:
    copy = bytearray(SMALL.content)
    copy[HEAD_BYTES] ^= 1
    disk = Refusing()
    disk.files[FIRST] = copy
    log = Segments(disk)
    log.replay(lambda key: 0, lambda rows: None)
    assert (log.damage.records, log.sync_failures) == (1, 1)
    assert list(disk.files) == [FIRST]
