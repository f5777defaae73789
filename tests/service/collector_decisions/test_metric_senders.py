"""Services that send metrics and nothing else."""

import asyncio
import json
from typing import Any

from .conftest import World

ONLY_METRICS = "sends metrics; has never reported health"


def tell(world: World, topic: str, **body: Any) -> None:
    world.harness.tell(f"alicia/{topic}", json.dumps(body).encode())


async def listed(world: World) -> dict[str, dict[str, Any]]:
    found = (await world.http.get("/services")).json()["services"]
    return {each["service_name"]: each for each in found}


def collect(world: World, name: str, **more: Any) -> None:
    tell(world, "metrics/collect", service_name=name, metrics=[{"name": "m", "value": 1}], **more)


async def test_they_belong_to_the_fleet_and_nobody_calls_them_down(world: World) -> None:
    collect(world, "stt")
    await world.push("m", 1, service="pushed")
    collect(world, "tts_service", source="tts_service", message_id="1", instance_id="tts-1")
    tell(world, "metrics/bare", load=0.5)
    await world.judge()
    fleet = await listed(world)
    assert fleet.keys() == {"stt", "pushed", "tts_service", "bare", "metrics_collector"}
    for name, group in {"stt": "other", "pushed": "other", "tts_service": "voice"}.items():
        service = fleet[name]
        assert (service["status"], service["code"]) == ("unknown", "metrics_only")
        assert (service["reason"], service["group"]) == (ONLY_METRICS, group)
        assert service["last_seen"] == world.clock.now_ms() / 1000
        [instance] = service["instances"]
        metrics = (await world.http.get(f"/metrics/{name}")).json()["instances"]
        assert metrics[instance["instance_id"]]["health_status"] == instance["status"] == "unknown"
    assert [each["instance_id"] for each in fleet["tts_service"]["instances"]] == ["tts-1"]
    world.clock.pass_ms(9000)
    collect(world, "stt")
    await world.judge(1000)
    assert (await listed(world))["stt"]["last_seen"] == world.clock.now_ms() / 1000 - 1
    for _ in range(6):
        await world.judge(60_000)
        await world.turn(0)
    assert (await listed(world))["stt"]["reason"].startswith("sent its last metrics 6 min ago")
    assert await world.alerts("?active_only=false") == []


async def test_one_word_of_its_own_makes_it_a_service_like_any_other(world: World) -> None:
    collect(world, "stt", source="stt", message_id="1")
    await world.judge()
    world.clock.pass_ms(2000)
    collect(world, "stt", source="stt", message_id="2")  # the same once more proves no more
    await world.judge()
    assert (await listed(world))["stt"]["status"] == "unknown"
    tell(world, "system/health/stt", status="healthy")
    await world.judge()
    assert (await listed(world))["stt"]["reason"] == "reports healthy"
    # Gauges that another sends about it keep nobody alive.
    for _ in range(4):
        world.clock.pass_ms(10_000)
        tell(world, "loadbalancer/route/stt", requests=1)
        await world.judge()
    assert (await listed(world))["stt"]["status"] == "down"


async def test_a_flood_of_names_grows_nothing(world: World, monkeypatch: Any) -> None:
    monkeypatch.setattr("alicia.collector.poll.METRIC_SERVICES_MAX", 3)
    monkeypatch.setattr("alicia.collector.poll_metrics.SENDERS_KEPT", 5)
    for i in range(9):
        collect(world, f"s{i}")
    await world.judge()
    assert (await listed(world)).keys() == {"s0", "s1", "s2", "metrics_collector"}
    assert world.collector.counters.by_label("services") == {"overflow": 6}
    tell(world, "system/health/real", status="healthy")  # who says a word is kept out by nobody
    await world.judge()
    assert "real" in await listed(world)


async def test_refused_and_nameless_samples_make_no_service(world: World) -> None:
    tell(world, "metrics/collect", service_name="a", metrics=[{"name": "m", "value": "NaN"}])
    tell(world, "metrics/collect", metrics=[{"name": "m", "value": 1}])
    await world.judge()
    assert (await listed(world)).keys() == {"metrics_collector"}


async def test_they_are_forgotten_when_their_series_have_ended(world: World) -> None:
    collect(world, "gone")
    await world.judge()
    awake, heard = asyncio.Event(), b""
    browser = world.decisions.live.attach(awake.set)
    assert browser is not None
    await world.decisions.fleet.poke()
    for passed_ms in (3_599_000, 2000):
        world.clock.pass_ms(passed_ms)
        list(world.collector.store.expire(world.clock.now_ms()))
        assert "gone" in await listed(world)
        await world.decisions.fleet.poke()
    assert "gone" not in await listed(world)
    async with asyncio.timeout(30):
        while b'{"service_name":"gone","removed":true}' not in heard:
            await awake.wait()
            awake.clear()
            heard += browser.take()
    await world.killed_and_started()
    assert "gone" not in await listed(world)
