"""The doors of the two real services: every route of theirs, whoever knocks (S5, S14)."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute

from alicia.adapters.clock import SystemClock, SystemRandom
from alicia.adapters.http.guard import Guard
from alicia.adapters.http.roles import Role, declared
from alicia.adapters.settings import load_settings
from alicia.adapters.sql.database import open_database
from alicia.collector.main import make_collector
from alicia.scheduler.service import Scheduler

# What anybody may reach beyond loopback; a new line here is a decision, not a detail.
PUBLIC = {
    ("GET", "/"),
    ("GET", "/assets/{name}"),
    ("GET", "/health"),
    ("DELETE", "/session"),
    ("GET", "/session"),
    ("POST", "/session"),
}


@pytest.fixture(params=["collector", "scheduler"])
async def door(
    request: pytest.FixtureRequest, tmp_path: Path
) -> AsyncIterator[tuple[FastAPI, Guard]]:
    """A service as its ``main`` builds it, not started: no socket has told where it listens."""
    settings = load_settings({"DATA_DIR": str(tmp_path)}, environment={}, folder=tmp_path)
    if request.param == "collector":
        collector = make_collector(settings)
        yield collector.app, collector.guard
        return
    database = await open_database(tmp_path / "scheduler.db", service="scheduler")
    clock, random = SystemClock(), SystemRandom()
    scheduler = Scheduler(settings, database, node="n", clock=clock, random=random)
    yield scheduler.app, scheduler._guard
    await database.close()


def routes(app: FastAPI) -> Iterator[tuple[str, APIRoute]]:
    for route in app.routes:
        assert isinstance(route, APIRoute)
        for method in sorted(route.methods):
            yield method, route


def some_path(route: APIRoute) -> str:
    return route.path_format.format(**dict.fromkeys(route.param_convertors, "x"))


def remote(app: FastAPI, **kwargs: object) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app, client=("10.0.0.7", 1))
    return httpx.AsyncClient(transport=transport, base_url="http://localhost", **kwargs)  # type: ignore[arg-type]


async def test_no_route_answers_a_foreign_name(door: tuple[FastAPI, Guard]) -> None:
    app, _ = door
    async with remote(app, headers={"Host": "evil.example"}) as client:
        for method, route in routes(app):
            if route.path != "/health":
                reply = await client.request(method, some_path(route))
                assert reply.status_code == 421, (method, route.path)


async def test_nobody_without_a_token_gets_past_the_public_routes(
    door: tuple[FastAPI, Guard],
) -> None:
    app, _ = door
    public = set()
    async with remote(app) as client:
        for method, route in routes(app):
            need = declared(route.dependencies)
            assert need is not None
            if Role.PUBLIC in need.roles:
                public.add((method, route.path))
                continue
            reply = await client.request(method, some_path(route))
            assert reply.status_code == 401, (method, route.path)
    styles = {item for item in public if item[1].startswith("/docs/style-")}
    assert len(styles) == 1
    assert public - styles <= PUBLIC


async def test_every_token_is_held_to_its_role(door: tuple[FastAPI, Guard]) -> None:
    app, guard = door
    for role in (Role.VIEWER, Role.OPERATOR, Role.EDITOR, Role.INGEST):
        secret, _ = guard.tokens.create(role, now_ms=SystemClock().now_ms(), random=SystemRandom())
        async with remote(app, headers={"Authorization": f"Bearer {secret}"}) as client:
            for method, route in routes(app):
                need = declared(route.dependencies)
                assert need is not None
                if not _holds(role, need.roles):
                    reply = await client.request(method, some_path(route))
                    assert reply.status_code == 403, (role, method, route.path)
    await guard.settled()


def _holds(role: Role, wanted: tuple[Role, ...]) -> bool:
    ladder = [Role.PUBLIC, Role.VIEWER, Role.OPERATOR, Role.EDITOR, Role.ADMIN]
    if role is Role.INGEST:
        return Role.INGEST in wanted or Role.PUBLIC in wanted
    return any(item in ladder[: ladder.index(role) + 1] for item in wanted)
