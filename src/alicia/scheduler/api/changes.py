"""``/events/{event_id}``: change, end, start, pause, resume.

Source: contract.md §4.
"""

from collections.abc import Mapping
from http import HTTPStatus

from fastapi import APIRouter, Request
from starlette.responses import Response

from alicia.adapters.http.audited import note_change
from alicia.adapters.http.body import read_object, read_optional_object
from alicia.adapters.http.json_response import Json
from alicia.adapters.http.query import query_switch
from alicia.adapters.http.roles import Role, needs
from alicia.base.errors import BadField
from alicia.scheduler.api.events import one_event
from alicia.scheduler.api.preconditions import at_revision, idempotency_key, if_match
from alicia.scheduler.api.rendering import Rendering
from alicia.scheduler.desk import Desk
from alicia.scheduler.starts import Order
from alicia.scheduling.execution import Origin
from alicia.scheduling.ports import Ledger


def change_routes(desk: Desk, ledger: Ledger, rendering: Rendering) -> APIRouter:
    """Edits of one event, for editors."""
    router = APIRouter(tags=["events"])

    @router.put("/events/{event_id}", dependencies=[needs(Role.EDITOR)])
    async def put_event(event_id: str, request: Request) -> Response:
        """Change the fields that the body names; null restores a default."""
        patch = await read_object(request)
        wanted = if_match(request)
        before = await ledger.get(event_id)
        with at_revision(wanted):
            record = await desk.update(event_id, patch, if_rev=wanted)
        note_change(request, before=rendering.event(before), after=rendering.event(record))
        return one_event(rendering, record)

    @router.delete("/events/{event_id}", dependencies=[needs(Role.EDITOR)])
    async def delete_event(event_id: str, request: Request) -> Response:
        """Cancel an event; with ``purge`` its history goes too."""
        wanted, purge = if_match(request), query_switch(request, "purge", default=False)
        note_change(request, before=rendering.event(await ledger.get(event_id)))
        with at_revision(wanted):
            if purge:
                await desk.purge(event_id, if_rev=wanted)
                return Json({"event_id": event_id, "purged": True})
            return one_event(rendering, await desk.cancel(event_id, if_rev=wanted))

    return router


def order_routes(desk: Desk, rendering: Rendering) -> APIRouter:
    """Orders to one event, for operators."""
    router = APIRouter(tags=["events"])

    @router.post(
        "/events/{event_id}/trigger",
        status_code=HTTPStatus.ACCEPTED,
        dependencies=[needs(Role.OPERATOR)],
    )
    async def trigger_event(event_id: str, request: Request) -> Mapping[str, object]:
        """Run an event now; repeated under the same Idempotency-Key it is the same run."""
        body = await read_optional_object(request)
        payload = body.get("payload")
        if payload is not None and not isinstance(payload, dict):
            raise BadField("payload", "payload: must be an object", reason="bad_payload")
        key = idempotency_key(request)
        order = Order(origin=Origin.MANUAL, payload=payload, dedupe=f"key:{key}" if key else None)
        execution = await desk.start(event_id, order)
        return {"execution_id": execution.execution_id, "status": execution.status.value}

    @router.post("/events/{event_id}/pause", dependencies=[needs(Role.OPERATOR)])
    async def pause_event(event_id: str, request: Request) -> Response:
        """Let nothing be due until resumed, or until an instant."""
        until = (await read_optional_object(request)).get("until")
        return one_event(rendering, await desk.pause(event_id, until=until))

    @router.post("/events/{event_id}/resume", dependencies=[needs(Role.OPERATOR)])
    async def resume_event(event_id: str) -> Response:
        """Let a paused event run again."""
        return one_event(rendering, await desk.resume(event_id))

    return router
