"""Blocks: written from memory, read in its place, opened again, deleted by age."""

import zlib
from typing import Any

import numpy as np
import pytest
from tests.support.fault_disk import FaultDisk

from alicia.series.labels import LabelSet
from alicia.series.samples import STALE, Sample, bits
from alicia.tsdb.block_file import DamagedBlock, NewerBlock, decode_head
from alicia.tsdb.ports import DiskFault
from alicia.tsdb.series_table import Limits
from alicia.tsdb.store import Batch, Store
from alicia.tsdb.verdict import Verdict

HOUR = 3_600_000
T = 10 * HOUR
LATER = T + HOUR // 4  # a block is due
LIMITS = Limits(retention_ms=HOUR)


def series(n: int) -> LabelSet:
    return LabelSet({"__name__": "x", "n": str(n)})


def opened(disk: FaultDisk, now_ms: int = T) -> Store:
    store = Store(LIMITS, disk=disk)
    store.replay(now_ms)
    return store


def write(store: Store, *samples: tuple[LabelSet, int, float], now: int = T) -> list[Verdict]:
    return list(store.write(Batch([Sample(*sample) for sample in samples], now)))


def held(store: Store) -> dict[str, list[tuple[int, int]]]:
    return {
        labels["n"]: [(t, bits(v)) for t, v in zip(t_ms.tolist(), values.tolist(), strict=True)]
        for labels, t_ms, values in store.select((), 0, 2**60)
    }


def compact(store: Store, now_ms: int = LATER) -> None:
    for _ in store.compact(now_ms):
        pass


def blocks(disk: FaultDisk) -> list[str]:
    return [name for name in disk.names("raw") if name.endswith(".block")]


def test_what_was_in_memory_is_read_from_the_block_and_needs_no_log() -> None:
    disk = FaultDisk()
    store = opened(disk)
    rng = np.random.default_rng(1)
    for i in range(50):
        values = rng.normal(size=3).round(2).tolist()
        write(store, *((series(n), T + i * 1000, values[n]) for n in range(3)))
    write(store, (series(1), T + 500, STALE), (series(2), T - 9, 1.5))  # late ones
    before = held(store)
    compact(store)
    assert held(store) == before
    assert blocks(disk) == ["000000000001.block"]
    assert disk.names("wal") == []
    assert store.stats(T).samples == 152
    again = opened(disk, LATER)
    assert held(again) == before
    assert again.stats(T).log_bytes == 0


def test_a_block_waits_until_a_quarter_of_the_retention_has_passed() -> None:
    disk = FaultDisk()
    store = opened(disk)
    write(store, (series(1), T, 1.0))
    compact(store, LATER - 1)
    assert blocks(disk) == []
    compact(store, LATER)
    assert blocks(disk) != []
    compact(store, LATER + HOUR // 4)  # nothing came meanwhile
    assert len(blocks(disk)) == 1


def test_writes_go_on_between_the_steps() -> None:
    disk = FaultDisk()
    store = opened(disk)
    write(store, *((series(n), T, float(n)) for n in range(2500)))
    steps = store.compact(LATER)
    next(steps)
    write(store, (series(0), T + 1, 7.0), (series(1), T - 1, 8.0), (series(9999), T, 9.0))
    during = held(store)
    for _ in steps:
        assert held(store) == during
    assert held(store) == during
    assert held(opened(disk)) == during
    assert during["0"] == [(T, bits(0.0)), (T + 1, bits(7.0))]


def test_verdicts_know_what_is_in_blocks() -> None:
    disk = FaultDisk()
    store = opened(disk)
    write(store, (series(1), T, 1.0), (series(1), T + 10, STALE))
    compact(store)
    for each in (store, opened(disk, LATER)):
        assert write(each, (series(1), T, 1.0), now=LATER) == [Verdict.REPEAT]
        assert write(each, (series(1), T, 2.0), now=LATER) == [Verdict.DUPLICATE_TIMESTAMP]
        assert write(each, (series(1), T + 10, STALE), now=LATER) == [Verdict.REPEAT]
    assert write(each, (series(1), T + 10, 4.0), now=LATER) == [Verdict.STORED]
    assert write(each, (series(1), T + 10, 4.0), now=LATER) == [Verdict.REPEAT]
    newest = each.newest(series(1))
    assert newest is not None
    assert newest.value == 4.0
    assert held(each) == {"1": [(T, bits(1.0)), (T + 10, bits(4.0))]}


def test_old_blocks_are_deleted_with_their_series() -> None:
    disk = FaultDisk()
    store = opened(disk)
    write(store, (series(1), T, 1.0))
    compact(store)
    much_later = T + HOUR + 1
    assert sum(store.expire(much_later)) == 1
    compact(store, much_later)
    assert blocks(disk) == []
    assert held(store) == {}
    assert opened(disk, much_later).series_count == 0


def test_a_reference_that_comes_again_finds_nothing_of_the_series_before() -> None:
    disk = FaultDisk()
    store = opened(disk)
    write(store, (series(1), T, 1.0))
    write(store, (series(2), T + HOUR // 2, 2.0), now=T + HOUR // 2)
    compact(store, T + HOUR // 2)
    now = T + HOUR + 1
    assert sum(store.expire(now)) == 1
    write(store, (series(3), now, 3.0), now=now)  # takes the place of series 1
    assert held(store).keys() == {"2", "3"}
    assert held(store)["3"] == [(now, bits(3.0))]


def test_a_failed_write_leaves_all_as_it_was() -> None:
    disk = FaultDisk()
    store = opened(disk)
    write(store, (series(1), T, 1.0), (series(1), T - 5, 2.0))
    before = held(store)
    disk.fail_append = 10
    with pytest.raises(DiskFault):
        compact(store)
    assert held(store) == before
    assert disk.names("raw") == []
    assert held(opened(disk)) == before
    compact(store, LATER + HOUR // 4)
    assert held(store) == before
    assert len(blocks(disk)) == 1


def test_a_block_that_was_not_finished_is_removed() -> None:
    disk = FaultDisk()
    store = opened(disk)
    write(store, *((series(n), T, 1.0) for n in range(1500)))
    before = held(store)
    next(store.compact(LATER))
    again = opened(disk)
    assert held(again) == before
    assert disk.names("raw") == []


def whole_block() -> tuple[FaultDisk, bytes]:
    disk = FaultDisk()
    store = opened(disk)
    write(store, *((series(n), T + n, n / 3) for n in range(20)))
    compact(store)
    return disk, disk.read("raw/000000000001.block")


def test_a_damaged_index_sets_the_file_aside() -> None:
    disk, content = whole_block()
    for place in range(len(content) - 150, len(content), 7):
        damaged = bytearray(content)
        damaged[place] ^= 0x10
        with pytest.raises(DamagedBlock):
            decode_head(np.frombuffer(bytes(damaged), np.uint8))
    disk.files["raw/000000000001.block"][-1] ^= 1
    store = opened(disk)
    assert held(store) == {}
    assert disk.names("raw") == ["000000000001.block.corrupt"]


@pytest.mark.parametrize("size", [0, 1, 83, 84, 85, 500])
def test_a_part_of_a_block_is_none(size: int) -> None:
    _, content = whole_block()
    with pytest.raises(DamagedBlock):
        decode_head(np.frombuffer(content[:size], np.uint8))


def test_a_damaged_chunk_costs_only_itself() -> None:
    disk, _ = whole_block()
    before = held(opened(disk, LATER))
    disk.files["raw/000000000001.block"][6] ^= 1  # in the first chunk
    store = opened(disk, LATER)
    after = held(store)
    assert after == {n: samples for n, samples in before.items() if n != "0"}
    damaged: Any = store.stats(LATER).damaged_chunks
    assert damaged > 0


def test_segments_of_the_log_are_never_numbered_as_those_that_a_block_replaced() -> None:
    disk = FaultDisk()
    for i in range(4):
        now = T + i * HOUR // 4
        store = opened(disk, now)
        write(store, (series(1), now, float(i)), now=now)
        compact(store, now + HOUR // 4)
        write(store, (series(2), now, float(i)), now=now)
    found = held(opened(disk, now))
    assert [len(found["1"]), len(found["2"])] == [4, 4]


class Turnstile:
    """A guard that lets something happen before it is entered for the n-th time."""

    def __init__(self) -> None:
        self.waiting: list[Any] = []

    def __enter__(self) -> None:
        if self.waiting:
            step = self.waiting.pop(0)
            if step is not None:
                step()

    def __exit__(self, *_: object) -> None:
        pass


def test_a_series_that_ends_while_blocks_are_read_is_left_out() -> None:
    guard = Turnstile()
    store = Store(LIMITS, disk=FaultDisk(), guard=guard)
    store.replay(T)
    write(store, (series(1), T, 1.0), (series(2), T + HOUR // 9, 2.0))
    compact(store)

    def end_the_first() -> None:
        now = T + HOUR + 1
        assert sum(store.expire(now)) == 1
        write(store, (series(3), now, 3.0), now=now)  # takes its reference

    guard.waiting = [None, end_the_first]
    assert held(store) == {"2": [(T + HOUR // 9, bits(2.0))]}
    assert guard.waiting == []
    assert held(store).keys() == {"2", "3"}


DAY = 24 * HOUR


def fill(store: Store, start_ms: int) -> None:
    for t_ms in range(start_ms, start_ms + 2 * HOUR, HOUR // 6):
        write(store, *((series(n), t_ms, t_ms % 97 + n / 7) for n in range(3)), now=t_ms)


def filled(disk: FaultDisk, stretches: int) -> Store:
    """A store with a block for each two hours; a retention of 16 days lets them merge."""
    store = Store(Limits(retention_ms=16 * DAY), disk=disk)
    store.replay(T)
    for i in range(stretches):
        now = T + i * 2 * HOUR
        fill(store, now)
        before = held(store)
        for _ in store.compact(now + 2 * HOUR):
            assert held(store) == before
        assert held(store) == before
    return store


def test_small_blocks_become_larger_ones_until_they_span_an_eighth_of_the_retention() -> None:
    disk = FaultDisk()
    store = filled(disk, 17)
    before = held(store)
    assert len(blocks(disk)) == 2  # sixteen in one, and one more
    again = Store(Limits(retention_ms=16 * DAY), disk=disk)
    again.replay(T + 34 * HOUR)
    assert held(again) == before


def test_a_crash_before_the_parts_were_removed_leaves_them_replaced() -> None:
    disk = FaultDisk()
    store = filled(disk, 3)
    fill(store, T + 6 * HOUR)
    before = held(store)
    parts = {}
    for _ in store.compact(T + 8 * HOUR):
        parts = {name: disk.files[name] for name in disk.files if name.endswith(".block")}
    assert len(parts) == 4
    (merged,) = blocks(disk)
    for name, content in parts.items():
        disk.files[name], disk.synced[name] = content, len(content)
    again = Store(Limits(retention_ms=16 * DAY), disk=disk)
    again.replay(T + 8 * HOUR)
    assert blocks(disk) == [merged]
    assert held(again) == before


def test_a_merge_that_fails_leaves_the_parts_and_is_tried_again() -> None:
    disk = FaultDisk()
    store = filled(disk, 3)
    fill(store, T + 6 * HOUR)
    before = held(store)
    steps = store.compact(T + 8 * HOUR)
    next(steps)
    while len(blocks(disk)) < 4:
        next(steps)
    disk.fail_append = 0
    with pytest.raises(DiskFault):
        list(steps)
    assert held(store) == before
    assert len(blocks(disk)) == 4
    compact(store, T + 10 * HOUR)
    assert held(store) == before
    assert len(blocks(disk)) == 1


def test_blocks_that_nobody_reads_let_go_of_their_index_and_take_it_again() -> None:
    disk = FaultDisk()
    store = opened(disk)
    write(store, (series(1), T, 1.0))
    compact(store)
    before = held(store)
    for _ in range(3):
        compact(store, LATER + 1)
    assert held(store) == before


def test_a_block_of_a_later_version_is_refused_by_name() -> None:
    disk, content = whole_block()
    place = content.rindex(b"ALICIABK")
    footer = bytearray(content[place:-4])
    footer[8] = 2
    newer = content[:place] + bytes(footer) + zlib.crc32(bytes(footer)).to_bytes(4, "little")
    disk.files["raw/000000000001.block"][:] = newer
    with pytest.raises(NewerBlock, match="format 2"):
        opened(disk)
    assert blocks(disk) == ["000000000001.block"]
