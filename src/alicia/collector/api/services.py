"""``GET /services``: the fleet."""

from fastapi import APIRouter, Request

from alicia.adapters.http.paging import page, read_page
from alicia.adapters.http.query import query_whole
from alicia.adapters.http.roles import Role, needs
from alicia.base.clock import Clock
from alicia.base.errors import NotFound
from alicia.collector.poll import Fleet
from alicia.fleet.history import DAY_MS, bars, uptime_ratio
from alicia.fleet.record import ServiceRecord
from alicia.wire.names import canonical_service

BARS_MAX = 1440


def service_routes(fleet: Fleet, clock: Clock) -> APIRouter:
    """The registry."""
    router = APIRouter(tags=["services"])

    @router.get("/services", dependencies=[needs(Role.VIEWER)])
    async def get_services(request: Request) -> dict[str, object]:
        """All services by name; with ``bars=n`` their last day in n parts."""
        count = _bars(request)
        records = sorted(fleet.records.values(), key=lambda record: record.service)
        part = page(records, lambda record: (record.service,), read_page(request))
        return part.body("services", [_shape(fleet, each, count, clock) for each in part.items])

    @router.get("/services/{name}", dependencies=[needs(Role.VIEWER)])
    async def get_service(request: Request, name: str) -> dict[str, object]:
        """One service."""
        count = _bars(request)
        record = fleet.records.get(name) or fleet.records.get(canonical_service(name))
        if record is None:
            raise NotFound(f"service {name[:64]!r}: never heard of; GET /services lists all")
        now_ms = clock.now_ms()
        ratio = uptime_ratio(record.history, now_ms - DAY_MS, now_ms)
        return {**_shape(fleet, record, count, clock), "uptime_ratio_24h": ratio}

    return router


def _bars(request: Request) -> int:
    return query_whole(request, "bars", default=0, minimum=0, maximum=BARS_MAX)


def _shape(fleet: Fleet, record: ServiceRecord, count: int, clock: Clock) -> dict[str, object]:
    shape = fleet.shape(record)
    return {**shape, "bars": bars(record.history, count, clock.now_ms())} if count else shape
