"""Looking ahead and back: preview, calendar, audit, import.

Source: contract.md §4.
"""

import asyncio
from collections.abc import Mapping
from http import HTTPStatus

from fastapi import APIRouter, Request
from starlette.responses import Response

from alicia.adapters.http.body import read_body, read_object
from alicia.adapters.http.content_types import EVENT_FILES, media_type
from alicia.adapters.http.json_response import Json
from alicia.adapters.http.query import query_switch, query_text, query_time_ms
from alicia.adapters.http.roles import Role, needs
from alicia.base.clock import Clock
from alicia.base.errors import BadField
from alicia.scheduler.api.events import list_limit
from alicia.scheduler.api.rendering import Rendering, in_turns
from alicia.scheduler.audit import Auditor
from alicia.scheduler.calendar import Calendar
from alicia.scheduler.desk import Desk
from alicia.scheduler.imports import import_batch, read_batch
from alicia.scheduling.preview import preview
from alicia.scheduling.triggers.kinds import Zones

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
WINDOW_MS_MAX = 400 * DAY_MS
SETTLED_MS = 1000  # younger instants may still be on their way into the ledger


def preview_routes(zones: Zones, clock: Clock, *, default_zone: str) -> APIRouter:
    """``POST /events/preview``; stands before ``/events/{event_id}/…`` in the table."""
    router = APIRouter(tags=["events"])

    @router.post("/events/preview", dependencies=[needs(Role.VIEWER)])
    async def preview_event(request: Request) -> Mapping[str, object]:
        """What a timing would do; nothing is stored."""
        body = await read_object(request)
        now_us = clock.now_us()
        # A sparse rule takes long to find its instants, and firing must not wait for that.
        found = await asyncio.to_thread(
            preview, body, now_us=now_us, default_zone=default_zone, zones=zones
        )
        return found.to_api()

    return router


def import_routes(desk: Desk, rendering: Rendering) -> APIRouter:
    """``POST /events/import``."""
    router = APIRouter(tags=["events"])

    @router.post("/events/import", dependencies=[needs(Role.EDITOR, types=EVENT_FILES)])
    async def import_events(request: Request) -> Response:
        """Events from a crontab, or from a YAML or JSON list; 422 if none could be used."""
        body = await read_body(request, EVENT_FILES)
        kind = media_type(request.headers.get("content-type", ""))
        system = query_switch(request, "system", default=False)
        # Reading YAML takes seconds per megabyte, and firing must not wait for that.
        batch = await asyncio.to_thread(read_batch, body, kind, system=system)
        dry_run = query_switch(request, "dry_run", default=False)
        done = await import_batch(desk, batch, dry_run=dry_run)
        reply = {
            "dry_run": dry_run,
            "accepted": len(done.records),
            "events": await in_turns(done.records, rendering.event),
            "rejected": done.faults,
            "warnings": done.notes,
        }
        failed = done.faults and not done.records
        return Json(reply, HTTPStatus.UNPROCESSABLE_ENTITY if failed else HTTPStatus.OK)

    return router


def window_routes(auditor: Auditor, calendar: Calendar, clock: Clock) -> APIRouter:
    """``/audit`` and ``/calendar``."""
    router = APIRouter(tags=["history"])

    @router.get("/audit", dependencies=[needs(Role.VIEWER)])
    async def get_audit(request: Request) -> Mapping[str, object]:
        """Every due instant of a window (the last hour), and what became of it."""
        now_ms = clock.now_ms()
        to_ms = query_time_ms(request, "to")
        to_ms = min(now_ms - SETTLED_MS, now_ms if to_ms is None else to_ms)
        from_ms = query_time_ms(request, "from")
        from_ms = to_ms - HOUR_MS if from_ms is None else from_ms
        _check_window("from", from_ms, to_ms)
        return await auditor.run(
            from_us=from_ms * 1000,
            to_us=to_ms * 1000,
            limit=list_limit(request),
            cursor=query_text(request, "cursor") or "",
        )

    @router.get("/calendar", dependencies=[needs(Role.VIEWER)])
    async def get_calendar(request: Request) -> Mapping[str, object]:
        """Past and planned runs of a window (a day back, a week ahead)."""
        now_ms = clock.now_ms()
        start_ms = query_time_ms(request, "start")
        start_ms = now_ms - DAY_MS if start_ms is None else start_ms
        end_ms = query_time_ms(request, "end")
        end_ms = start_ms + 8 * DAY_MS if end_ms is None else end_ms
        _check_window("start", start_ms, end_ms)
        return await calendar.between(start_ms * 1000, end_ms * 1000)

    return router


def _check_window(field: str, from_ms: int, to_ms: int) -> None:
    if from_ms > to_ms:
        raise BadField(field, f"{field}: lies after the end of the window", reason="bad_window")
    if to_ms - from_ms > WINDOW_MS_MAX:
        raise BadField(field, f"{field}: the window is longer than 400 days", reason="bad_window")
