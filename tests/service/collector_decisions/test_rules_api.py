from typing import Any

import pytest

from .conftest import World

GOLDEN = {
    "name": "hot", "condition": "value >= 30", "expr": "temp >= 30", "metric_name": "temp",
    "operator": ">=", "threshold": 30.0, "severity": "error", "enabled": True,
    "description": "", "for": "1m", "keep_firing_for": "0s", "resolve_threshold": 25.0,
    "missing_for": "1m30s", "interval": "10s", "interval_given": False, "cooldown_period": "0s",
    "labels": {"team": "x"},
    "annotations": {"summary": "{{ $value }}"}, "depends_on": ["service_down"],
    "state": "inactive", "health": "unknown", "last_error": "", "last_evaluation": None,
}  # fmt: skip


async def test_life_of_a_rule(world: World) -> None:
    body = {
        "name": "hot", "condition": "value >= 30", "metric_name": "temp", "severity": "error",
        "for": 60, "resolve_threshold": 25, "missing_for": "90s", "labels": {"team": "x"},
        "annotations": {"summary": "{{ $value }}"}, "depends_on": ["service_down"],
    }  # fmt: skip
    reply = await world.http.post("/alerts/rules", json=body)
    assert (reply.status_code, reply.json()) == (201, GOLDEN)
    assert (await world.http.get("/alerts/rules/hot")).json() == GOLDEN
    changed = await world.http.put("/alerts/rules/hot", json={**GOLDEN, "severity": "info"})
    assert (changed.status_code, changed.json()) == (200, GOLDEN | {"severity": "info"})
    gone = await world.http.delete("/alerts/rules/hot")
    assert (gone.status_code, gone.json()) == (200, {"deleted": "hot"})
    assert (await world.http.get("/alerts/rules/hot")).status_code == 404


async def test_defaults_are_loaded_once_and_stay_deleted(world: World) -> None:
    listed = (await world.http.get("/alerts/rules")).json()["rules"]
    assert [rule["name"] for rule in listed] == [
        "high_cpu", "high_disk", "high_error_rate", "high_memory", "response_time_high",
        "service_down",
    ]  # fmt: skip
    await world.http.delete("/alerts/rules/high_cpu")
    await world.http.put("/alerts/rules/high_disk", json={**listed[1], "enabled": False})
    await world.killed_and_started()
    after = {rule["name"]: rule for rule in (await world.http.get("/alerts/rules")).json()["rules"]}
    assert len(after) == 5
    assert after["high_disk"]["enabled"] is False


async def test_a_name_in_use_is_refused(world: World) -> None:
    await world.add_rule()
    body = {"name": "hot", "condition": "temp > 1", "severity": "info"}
    reply = await world.http.post("/alerts/rules", json=body)
    assert (reply.status_code, reply.json()["type"]) == (409, "conflict")
    assert (await world.http.get("/alerts/rules/hot")).json()["severity"] == "error"


@pytest.mark.parametrize("method", ["get", "delete"])
async def test_an_unknown_rule(world: World, method: str) -> None:
    reply = await world.http.request(method, "/alerts/rules/none")
    assert (reply.status_code, reply.json()["type"]) == (404, "not_found")


async def test_put_checks_before_it_changes(world: World) -> None:
    body = {"condition": "temp > 1", "severity": "info"}
    assert (await world.http.put("/alerts/rules/none", json=body)).status_code == 404
    await world.add_rule()
    renamed = await world.http.put("/alerts/rules/hot", json={**body, "name": "other"})
    assert (renamed.status_code, renamed.json()["type"]) == (422, "renamed")
    bad = await world.http.put("/alerts/rules/hot", json={**body, "severity": "x"})
    assert bad.status_code == 422
    assert (await world.http.get("/alerts/rules/hot")).json()["severity"] == "error"


# body | status | type | faulty fields
BAD: list[tuple[bytes, int, str, list[list[str]]]] = [
    (b"", 400, "bad_body", []),
    (b"{", 400, "bad_json", []),
    (b"\xff", 400, "bad_utf8", []),
    (b"[" * 40, 400, "too_deep", []),
    (b"[]", 422, "not_an_object", [["body"]]),
    (b'{"name":"a","condition":"x > 1","severity":"fatal"}', 422, "bad_severity", [["severity"]]),
    (b'{"name":"a","condition":"x > > 1","severity":"info"}', 422, "bad_condition",
     [["condition"]]),
    (b'{"name":"a","condition":"x","severity":"info","threshold":NaN}', 400, "bad_json", []),
    (b'{"name":"a","condition":"x","severity":"info","threshold":"NaN"}', 422, "bad_type",
     [["threshold"]]),
    (b'{"name":"a","condition":"x > 1","severity":"info","x":1}', 422, "unknown_field", [["x"]]),
    (b'{"severity":"x"}', 422, "bad_request", [["name"], ["condition"], ["severity"]]),
]  # fmt: skip


@pytest.mark.parametrize("row", BAD, ids=[row[2] for row in BAD])
async def test_bad_bodies(world: World, row: tuple[bytes, int, str, list[list[str]]]) -> None:
    content, status, kind, fields = row
    reply = await world.http.post(
        "/alerts/rules", content=content, headers={"Content-Type": "application/json"}
    )
    problem = reply.json()
    assert (reply.status_code, problem["type"]) == (status, kind)
    assert reply.headers["content-type"] == "application/problem+json"
    assert [fault["loc"] for fault in problem.get("errors", [])] == fields
    assert len((await world.http.get("/alerts/rules")).json()["rules"]) == 6


async def test_a_removed_rule_resolves_its_alerts(world: World) -> None:
    await world.add_rule()
    await world.push("temp", 35.0)
    await world.turn(0)
    await world.http.delete("/alerts/rules/hot")
    await world.turn()
    [ended] = await world.alerts("?active_only=false")
    assert (ended["state"], ended["reason"]) == ("resolved", "rule_removed")
    assert [m["event"] for m in world.told("metrics/alerts")] == ["firing", "resolved"]
    await world.turn(16 * 60_000)
    assert await world.alerts("?active_only=false") == []


@pytest.mark.parametrize(
    ("change", "states"),
    [({"severity": "info"}, ["firing"]), ({"for": "5m"}, ["pending"]), ({"enabled": False}, []),
     ({"condition": "temp > 31"}, ["firing"])],
)  # fmt: skip
async def test_a_changed_rule(world: World, change: dict[str, Any], states: list[str]) -> None:
    made = await world.add_rule()
    await world.push("temp", 35.0)
    await world.turn(0)
    reply = await world.http.put(
        "/alerts/rules/hot", json={**made, "threshold": None, "operator": None, **change}
    )
    assert reply.status_code == 200, reply.text
    await world.turn()
    assert [a["state"] for a in await world.alerts()] == states


async def test_a_backtest_tells_when_it_would_have_fired(world: World) -> None:
    for value in (20.0, 35.0, 36.0, 20.0):
        await world.push("temp", value)
        world.clock.pass_ms(10_000)
    body = {"rule": {"condition": "temp > 30", "interval": "10s"}, "window": "1m"}
    reply = await world.http.post("/alerts/rules/test", json=body)
    answer = reply.json()
    assert (reply.status_code, answer["fired_count"], answer["longest_seconds"]) == (200, 1, 20.0)
    [span] = answer["fired"]
    assert span["resolved_at"] - span["fired_at"] == 20.0
    assert span["labels"]["service"] == "stt"
    flat = await world.http.post("/alerts/rules/test", json={"condition": "temp > 99"})
    assert flat.json()["fired"] == []
    assert await world.alerts("?active_only=false") == []


@pytest.mark.parametrize(
    ("window", "status", "kind"),
    [({"window": "x"}, 422, "bad_duration"), ({"start": 5, "end": 5}, 422, "reversed_range"),
     ({"start": "never"}, 422, "bad_time"), ({"window": "10y"}, 422, "backtest_too_large")],
)  # fmt: skip
async def test_bad_windows(world: World, window: dict[str, Any], status: int, kind: str) -> None:
    body = {"rule": {"condition": "temp > 30"}, **window}
    reply = await world.http.post("/alerts/rules/test", json=body)
    assert (reply.status_code, reply.json()["type"]) == (status, kind)


async def test_rules_without_an_interval_follow_the_setting(world: World) -> None:
    await world.add_rule()
    await world.add_rule(name="own", interval="7s")
    world.settings["COLLECTION_INTERVAL"] = "20s"
    await world.killed_and_started()
    listed = (await world.http.get("/alerts/rules")).json()["rules"]
    assert {rule["name"]: rule["interval"] for rule in listed if rule["severity"] == "error"} == {
        "high_disk": "20s", "high_error_rate": "20s", "hot": "20s", "own": "7s",
    }  # fmt: skip
