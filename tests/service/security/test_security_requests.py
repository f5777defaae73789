"""Host, origin, content type, headers and errors of every route, in process."""

import itertools
import json
from pathlib import Path

import pytest
from fastapi import APIRouter
from fastapi.routing import APIRoute
from tests.service.security.guarded import Service, make_service

from alicia.adapters.http.app import build_app
from alicia.adapters.http.roles import Role, UndeclaredRole, needs

OURS = "http://localhost:8024"


def paths(service: Service) -> list[tuple[str, str]]:
    return [
        (method, route.path.replace("{how}", "missing"))
        for route in service.app.routes
        if isinstance(route, APIRoute)
        for method in sorted(route.methods)
        if route.path not in ("/slow", "/live")
    ]


# S5: rebinding


async def test_a_foreign_name_reaches_no_route(service: Service) -> None:
    async with service.client(base_url="http://evil.example:8024") as client:
        for method, path in paths(service):
            reply = await client.request(method, path)
            assert reply.status_code == 421, (method, path)
    assert service.counters.by_label("http_errors") == {"wrong_host": len(paths(service))}


@pytest.mark.parametrize(
    "host", ["localhost", "127.0.0.1:9", "[::1]:9", "box", "BOX.local", "10.1.2.3"]
)
async def test_our_names_do(service: Service, host: str) -> None:
    async with service.client() as client:
        assert (await client.get("/health", headers={"Host": host})).status_code == 200


async def test_health_answers_any_name_only_beyond_loopback(
    service: Service, exposed: Service
) -> None:
    async with service.client() as client:
        assert (await client.get("/health", headers={"Host": "c-7"})).status_code == 421
    async with exposed.client() as client:
        assert (await client.get("/health", headers={"Host": "c-7"})).status_code == 200
        assert (await client.get("/public", headers={"Host": "c-7"})).status_code == 421


@pytest.mark.parametrize("header", ["Host", "Origin", "Content-Length", "Authorization"])
async def test_headers_that_decide_come_once(service: Service, header: str) -> None:
    async with service.client() as client:
        twice = [(header, "localhost"), (header, "localhost")]
        reply = await client.get("/health", headers=twice)
        assert reply.status_code == 400
        assert header.lower() in reply.json()["detail"]


# S6: forged requests


TYPES = {
    None: False,
    "application/json": True,
    "application/json; charset=utf-8": True,
    "text/plain": False,
    "application/x-www-form-urlencoded": False,
    "multipart/form-data; boundary=x": False,
    "text/plain; application/json": False,
}
ORIGINS = {
    None: True,
    OURS: True,
    "http://localhost:8025": False,
    "http://evil.example": False,
    "null": False,
}
SITES = {None: True, "same-origin": True, "none": True, "same-site": False, "cross-site": False}


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
async def test_forged_changes_are_refused(service: Service, method: str) -> None:
    """The whole matrix: a change passes where its type, its origin and its site are all ours."""
    async with service.client() as client:
        for content_type, origin, site in itertools.product(TYPES, ORIGINS, SITES):
            given = {"Content-Type": content_type, "Origin": origin, "Sec-Fetch-Site": site}
            headers = {name: value for name, value in given.items() if value is not None}
            reply = await client.request(method, "/editor", content=b"{}", headers=headers)
            if not (ORIGINS[origin] and SITES[site]):
                expected = 403
            else:
                expected = 200 if TYPES[content_type] else 415
            assert reply.status_code == expected, given


async def test_reading_is_not_changing(service: Service) -> None:
    async with service.client() as client:
        for site, origin in itertools.product(("cross-site", "none"), ("http://evil", OURS)):
            reply = await client.get("/viewer", headers={"Origin": origin, "Sec-Fetch-Site": site})
            assert reply.status_code == 200
            assert "access-control-allow-origin" not in reply.headers


async def test_a_preflight_gets_no_permission(service: Service) -> None:
    async with service.client() as client:
        asked = {"Origin": "http://evil.example", "Access-Control-Request-Method": "POST"}
        reply = await client.options("/editor", headers=asked)
        assert reply.status_code == 405
        assert not [name for name in reply.headers if name.startswith("access-control")]


async def test_a_route_may_take_other_types_but_no_other_origin(service: Service) -> None:
    async with service.client() as client:
        plain = {"Content-Type": "text/plain"}
        assert (await client.post("/push", content=b"up 1", headers=plain)).json() == {"bytes": 4}
        foreign = {**plain, "Origin": "http://evil.example"}
        assert (await client.post("/push", content=b"up 1", headers=foreign)).status_code == 403


async def test_a_change_without_a_body_needs_no_type(service: Service) -> None:
    async with service.client() as client:
        assert (await client.post("/editor")).status_code == 200


# S8: headers


async def test_every_answer_carries_the_headers(service: Service) -> None:
    async with service.client() as client:
        for method, path in [*paths(service), ("GET", "/nowhere"), ("GET", "/fails/bug")]:
            reply = await client.request(method, path, headers={"Accept": "text/html"})
            policy = reply.headers["content-security-policy"]
            assert "frame-ancestors 'none'" in policy
            assert "unsafe" not in policy
            assert reply.headers["x-content-type-options"] == "nosniff"
            assert reply.headers["referrer-policy"] == "no-referrer"
            assert reply.headers["x-frame-options"] == "DENY"
            assert reply.headers["cross-origin-opener-policy"] == "same-origin"
            assert "strict-transport-security" not in reply.headers
            if path != "/asset" and not path.endswith(".css"):
                assert reply.headers["cache-control"] == "no-store", path


async def test_a_route_may_be_kept_where_it_says_so(service: Service) -> None:
    async with service.client() as client:
        reply = await client.get("/asset")
        assert reply.headers.get_list("cache-control") == ["public, max-age=9"]


async def test_tls_is_pinned_also_behind_a_proxy_we_trust(tmp_path: Path) -> None:
    service = make_service(tmp_path, loopback=True, proxies=["10.0.0.1"])
    headers = {"X-Forwarded-Proto": "https"}
    async with service.client("10.0.0.1") as client:
        reply = await client.get("/health", headers=headers)
        assert reply.headers["strict-transport-security"].startswith("max-age=")
    async with service.client("10.0.0.2") as client:
        assert "strict-transport-security" not in (await client.get("/", headers=headers)).headers


# Errors


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/fails/field", 422, "bad_name"),
        ("/fails/missing", 404, "not_found"),
        ("/fails/conflict", 409, "conflict"),
        ("/fails/away", 503, "unavailable"),
        ("/fails/bug", 500, "internal_server_error"),
        ("/nowhere", 404, "not_found"),
        ("/api/nowhere", 404, "not_found"),
    ],
)
async def test_every_error_is_a_problem(
    service: Service, path: str, status: int, code: str
) -> None:
    async with service.client() as client:
        reply = await client.get(path)
    assert reply.status_code == status
    assert reply.headers["content-type"] == "application/problem+json"
    body = reply.json()
    assert (body["status"], body["type"]) == (status, code)
    assert body["title"]
    assert body["detail"]
    assert ("retry-after" in reply.headers) is (status == 503)


async def test_a_fault_names_its_field(service: Service) -> None:
    async with service.client() as client:
        body = (await client.get("/fails/field")).json()
    assert body["errors"] == [{"loc": ["name"], "msg": body["detail"], "code": "bad_name"}]


async def test_our_own_faults_show_nothing_and_are_counted(
    service: Service, caplog: pytest.LogCaptureFixture
) -> None:
    async with service.client() as client:
        reply = await client.get("/fails/bug")
    assert "inside" not in reply.text
    assert "inside" in caplog.text
    assert service.counters.by_label("http_errors") == {"internal": 1}


async def test_prometheus_clients_get_their_own_envelope(service: Service) -> None:
    async with service.client() as client:
        reply = await client.get("/api/v1/query")
        wrong = await client.get("/api/v1/query?limit=many")
    assert reply.status_code == wrong.status_code == 400
    assert reply.json() == {
        "status": "error",
        "errorType": "bad_data",
        "error": "query: unexpected end",
    }
    assert "limit" in wrong.json()["error"]


async def test_a_wrong_method_says_which_is_right(service: Service) -> None:
    async with service.client() as client:
        reply = await client.patch("/editor")
    assert reply.status_code == 405
    assert reply.headers["allow"] == "DELETE, GET, HEAD, POST, PUT"
    assert "PATCH" in reply.json()["detail"]
    assert reply.json()["type"] == "method_not_allowed"


# S14: deny by default


def test_a_route_without_a_role_stops_the_start(service: Service) -> None:
    router = APIRouter()

    @router.get("/forgotten")
    async def forgotten() -> object:
        return {}

    with pytest.raises(UndeclaredRole, match="/forgotten"):
        build_app(title="x", guard=service.guard, routers=[router])


def test_a_handler_in_another_thread_stops_the_start(service: Service) -> None:
    router = APIRouter()

    @router.get("/threaded", dependencies=[needs(Role.VIEWER)])
    def threaded() -> object:
        return {}

    with pytest.raises(UndeclaredRole, match="async def"):
        build_app(title="x", guard=service.guard, routers=[router])


# S9: paths


@pytest.mark.parametrize(
    "path",
    [
        "/..%2f..%2fetc/passwd",
        "/docs/..%2f..%2fapp.py",
        "/docs/%2e%2e/app.py",
        "/docs/%c0%ae%c0%ae/app.py",
        "/docs/style.css%00",
        "/docs//etc/passwd",
        "/docs/" + "a" * 3000,
        "/%00",
        "//evil.example/",
        "/docs/",
    ],
)
async def test_no_path_leads_out(service: Service, path: str) -> None:
    async with service.client() as client:
        reply = await client.get(f"http://localhost:8024{path}")
    assert reply.status_code == 404
    assert "location" not in reply.headers


# The page of the routes


async def test_the_docs_need_no_script_and_no_network(service: Service) -> None:
    async with service.client() as client:
        page = (await client.get("/docs")).text
        assert "<script" not in page
        assert "style=" not in page
        assert "http://" not in page
        assert "https://" not in page
        style = page.split('href="')[1].split('"')[0]
        reply = await client.get(style)
        assert reply.headers["content-type"].startswith("text/css")
        assert "immutable" in reply.headers["cache-control"]
        paths = (await client.get("/openapi.json")).json()["paths"]
        for path in paths:
            assert f"<code>{path}</code>" in page
        ids = [route["operationId"] for item in paths.values() for route in item.values()]
        assert len(set(ids)) == len(ids)


async def test_head_is_get_without_the_body(service: Service) -> None:
    async with service.client() as client:
        for path in ("/health", "/live", "/asset", "/nowhere"):
            reply = await client.head(path)
            assert reply.status_code == (404 if path == "/nowhere" else 200)
            assert reply.content == b""
            assert "content-security-policy" in reply.headers


# The audit log


async def test_changes_and_refusals_are_kept(tmp_path: Path) -> None:
    service = make_service(tmp_path, loopback=False, audit=True)
    audit = service.guard.audit
    assert audit is not None
    token = service.token(Role.OPERATOR)
    holder = service.guard.tokens.find(token)
    assert holder is not None
    async with service.client("10.0.0.7") as client:
        await client.post("/session", json={"token": token})
        await client.get("/viewer")
        await client.post("/operator")
        await client.post("/editor")
        await client.post("/editor", headers={"Origin": "http://evil.example"})
        await client.post("/viewer")
        await client.post("/nowhere")
        client.cookies.clear()
        await client.post("/session", json={"token": "alicia_wrong"})
        await client.put("/change/7", headers={"Authorization": f"Bearer {token}"})
    await audit.settled()
    text = next((tmp_path / "audit").iterdir()).read_text()
    assert token not in text
    lines = [json.loads(line) for line in text.splitlines()]
    assert [(line["who"], line["action"], line["status"]) for line in lines] == [
        (holder.id, "POST /session", 200),
        (holder.id, "POST /operator", 200),
        (holder.id, "POST /editor", 403),
        ("nobody", "POST /editor", 403),
        ("nobody", "POST /session", 401),
        (holder.id, "PUT /change/{number}", 200),
    ]
    assert lines[-1]["object"] == "/change/7"
    assert (lines[-1]["before"], lines[-1]["after"]) == ({"on": False}, {"on": True})
