"""The page's backend for layout tests: the real door and page routes before answers on paper."""

import asyncio
import json
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from types import TracebackType
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from tests.browser.fleet import Fleet

from alicia.adapters.clock import SystemClock, SystemRandom
from alicia.adapters.http.app import build_app
from alicia.adapters.http.guard import make_guard
from alicia.adapters.http.roles import Role, needs
from alicia.adapters.http.server import HttpServer
from alicia.adapters.settings import Settings
from alicia.collector.api.dashboard import dashboard_router

VIEWER = [needs(Role.VIEWER)]


class Backend:
    """Serves one Fleet from a thread; ``send`` pushes an event to every open stream."""

    def __init__(self, fleet: Fleet, static: Path, data_dir: Path, port: int = 0) -> None:
        self.fleet = fleet
        self.streams = 0
        self._static = static
        self._settings = Settings(data_dir=data_dir, host="127.0.0.1")
        self._port = port
        self._queues: set[asyncio.Queue[bytes]] = set()
        self._number = 0
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self.url = ""

    def __enter__(self) -> "Backend":
        self._thread.start()
        self.port = asyncio.run_coroutine_threadsafe(self._start(), self._loop).result(10)
        self.url = f"http://127.0.0.1:{self.port}"
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        asyncio.run_coroutine_threadsafe(self._stop(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def send(self, kind: str, value: dict[str, Any]) -> None:
        self._number += 1
        text = f"id: {self._number}\nevent: {kind}\ndata: {json.dumps(value)}\n\n"
        for queue in list(self._queues):
            self._loop.call_soon_threadsafe(queue.put_nowait, text.encode())

    async def _start(self) -> int:
        guard = make_guard(self._settings, clock=SystemClock(), random=SystemRandom())
        routers = [dashboard_router(self._static, self.fleet.snapshot), self._routes()]
        app = build_app(title="fixture", guard=guard, routers=routers)
        self._server = HttpServer(app, "127.0.0.1", self._port, guard=guard)
        return await self._server.start()

    def _routes(self) -> APIRouter:
        router = APIRouter()
        fleet = self.fleet

        @router.get("/services", dependencies=VIEWER)
        async def services() -> object:
            return {"services": fleet.services}

        @router.get("/alerts", dependencies=VIEWER)
        async def alerts() -> object:
            return {"alerts": fleet.alerts}

        @router.get("/stats", dependencies=VIEWER)
        async def stats() -> object:
            return fleet.stats()

        @router.get("/scheduler/{what}", dependencies=VIEWER)
        async def scheduler(what: str) -> Response:
            if not fleet.scheduler_up:
                detail = "the scheduler at 127.0.0.1:8025 does not answer"
                return JSONResponse({"title": "Bad Gateway", "detail": detail}, 502)
            return JSONResponse({"events": fleet.events, "executions": []})

        @router.get("/metrics/{service}", dependencies=VIEWER)
        async def metrics(service: str) -> object:
            return fleet.metrics_of(service)

        @router.get("/metrics/{service}/{metric:path}", dependencies=VIEWER)
        async def samples(request: Request, service: str, metric: str) -> object:
            start = float(request.query_params.get("start", 0))
            end = float(request.query_params.get("end", 2e9))
            return fleet.samples(service, metric, start, end)

        @router.get("/live", dependencies=VIEWER)
        async def live() -> Response:
            return StreamingResponse(self._events(), media_type="text/event-stream")

        return router

    async def _events(self) -> AsyncIterator[bytes]:
        queue: asyncio.Queue[bytes] = asyncio.Queue()
        self._queues.add(queue)
        self.streams += 1
        try:
            yield b": welcome\n\n"
            while event := await queue.get():
                yield event
        finally:
            self._queues.discard(queue)
            self.streams -= 1

    async def _stop(self) -> None:
        for queue in self._queues:
            queue.put_nowait(b"")  # ends the stream
        await self._server.stop(1.0)
