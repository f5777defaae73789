"""Blocks: written from memory, read in its place, opened again, deleted by age."""

from typing import Any

import numpy as np
import pytest
from tests.support.fault_disk import FaultDisk

from alicia.series.labels import LabelSet
from alicia.series.samples import STALE, Sample, bits
from alicia.tsdb.block_file import DamagedBlock, decode_head
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
