"""The stored samples of some series, newest first; read in slices, so that others get a turn."""

import asyncio
from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from alicia.adapters.http.paging import Page, PageRequest, bad_cursor, encode_cursor
from alicia.series.columns import Columns
from alicia.series.labels import LabelSet
from alicia.series.samples import STALE_BITS, Sample
from alicia.tsdb.store import Store

SLICE: Final = 50  # series read before others get their turn on the loop
_ANY_MS: Final = 2**62


async def newest_first(
    store: Store,
    series: Sequence[LabelSet],
    wanted: PageRequest,
    *,
    start_ms: int | None,
    end_ms: int | None,
) -> Page[Sample]:
    """The wanted part of all samples between the bounds, both inclusive, None being open.

    Ordered by time, descending, and at one instant by the series' number; the cursor holds both.
    Markers are left out.

    Raises:
        BadField: the cursor is of another list.
    """
    last = _last(wanted)
    start = -_ANY_MS if start_ms is None else start_ms
    end = min(_ANY_MS if end_ms is None else end_ms, last[0])
    named: dict[int, LabelSet] = {}
    found = _Rows(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.float64))
    for first in range(0, len(series), SLICE):
        part = store.select_of(series[first : first + SLICE], start, end)
        numbers = [store.number(labels) for labels in part.labels]
        named.update(zip(numbers, part.labels, strict=True))
        found = _newest(found.joined(_rows(part, numbers, last)), wanted.limit + 1)
        if len(found.t_ms) > wanted.limit:
            start = max(start, int(found.t_ms[-1]))  # nothing older can come into this part
        await asyncio.sleep(0)
    rows = zip(*(column[: wanted.limit].tolist() for column in found), strict=True)
    items = [Sample(named[number], t_ms, value) for t_ms, number, value in rows]
    if len(found.t_ms) <= wanted.limit:
        return Page(items)
    return Page(items, encode_cursor(-items[-1].t_ms, int(found.numbers[wanted.limit - 1])))


class _Rows(NamedTuple):
    """Samples as columns of equal length: when, of which series, and the value."""

    t_ms: NDArray[np.int64]
    numbers: NDArray[np.int64]
    values: NDArray[np.float64]

    def at(self, index: NDArray[np.bool_] | NDArray[np.int64]) -> "_Rows":
        return _Rows(self.t_ms[index], self.numbers[index], self.values[index])

    def joined(self, more: "_Rows") -> "_Rows":
        return _Rows(
            np.concatenate((self.t_ms, more.t_ms)),
            np.concatenate((self.numbers, more.numbers)),
            np.concatenate((self.values, more.values)),
        )


def _last(wanted: PageRequest) -> tuple[int, int]:
    """Time and series of the sample that the part comes after."""
    if wanted.after is None:
        return _ANY_MS, -1
    try:
        minus_ms, number = map(int, wanted.after)
    except ValueError:
        raise bad_cursor() from None
    return -minus_ms, number


def _rows(part: Columns, numbers: Sequence[int], last: tuple[int, int]) -> _Rows:
    """The samples behind ``last``, without markers."""
    counts = np.diff(part.offsets)
    rows = _Rows(part.t_ms, np.repeat(np.array(numbers, np.int64), counts), part.values)
    live = part.values.view(np.int64) != STALE_BITS
    behind = (rows.t_ms < last[0]) | ((rows.t_ms == last[0]) & (rows.numbers > last[1]))
    return rows.at(live & behind)


def _newest(rows: _Rows, count: int) -> _Rows:
    """The first ``count`` in order; found before they are sorted, since the rest may be many."""
    if len(rows.t_ms) > count:
        rows = rows.at(rows.t_ms >= np.partition(rows.t_ms, -count)[-count])
    return rows.at(np.lexsort((rows.numbers, -rows.t_ms))[:count])
