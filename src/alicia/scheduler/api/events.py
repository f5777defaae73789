"""``/events``: list, create, read.

Source: contract.md §4.
"""

from http import HTTPStatus

from fastapi import APIRouter, Request
from starlette.responses import Response

from alicia.adapters.http.audited import note_change
from alicia.adapters.http.body import read_object
from alicia.adapters.http.json_response import Json
from alicia.adapters.http.query import query_choice, query_switch, query_text, query_whole
from alicia.adapters.http.roles import Role, needs
from alicia.adapters.sql.ledger_codec import decode_json, encode_json
from alicia.base.errors import BadField
from alicia.base.limits import LIST_LIMIT_DEFAULT, LIST_LIMIT_MAX
from alicia.scheduler.api.preconditions import (
    body_hash,
    etag,
    idempotency_key,
)
from alicia.scheduler.api.rendering import Rendering, in_turns
from alicia.scheduler.desk import Desk
from alicia.scheduling.event import EventRecord, EventStatus
from alicia.scheduling.ports import EventFilter, Ledger, Remembered


def event_routes(desk: Desk, ledger: Ledger, rendering: Rendering) -> APIRouter:
    """The routes of events."""
    router = APIRouter(tags=["events"])

    @router.get("/events", dependencies=[needs(Role.VIEWER)])
    async def list_events(request: Request) -> Response:
        """Events in order of creation."""
        status = query_choice(request, "status", tuple(EventStatus))
        page = await ledger.events(
            EventFilter(
                active_only=query_switch(request, "active_only", default=False),
                tag=query_text(request, "tag") or "",
                status=EventStatus(status) if status else None,
                search=query_text(request, "search") or "",
            ),
            limit=list_limit(request),
            cursor=query_text(request, "cursor") or "",
        )
        events = await in_turns(page.items, rendering.event)
        return Json(with_cursor({"events": events}, page.next_cursor))

    @router.post("/events", dependencies=[needs(Role.EDITOR)])
    async def create_event(request: Request) -> Response:
        """Store an event; repeated under the same Idempotency-Key, the first answer comes again."""
        body = await read_object(request)
        key, digest = idempotency_key(request), body_hash(await request.body())
        known = await ledger.remembered(key) if key else None
        if known is not None:
            return _again(known, digest)

        def remember(record: EventRecord) -> Remembered | None:
            answer = encode_json(_created(rendering, record))
            return Remembered(key, digest, answer) if key else None

        record = await desk.create(body, remember=remember)
        created = _created(rendering, record)
        note_change(request, after=created["event"])
        return Json(
            created,
            HTTPStatus.CREATED,
            headers=_headers(record.event.event_id, record.rev),
        )

    @router.get("/events/{event_id}", dependencies=[needs(Role.VIEWER)])
    async def get_event(event_id: str) -> Response:
        """One event with its next runs."""
        return one_event(rendering, await ledger.get(event_id))

    return router


def list_limit(request: Request) -> int:
    """How many items a list may have.

    Raises:
        BadField: out of bounds.
    """
    return query_whole(
        request, "limit", default=LIST_LIMIT_DEFAULT, minimum=1, maximum=LIST_LIMIT_MAX
    )


def with_cursor(body: dict[str, object], next_cursor: str) -> dict[str, object]:
    """The body of a list, with the cursor where there is more."""
    return body | {"next_cursor": next_cursor} if next_cursor else body


def _created(rendering: Rendering, record: EventRecord) -> dict[str, object]:
    return {"event_id": record.event.event_id, "event": rendering.event(record)}


def one_event(rendering: Rendering, record: EventRecord) -> Json:
    """The answer that shows one event, with its revision as the ETag."""
    return Json({"event": rendering.event(record)}, headers={"ETag": etag(record.rev)})


def _again(known: Remembered, digest: str) -> Response:
    if known.body_hash != digest:
        raise BadField(
            "Idempotency-Key",
            "Idempotency-Key: was used for another body; send a fresh key",
            reason="idempotency_key_reused",
        )
    event = decode_json(known.answer)["event"]
    return Response(
        known.answer,
        HTTPStatus.CREATED,
        headers=_headers(event["event_id"], event["rev"]),
        media_type="application/json",
    )


def _headers(event_id: str, rev: int) -> dict[str, str]:
    return {"Location": f"/events/{event_id}", "ETag": etag(rev)}
