import json
from pathlib import Path
from typing import Any

import pytest
from tests.support.stepped_clock import START_MS

from alicia.adapters.http.content_types import EVENT_FILES
from alicia.adapters.http.outbound import OutboundFailed, OutboundReply

from .conftest import World

T = START_MS // 1000


async def test_an_instant_query(world: World) -> None:
    await world.push("temp", 35.5, room="a")
    await world.push("temp", 12.0, room="b")
    reply = await world.http.get("/api/v1/query", params={"query": "temp > 20"})
    assert (reply.status_code, reply.json()) == (200, {
        "status": "success",
        "data": {"resultType": "vector", "result": [{
            "metric": {"__name__": "temp", "room": "a", "service": "stt", "instance": "stt"},
            "value": [T, "35.5"],
        }]},
    })  # fmt: skip
    form = await world.http.post("/api/v1/query", data={"query": "1 / 0", "time": f"{T}.25"})
    assert form.json()["data"] == {"resultType": "scalar", "result": [T + 0.25, "+Inf"]}
    empty = await world.http.get("/api/v1/query", params={"query": "none", "time": "-5"})
    assert empty.json()["data"] == {"resultType": "vector", "result": []}


async def test_a_range_query_includes_both_ends(world: World) -> None:
    await world.push("temp", 1.0)
    world.clock.pass_ms(10_000)
    await world.push("temp", 1e-7)
    ask = {"query": "temp * 1", "start": T, "end": T + 10, "step": "5s"}
    reply = await world.http.get("/api/v1/query_range", params=ask)
    assert reply.json()["data"] == {"resultType": "matrix", "result": [{
        "metric": {"service": "stt", "instance": "stt"},
        "values": [[T, "1"], [T + 5, "1"], [T + 10, "1e-07"]],
    }]}  # fmt: skip
    scalar = await world.http.get("/api/v1/query_range", params={**ask, "query": "2"})
    assert scalar.json()["data"]["result"][0]["metric"] == {}


# path | parameters | status | error type | words
FAULTS: list[tuple[str, dict[str, Any], int, str, str]] = [
    ("query", {}, 400, "bad_data", 'invalid parameter "query": 1:1: parse error'),
    ("query", {"query": "temp >"}, 400, "bad_data", "1:7: parse error"),
    ("query", {"query": "temp", "time": "x"}, 400, "bad_data", 'invalid parameter "time"'),
    ("query", {"query": "temp", "time": "1e99"}, 400, "bad_data", 'invalid parameter "time"'),
    ("query", {"query": '{__name__=~"a|b"} * 1'}, 422, "execution", "same labelset"),
    ("query_range", {"query": "a", "start": 5, "end": 1, "step": 1}, 400, "bad_data", "before"),
    ("query_range", {"query": "a", "start": 1, "end": 5, "step": 0}, 400, "bad_data", "zero"),
    ("query_range", {"query": "a", "start": 1, "end": 5, "step": "x"}, 400, "bad_data", "step"),
    ("query_range", {"query": "a", "end": 5, "step": 1}, 400, "bad_data", '"start"'),
    (
        "query_range",
        {"query": "a", "start": 0, "end": 11_000, "step": 1},
        400,
        "bad_data",
        "11,000",
    ),
]


@pytest.mark.parametrize("row", FAULTS, ids=[f"{row[0]}-{row[4]}" for row in FAULTS])
async def test_faults(world: World, row: tuple[str, dict[str, Any], int, str, str]) -> None:
    path, parameters, status, kind, words = row
    for name in "ab":
        await world.push(name, 1.0)
    reply = await world.http.get(f"/api/v1/{path}", params=parameters)
    body = reply.json()
    assert (reply.status_code, body["status"], body["errorType"]) == (status, "error", kind)
    assert words in body["error"]


class Scheduler:
    """Stands in for the outgoing door; remembers what was passed on."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, str, dict[str, str], bytes]] = []
        self.alive = True

    async def request(
        self, method: str, url: str, *, headers: dict[str, str], body: bytes, **_rest: object
    ) -> OutboundReply:
        if not self.alive:
            raise OutboundFailed("nobody", reason="connect")
        self.seen.append((method, url, headers, body))
        return OutboundReply(
            201,
            {
                "content-type": "application/json",
                "set-cookie": "x=1",
                "etag": '"1"',
                "location": "/events/a%2Fb",
            },
            b"{}",
        )

    async def close(self) -> None:
        """Nothing is open."""


@pytest.fixture
def scheduler(world: World, monkeypatch: pytest.MonkeyPatch) -> Scheduler:
    made = Scheduler()
    monkeypatch.setattr(world.decisions._outbound.__class__, "request", lambda _self, *a, **k:
                        made.request(*a, **k))  # fmt: skip
    return made


async def test_requests_pass_with_credentials_and_without_origin(
    world: World, scheduler: Scheduler
) -> None:
    reply = await world.http.put(
        "/scheduler/events/a%2Fb?x=1&y=%20",
        json={"name": "n"},
        headers={
            "If-Match": '"7"',
            "Origin": "http://127.0.0.1:8024",
            "Sec-Fetch-Site": "same-origin",
        },
    )
    assert (reply.status_code, reply.headers["etag"], reply.content) == (201, '"1"', b"{}")
    assert "set-cookie" not in reply.headers
    assert reply.headers["location"] == "/scheduler/events/a%2Fb"
    [(method, url, headers, body)] = scheduler.seen
    assert (method, url) == ("PUT", "http://127.0.0.1:8025/events/a%2Fb?x=1&y=%20")
    assert (headers["if-match"], json.loads(body)) == ('"7"', {"name": "n"})
    assert not {"origin", "sec-fetch-site", "host"} & headers.keys()


@pytest.mark.parametrize("media_type", EVENT_FILES)
async def test_what_the_scheduler_imports_passes(
    world: World, scheduler: Scheduler, media_type: str
) -> None:
    reply = await world.http.post(
        "/scheduler/events/import", content=b"x", headers={"Content-Type": media_type}
    )
    assert reply.status_code == 201
    [(_, _, headers, body)] = scheduler.seen
    assert (headers["content-type"], body) == (media_type, b"x")


async def test_the_scheduler_is_found_where_it_says_it_is(
    world: World, scheduler: Scheduler
) -> None:
    (world.data_dir / "run").mkdir(exist_ok=True)
    told = world.data_dir / "run" / "scheduler.json"
    told.write_text('{"url":"http://127.0.0.1:9","port":9}')
    await world.http.get("/scheduler/events")
    told.write_text("not json")
    await world.http.get("/scheduler/events")
    assert [url for _, url, _, _ in scheduler.seen] == [
        "http://127.0.0.1:9/events", "http://127.0.0.1:8025/events",
    ]  # fmt: skip


async def test_a_scheduler_that_was_named_is_asked_and_no_other(
    tmp_path: Path, scheduler: Scheduler
) -> None:
    world = World(tmp_path / "named", SCHEDULER_URL="http://alicia_event_scheduler:8025/")
    (world.data_dir / "run").mkdir(parents=True)
    (world.data_dir / "run" / "scheduler.json").write_text('{"url":"http://127.0.0.1:9","port":9}')
    await world.start()
    await world.http.get("/scheduler/events")
    await world.stop()
    assert [url for _, url, _, _ in scheduler.seen] == ["http://alicia_event_scheduler:8025/events"]


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "docs"), ("GET", "events/a/b/c"), ("DELETE", "executions/x"), ("POST", "session"),
     ("GET", "executions/x/y"), ("POST", "events/x/purge"), ("GET", "")],
)  # fmt: skip
async def test_nothing_else_is_reachable(
    world: World, scheduler: Scheduler, method: str, path: str
) -> None:
    reply = await world.http.request(method, f"/scheduler/{path}")
    assert reply.status_code == 404
    assert scheduler.seen == []


async def test_a_scheduler_that_is_away(world: World, scheduler: Scheduler) -> None:
    scheduler.alive = False
    reply = await world.http.get("/scheduler/executions")
    assert (reply.status_code, reply.json()["type"]) == (502, "scheduler_unreachable")
    assert reply.headers["content-type"] == "application/problem+json"
