"""health_monitor's alerts beside ours: listed, told once, and gone when they are over."""

import json
from typing import Any

from .conftest import World

TOPIC = "system/health/monitor/alerts"


def tell(world: World, topic: str = TOPIC, **body: Any) -> None:
    world.harness.tell(f"alicia/{topic}", json.dumps(body).encode())


def cpu(world: World, **more: Any) -> None:
    """As it comes: the id holds the second, so that it never comes twice."""
    stamp = world.clock.now_ms() // 1000
    tell(world, alert_id=f"stt_cpu_{stamp}", service_name="stt", alert_type="high_cpu",
         severity="warning", message="CPU usage 93%", value=93, **more)  # fmt: skip


async def test_they_are_listed_told_once_and_resolved(world: World) -> None:
    for _ in range(3):
        cpu(world)
        await world.turn(1000)
    [alert] = await world.alerts()
    assert (alert["rule_name"], alert["state"]) == ("health_monitor/cpu", "firing")
    assert (alert["service_name"], alert["message"]) == ("stt", "CPU usage 93%")
    cpu(world, resolved=True)
    await world.turn(1000)
    assert [m["event"] for m in world.told("metrics/alerts")] == ["firing", "resolved"]
    assert len(world.told("alerts/new")) == len(world.told("alerts/resolved")) == 1


async def test_both_seeing_it_is_one_notification(world: World) -> None:
    await world.push("cpu_percent", 95)
    await world.turn()
    assert len(world.told("alerts/new")) == 1
    world.clock.pass_ms(60_000)
    cpu(world)
    await world.turn(0)
    found = {each["rule_name"]: each for each in await world.alerts()}
    assert found.keys() == {"high_cpu", "health_monitor/cpu"}
    assert found["health_monitor/cpu"]["inhibited_by"] == [found["high_cpu"]["alert_id"]]
    assert len(world.told("alerts/new")) == 1
    assert len(world.told("metrics/alerts")) == 2  # machines hear of both


async def test_whoever_comes_second_is_quiet(world: World) -> None:
    cpu(world)
    await world.turn()
    await world.push("cpu_percent", 95)
    await world.turn()
    await world.turn()
    assert [m["rule_name"] for m in world.told("alerts/new")] == ["health_monitor/cpu"]


async def test_they_survive_a_kill_without_a_second_message(world: World) -> None:
    cpu(world)
    await world.turn()
    await world.killed_and_started()
    await world.turn()
    assert [each["state"] for each in await world.alerts()] == ["firing"]
    assert len(world.told("metrics/alerts")) == 1


async def test_only_its_own_fresh_word_counts(world: World) -> None:
    tell(world, source="stranger", message_id="1", service_name="a", kind="cpu")
    tell(world, service_name="a/b", kind="cpu")
    body = json.dumps({"service_name": "a", "kind": "cpu"}).encode()
    world.harness.tell(f"alicia/{TOPIC}", body, retained=True)
    await world.turn()
    assert await world.alerts() == []


async def test_a_silent_monitor_is_an_alert(world: World) -> None:
    """It answers no poke; what it says of the fleet is its own report."""
    for _ in range(3):
        tell(world, "system/health/monitor/status", source="health_monitor", status="healthy")
        await world.judge(30_000)
    assert (await world.http.get("/services/health_monitor")).json()["status"] == "up"
    for _ in range(8):
        await world.judge(10_000)
        await world.turn(0)
    assert [each["service_name"] for each in await world.alerts()] == ["health_monitor"]


async def test_its_limits_can_be_loaded_as_rules(world: World) -> None:
    path = "/api/v1/rule-packs/health_monitor"
    assert (await world.http.get("/api/v1/rule-packs")).json()["packs"].keys() == {"health_monitor"}
    loaded = (await world.http.post(path)).json()
    assert [name.removeprefix("health_monitor_") for name in loaded["added"]] == [
        "cpu", "memory", "errors", "response_time", "offline",
    ]  # fmt: skip
    again = (await world.http.post(path)).json()
    assert (again["added"], len(again["kept"])) == ([], 5)
    await world.push("memory_mb", 501)
    await world.turn()
    assert [each["rule_name"] for each in await world.alerts()] == ["health_monitor_memory"]
    unknown = await world.http.post("/api/v1/rule-packs/none")
    assert (unknown.status_code, unknown.json()["type"]) == (404, "not_found")
