"""``GET /`` and the files it loads."""

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, Response

from alicia.adapters.http.encodings import takes_gzip
from alicia.adapters.http.roles import Role, caller_of, needs
from alicia.base.errors import NotFound
from alicia.collector.api.bundle import Bundle, BundleFolder
from alicia.collector.api.page import NOT_BUILT, render_page

# The state a page starts with: ``services``, ``alerts`` and ``stats`` in the shapes of their
# calls, and ``now`` in epoch seconds.
Snapshot = Callable[[], Mapping[str, object]]
_FOREVER: Final = "public, max-age=31536000, immutable"


def dashboard_router(static_dir: Path, snapshot: Snapshot) -> APIRouter:
    """The dashboard built into ``static_dir``, or a page that says how to build it.

    Page and assets are public; data goes only to callers who may read it.
    """
    router = APIRouter(tags=["dashboard"])
    folder = BundleFolder(static_dir)
    turn = asyncio.Lock()

    async def current() -> Bundle | None:
        async with turn:
            return await asyncio.to_thread(folder.look)

    @router.get("/", dependencies=[needs(Role.PUBLIC)], include_in_schema=False)
    async def page(request: Request) -> Response:
        """The page, with the state of this moment inside."""
        bundle = await current()
        if bundle is None:
            return HTMLResponse(NOT_BUILT, headers={"Cache-Control": "no-cache"})
        may_read = caller_of(request).holds(Role.VIEWER)
        # No ETag: the page holds the time, so that no other answer is ever the same.
        body = render_page(bundle, snapshot() if may_read else None)
        return HTMLResponse(body, headers={"Cache-Control": "no-cache"})

    @router.get("/assets/{name}", dependencies=[needs(Role.PUBLIC)], include_in_schema=False)
    async def asset(request: Request, name: str) -> Response:
        """One file of the bundle."""
        bundle = await current()
        found = bundle.assets.get(name) if bundle else None
        if found is None:
            raise NotFound(f"asset {name[:100]!r}: the dashboard has none; reload the page")
        headers = {"Cache-Control": _FOREVER, "Vary": "Accept-Encoding"}
        if takes_gzip(request.headers.get("accept-encoding", "")):
            headers["Content-Encoding"] = "gzip"
            return Response(found.gzipped, media_type=found.content_type, headers=headers)
        return Response(found.body, media_type=found.content_type, headers=headers)

    return router
