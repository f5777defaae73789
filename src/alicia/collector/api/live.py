"""``GET /live``: changes as Server-Sent Events."""

import asyncio
from collections.abc import AsyncIterator, Callable
from functools import partial
from typing import Final

from fastapi import APIRouter, Request
from starlette.responses import Response, StreamingResponse

from alicia.adapters.http.app import shutting_down, still_let_in
from alicia.adapters.http.roles import Role, needs
from alicia.base.errors import LimitExceeded
from alicia.collector.live import CLIENTS_MAX, Client, LiveHub

COMMENT_SECONDS: Final = 5.0


def live_routes(live: LiveHub) -> APIRouter:
    """One endless answer per reader."""
    router = APIRouter(tags=["live"])

    @router.get("/live", dependencies=[needs(Role.VIEWER)])
    async def get_live(request: Request) -> Response:
        """Changes of services, alerts, executions and events, in their API shapes."""
        awake = asyncio.Event()
        last_id = request.headers.get("last-event-id", "")[:64]
        client = live.attach(awake.set, last_id=last_id or request.query_params.get("from", ""))
        if client is None:
            raise LimitExceeded(f"{CLIENTS_MAX} streams are open already; close another page")
        allowed = partial(still_let_in, request)
        stream = _stream(live, client, awake, ending=shutting_down(request), allowed=allowed)
        return StreamingResponse(stream, media_type="text/event-stream")

    return router


async def _stream(
    live: LiveHub,
    client: Client,
    awake: asyncio.Event,
    *,
    ending: asyncio.Event,
    allowed: Callable[[], bool],
) -> AsyncIterator[bytes]:
    """What the reader is sent until it goes, falls behind, is let in no more, or we stop."""
    end = asyncio.create_task(ending.wait())
    end.add_done_callback(lambda _: client.close())
    try:
        while not client.closed and allowed():
            chunk = client.take()
            if chunk:
                yield chunk
                continue
            awake.clear()
            try:
                async with asyncio.timeout(COMMENT_SECONDS):
                    await awake.wait()
            except TimeoutError:
                yield b": still here\n\n"
    finally:
        end.cancel()
        live.detach(client)
