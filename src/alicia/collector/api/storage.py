"""``GET /api/v1/status/tsdb``: which metrics, labels and values make up the series."""

import asyncio
from collections import Counter
from collections.abc import Iterator, Mapping
from heapq import nlargest
from typing import Final

from fastapi import APIRouter, Request

from alicia.adapters.http.query import query_whole
from alicia.adapters.http.roles import Role, needs
from alicia.base.clock import Clock
from alicia.series.labels import NAME
from alicia.tsdb.store import Store

_LIMIT: Final = 10
_LIMIT_MAX: Final = 10_000
_NEVER_MIN: Final = 2**63 - 1  # what Prometheus says of an empty head
_NEVER_MAX: Final = -(2**63)
Pair = tuple[str, str, int]  # label, value, how many series have both


def storage_routes(store: Store, clock: Clock) -> APIRouter:
    """What Prometheus tells of its head, told of all series."""
    router = APIRouter(tags=["prometheus"])

    @router.get("/api/v1/status/tsdb", dependencies=[needs(Role.VIEWER)])
    async def get_tsdb(request: Request) -> object:
        """Cardinality: the ``limit`` (10) metrics, labels and pairs with the most series."""
        limit = query_whole(request, "limit", default=_LIMIT, minimum=1, maximum=_LIMIT_MAX)
        stored = store.stats(clock.now_ms())
        pairs, shares = await asyncio.to_thread(_shares, store.label_pairs(), limit)
        head = {
            "numSeries": stored.series,
            "numLabelPairs": pairs,
            "chunkCount": stored.head_chunks,
            "minTime": _NEVER_MIN if stored.oldest_ms is None else stored.oldest_ms,
            "maxTime": _NEVER_MAX if stored.newest_ms is None else stored.newest_ms,
        }
        return {"status": "success", "data": {"headStats": head, **shares}}

    return router


def _shares(parts: Iterator[list[Pair]], limit: int) -> tuple[int, Mapping[str, object]]:
    """How many label pairs there are, and the largest of each kind."""
    values: Counter[str] = Counter()
    value_bytes: Counter[str] = Counter()
    metrics: list[tuple[int, str]] = []
    pairs: list[tuple[int, str]] = []
    total = 0
    for part in parts:
        total += len(part)
        for name, value, series in part:
            values[name] += 1
            value_bytes[name] += len(value.encode()) * series
        metrics = _largest(metrics, ((n, value) for name, value, n in part if name == NAME), limit)
        pairs = _largest(pairs, ((n, f"{name}={value}") for name, value, n in part), limit)
    return total, {
        "seriesCountByMetricName": _rows(metrics),
        "labelValueCountByLabelName": _rows(_largest([], _swapped(values), limit)),
        "memoryInBytesByLabelName": _rows(_largest([], _swapped(value_bytes), limit)),
        "seriesCountByLabelValuePair": _rows(pairs),
    }


def _largest(
    kept: list[tuple[int, str]], more: Iterator[tuple[int, str]], limit: int
) -> list[tuple[int, str]]:
    return nlargest(limit, (*kept, *more), key=lambda row: row[0])


def _swapped(counts: Counter[str]) -> Iterator[tuple[int, str]]:
    return ((count, name) for name, count in counts.items())


def _rows(largest: list[tuple[int, str]]) -> list[dict[str, object]]:
    return [{"name": name, "value": count} for count, name in largest]
