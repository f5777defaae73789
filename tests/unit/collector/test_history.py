"""The samples of many series, newest first and in parts, against a plain sort of all."""

import asyncio

import pytest

from alicia.adapters.http.paging import PageRequest, decode_cursor
from alicia.base.errors import BadField
from alicia.collector.api.history import SLICE, newest_first
from alicia.series.labels import LabelSet
from alicia.series.samples import STALE, Sample
from alicia.tsdb.series_table import Limits
from alicia.tsdb.store import Batch, Store

T = 1_795_425_234_000
SERIES = [LabelSet({"__name__": "x", "service": "a", "n": str(i)}) for i in range(3 * SLICE + 7)]


def filled() -> tuple[Store, list[Sample]]:
    """Series of different lengths that share many instants; some have ended with a marker."""
    store = Store(Limits())
    samples = [
        Sample(labels, T - 1000 * (k + i % 3), float(i + k))
        for i, labels in enumerate(SERIES)
        for k in range(1 + i % 5)
    ]
    markers = [Sample(labels, T + 1000, STALE) for labels in SERIES[::4]]
    store.write(Batch([*samples, *markers], T))
    return store, sorted(samples, key=lambda each: (-each.t_ms, store.number(each.labels)))


async def read(
    store: Store, limit: int, start_ms: int | None = None, end_ms: int | None = None
) -> list[Sample]:
    seen: list[Sample] = []
    wanted = PageRequest(limit)
    while True:
        part = await newest_first(store, SERIES, wanted, start_ms=start_ms, end_ms=end_ms)
        assert len(part.items) <= limit
        seen += part.items
        if part.next_cursor is None:
            return seen
        wanted = PageRequest(limit, decode_cursor(part.next_cursor, 2))


@pytest.mark.parametrize("limit", [1, 2, 7, 100, 10_000])
async def test_all_parts_together_are_all_samples_in_order(limit: int) -> None:
    store, expected = filled()
    assert await read(store, limit) == expected
    assert len(expected) > 2 * len(SERIES)


async def test_the_bounds_are_inclusive_and_a_full_last_part_has_no_successor() -> None:
    store, expected = filled()
    within = [each for each in expected if T - 3000 <= each.t_ms <= T - 1000]
    assert await read(store, 10, T - 3000, T - 1000) == within
    whole = PageRequest(len(within))
    part = await newest_first(store, SERIES, whole, start_ms=T - 3000, end_ms=T - 1000)
    assert (part.items, part.next_cursor) == (within, None)
    assert await read(store, 10, T + 1000, None) == []


@pytest.mark.parametrize("after", [("x", 1), (1, "x"), (-1e300, 0), (-1e300, 1e300)])
async def test_cursors_of_other_lists(after: tuple[str | float, ...]) -> None:
    store, expected = filled()
    wanted = PageRequest(10_000, after)
    if "x" in after:
        with pytest.raises(BadField):
            await newest_first(store, SERIES, wanted, start_ms=None, end_ms=None)
    else:
        part = await newest_first(store, SERIES, wanted, start_ms=None, end_ms=None)
        assert part.items == expected


async def test_others_get_their_turn_while_many_series_are_read() -> None:
    store, _ = filled()
    turns = 0

    async def other() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    task = asyncio.create_task(other())
    await newest_first(store, SERIES, PageRequest(10), start_ms=None, end_ms=None)
    task.cancel()
    assert turns >= len(SERIES) // SLICE
