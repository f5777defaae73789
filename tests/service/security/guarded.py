"""A small service behind the real door, in process, with a clock and a sleep of ours."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from fastapi import APIRouter, FastAPI, Request
from starlette.responses import Response, StreamingResponse

from alicia.adapters.clock import SystemRandom
from alicia.adapters.http.app import build_app, shutting_down
from alicia.adapters.http.audit import AuditLog
from alicia.adapters.http.audited import note_change
from alicia.adapters.http.bind import Listener
from alicia.adapters.http.body import read_body, read_json
from alicia.adapters.http.content_types import ANY_TYPE
from alicia.adapters.http.guard import Guard, token_file
from alicia.adapters.http.hosts import Hosts
from alicia.adapters.http.proxies import Proxies
from alicia.adapters.http.roles import Role, caller_of, needs
from alicia.adapters.http.sessions import Sessions
from alicia.base.counters import Counters
from alicia.base.errors import BadField, Conflict, NotFound, Unavailable

START_MS = 1_700_000_000_000
KEY = b"k" * 32


class HandClock:
    """Time that moves when a test says so."""

    def __init__(self) -> None:
        self.ms = START_MS

    def now_ms(self) -> int:
        return self.ms

    def now_us(self) -> int:
        return self.ms * 1000

    def monotonic_ms(self) -> int:
        return self.ms


@dataclass
class Service:
    """A guarded app, and what its guard did."""

    app: FastAPI
    guard: Guard
    clock: HandClock
    counters: Counters
    slept: list[float] = field(default_factory=list)

    def client(self, address: str = "127.0.0.1", **kwargs: Any) -> httpx.AsyncClient:
        transport = httpx.ASGITransport(self.app, client=(address, 40000))
        options: dict[str, Any] = {"base_url": "http://localhost:8024", **kwargs}
        return httpx.AsyncClient(transport=transport, **options)

    def token(self, role: Role, *, service: str = "", **kwargs: Any) -> str:
        secret, _ = self.guard.tokens.create(
            role, service=service, now_ms=self.clock.ms, random=SystemRandom(), **kwargs
        )
        return secret


def listener(*, loopback: bool) -> Listener:
    return Listener(sockets=(), host="127.0.0.1", port=8024, loopback=loopback)


def routes() -> APIRouter:
    router = APIRouter()

    for role in Role:

        async def visit(request: Request) -> dict[str, object]:
            caller = caller_of(request)
            return {"role": caller.role and caller.role.value, "service": caller.service}

        for method in ("GET", "POST", "PUT", "DELETE"):
            router.add_api_route(
                f"/{role.value}", visit, methods=[method], dependencies=[needs(role)]
            )

    add_bodies(router)
    add_failures(router)
    add_streams(router)
    return router


def add_bodies(router: APIRouter) -> None:
    @router.get("/health", dependencies=[needs(Role.PUBLIC)])
    async def health() -> dict[str, object]:
        return {"status": "healthy"}

    @router.post("/echo", dependencies=[needs(Role.EDITOR)])
    async def echo(request: Request) -> dict[str, object]:
        return {"value": await read_json(request)}

    @router.post("/push", dependencies=[needs(Role.INGEST, types=ANY_TYPE)])
    async def push(request: Request) -> dict[str, object]:
        return {"bytes": len(await read_body(request))}

    @router.put("/change/{number}", dependencies=[needs(Role.OPERATOR)])
    async def change(request: Request, number: int) -> dict[str, object]:
        note_change(request, before={"on": False}, after={"on": True})
        return {"number": number}


def add_failures(router: APIRouter) -> None:
    @router.get("/fails/{how}", dependencies=[needs(Role.VIEWER)])
    async def fails(how: str) -> object:
        raise {
            "field": BadField("name", "name: is taken by <b>", reason="bad_name"),
            "missing": NotFound("there is no such thing"),
            "conflict": Conflict("somebody was first"),
            "away": Unavailable("the broker is away"),
            "bug": RuntimeError("a secret from the inside"),
        }[how]

    @router.get("/api/v1/query", dependencies=[needs(Role.VIEWER)])
    async def query(limit: int = 5) -> object:
        raise BadField("query", "query: unexpected end", reason="bad_query")


def add_streams(router: APIRouter) -> None:
    @router.get("/asset", dependencies=[needs(Role.PUBLIC)])
    async def asset() -> Response:
        return Response("x", headers={"Cache-Control": "public, max-age=9"})

    @router.get("/slow", dependencies=[needs(Role.VIEWER)])
    async def slow(request: Request) -> object:
        request.app.state.entered.set()
        await asyncio.sleep(3600)
        return {}

    @router.get("/large", dependencies=[needs(Role.VIEWER)])
    async def large() -> Response:
        async def parts() -> AsyncIterator[bytes]:
            for _ in range(200):
                yield bytes(100_000)

        return StreamingResponse(parts())

    @router.get("/live", dependencies=[needs(Role.VIEWER)])
    async def live(request: Request) -> Response:
        async def events() -> AsyncIterator[bytes]:
            yield b"data: begun\n\n"
            await shutting_down(request).wait()
            yield b"data: ended\n\n"

        return StreamingResponse(events(), media_type="text/event-stream")


def make_service(folder: Path, *, loopback: bool, **kwargs: Any) -> Service:
    clock, counters, slept = HandClock(), Counters(), []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    guard = Guard(
        hosts=Hosts(["box", "box.local"]),
        tokens=token_file(folder),
        sessions=Sessions(KEY),
        clock=clock,
        audit=AuditLog(folder / "audit", "test", clock) if kwargs.pop("audit", None) else None,
        proxies=Proxies(kwargs.pop("proxies", ())),
        sleep=kwargs.pop("sleep", sleep),
        **kwargs,
    )
    if loopback:
        guard.admit(listener(loopback=True))
    app = build_app(title="Test", guard=guard, routers=[routes()], counters=counters)
    app.state.entered = asyncio.Event()
    return Service(app, guard, clock, counters, slept)


@asynccontextmanager
async def raw_connection(port: int) -> AsyncIterator[Callable[[bytes], Any]]:
    """Send bytes as they are, read until the other side closes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)

    async def exchange(data: bytes) -> bytes:
        writer.write(data)
        await writer.drain()
        return await reader.read(-1)

    try:
        yield exchange
    finally:
        writer.close()
        await asyncio.gather(writer.wait_closed(), return_exceptions=True)
