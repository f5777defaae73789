"""``GET /`` and its assets: whole, escaped, cached as they should be, and honest when not built."""

import gzip
import json
import re
from collections.abc import Callable
from html import unescape
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI
from tests.service.security.guarded import Service, make_service

from alicia.adapters.http.app import build_app
from alicia.adapters.http.bind import Listener
from alicia.adapters.http.roles import Role
from alicia.collector.api.dashboard import dashboard_router

TEMPLATE = (
    '<!doctype html><div id="app"><!--wall--></div>'
    '<script type="application/json" id="snapshot"><!--snapshot--></script>'
)
SCRIPT = b"export const a = 1;"
HOSTILE = "</script><script>alert(1)</script><!--"
SNAPSHOT = {
    "now": 5.0,
    "services": {
        "services": [
            {"service_name": "fine", "status": "up", "reason": "answers"},
            {"service_name": HOSTILE, "status": "down", "reason": HOSTILE},
            {"service_name": "odd", "status": ["no", "word"], "reason": None},
        ]
    },
}
Client = Callable[[], httpx.AsyncClient]


def write_bundle(folder: Path, script: bytes = SCRIPT) -> None:
    folder.mkdir(exist_ok=True)
    (folder / "main-AAAA.js").write_bytes(script)
    (folder / "main-AAAA.js.gz").write_bytes(gzip.compress(script))
    (folder / "index.html").write_text(TEMPLATE)
    listed = {"main-AAAA.js": {"type": "text/javascript; charset=utf-8"}}
    (folder / "manifest.json").write_text(json.dumps({"assets": listed}))


@pytest.fixture
def service(tmp_path: Path) -> Service:
    """Our routes behind the real door, on loopback."""
    made = make_service(tmp_path, loopback=True)
    made.app = app_of(made, tmp_path / "static")
    return made


def app_of(service: Service, static: Path) -> FastAPI:
    router = dashboard_router(static, lambda: SNAPSHOT)
    return build_app(title="t", guard=service.guard, routers=[router])


async def get(service: Service, path: str, **headers: str) -> httpx.Response:
    async with service.client() as client:
        return await client.get(path, headers={k.replace("_", "-"): v for k, v in headers.items()})


async def test_words_of_the_fleet_stay_words(service: Service, tmp_path: Path) -> None:
    write_bundle(tmp_path / "static")
    reply = await get(service, "/")
    assert reply.status_code == 200
    assert reply.text.count("<script") == 1, "only the template's own block"
    assert reply.text.count("<!--") == 0
    block = re.search(r'id="snapshot">(.*)</script>', reply.text)
    assert block
    assert json.loads(block[1]) == SNAPSHOT
    names = re.findall(r'class="tile-name">(.*?)</span>', reply.text)
    assert [unescape(name) for name in names] == [HOSTILE, "odd", "fine"], "worst first"
    assert "1 of 3 services are up" in reply.text


async def test_the_page_is_fetched_each_time_since_it_holds_the_state_of_its_moment(
    service: Service, tmp_path: Path
) -> None:
    write_bundle(tmp_path / "static")
    reply = await get(service, "/")
    assert (reply.headers["cache-control"], reply.headers.get("etag")) == ("no-cache", None)
    again = await get(service, "/", If_None_Match="*")
    assert (again.status_code, again.content) == (200, reply.content)


async def test_assets_never_change_and_are_compressed_beforehand(
    service: Service, tmp_path: Path
) -> None:
    write_bundle(tmp_path / "static")
    packed = await get(service, "/assets/main-AAAA.js", Accept_Encoding="gzip, br")
    plain = await get(service, "/assets/main-AAAA.js", Accept_Encoding="identity")
    refused = await get(service, "/assets/main-AAAA.js", Accept_Encoding="gzip;q=0, identity")
    assert (packed.headers["content-encoding"], packed.content) == ("gzip", SCRIPT)
    for reply in (plain, refused):
        assert ("content-encoding" in reply.headers, reply.content) == (False, SCRIPT)
    for reply in (packed, plain, refused):
        assert reply.headers["content-type"] == "text/javascript; charset=utf-8"
        assert reply.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert reply.headers["vary"] == "Accept-Encoding"
        assert reply.headers["content-security-policy"].startswith("default-src 'self';")


@pytest.mark.parametrize(
    "name",
    ["manifest.json", "index.html", "main-AAAA.js.gz", "..%2fsecret", "%00", "%c0%ae%c0%ae", "x"],
)
async def test_only_what_the_manifest_lists_is_served(
    service: Service, tmp_path: Path, name: str
) -> None:
    write_bundle(tmp_path / "static")
    (tmp_path / "secret").write_text("what nobody should see")
    reply = await get(service, f"/assets/{name}")
    assert reply.status_code == 404
    assert "nobody" not in reply.text


@pytest.mark.parametrize(
    "spoil",
    [
        lambda folder: (folder / "manifest.json").unlink(),
        lambda folder: (folder / "manifest.json").write_text("{"),
        lambda folder: (folder / "manifest.json").write_text("[]"),
        lambda folder: (folder / "index.html").write_text("<html>"),
        lambda folder: (folder / "main-AAAA.js.gz").write_bytes(b"torn"),
        lambda folder: (folder / "main-AAAA.js").write_bytes(b"other"),
    ],
)
async def test_half_a_build_is_none_and_a_new_one_is_seen(
    service: Service, tmp_path: Path, spoil: Callable[[Path], object]
) -> None:
    static = tmp_path / "static"
    write_bundle(static)
    spoil(static)
    reply = await get(service, "/")
    assert reply.status_code == 200
    assert "npm ci &amp;&amp; npm run build" in reply.text
    assert (await get(service, "/assets/main-AAAA.js")).status_code == 404
    write_bundle(static)
    assert 'id="snapshot"' in (await get(service, "/")).text


async def test_beyond_loopback_the_page_is_empty_until_one_signs_in(
    service: Service, tmp_path: Path
) -> None:
    write_bundle(tmp_path / "static")
    token = service.token(Role.VIEWER)
    service.guard.admit(Listener((), "0.0.0.0", 8024, loopback=False))
    stranger = await get(service, "/")
    assert stranger.status_code == 200
    assert "fine" not in stranger.text
    assert (await get(service, "/assets/main-AAAA.js")).status_code == 200
    viewer = await get(service, "/", Authorization=f"Bearer {token}")
    assert "fine" in viewer.text
