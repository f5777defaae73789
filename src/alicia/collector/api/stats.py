"""``GET /stats`` and ``GET /stats/{service}``."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Final

from fastapi import APIRouter, Request

from alicia.adapters.http.query import query_duration_ms
from alicia.adapters.http.roles import Role, needs
from alicia.base.clock import Clock
from alicia.base.errors import BadField, NotFound
from alicia.collector.service_stats import service_stats
from alicia.collector.stats import Stats
from alicia.collector.view import equal
from alicia.series.labels import SERVICE
from alicia.tsdb.store import Store
from alicia.wire.names import canonical_service

_WINDOW_MS: Final = 3_600_000
# Uptime ratio and restarts of a service, as far as the registry knows it.
LifeOf = Callable[[str, int], Mapping[str, object]]


def stats_routes(
    stats: Stats, store: Store, clock: Clock, life_of: LifeOf, in_fleet: Callable[[str], bool]
) -> APIRouter:
    """Totals, and statistics of one service; ``in_fleet``: it is known by other means."""
    router = APIRouter(tags=["metrics"])

    @router.get("/stats", dependencies=[needs(Role.VIEWER)])
    async def get_stats() -> object:
        """Totals of the collector, the host and the bus."""
        return stats.whole()

    @router.get("/stats/{service_name}", dependencies=[needs(Role.VIEWER)])
    async def get_service_stats(request: Request, service_name: str) -> object:
        """Statistics and trend of every metric of a service over ``window``."""
        window_ms = query_duration_ms(request, "window", default_ms=_WINDOW_MS)
        if window_ms <= 0:
            raise BadField("window", "window: must be longer than 0", reason="bad_duration")
        now_ms = clock.now_ms()
        for name in (service_name, canonical_service(service_name)):
            columns = store.select((equal(SERVICE, name),), now_ms - window_ms, now_ms)
            if columns.labels or in_fleet(name):
                known = {labels: store.family(labels)[1] for labels in columns.labels}
                body = await asyncio.to_thread(
                    service_stats, name, columns, known, window_ms=window_ms
                )
                return {**body, **life_of(name, window_ms)}
        raise NotFound(f"service {service_name[:64]!r}: no metrics of it lie in the window")

    return router
