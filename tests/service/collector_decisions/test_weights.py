"""Advice for the load balancer, from metrics in the store to the message on the bus."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from .conftest import World

PATH = "/api/v1/loadbalancer/stt_service"


@pytest.fixture
async def chosen(tmp_path: Path) -> AsyncIterator[World]:
    made = World(tmp_path, LOAD_BALANCER_WEIGHTS="stt_service")
    await made.start()
    yield made
    await made.stop()


def alive(world: World, *instances: str, status: str = "healthy") -> None:
    for instance in instances:
        body = {"instance_id": instance, "status": status}
        world.harness.tell("alicia/system/health/stt_service", json.dumps(body).encode())


async def report(world: World, instance: str, *metrics: dict[str, Any]) -> None:
    body = {"service_name": "stt_service", "instance_id": instance, "metrics": metrics}
    reply = await world.http.post("/metrics", json=body)
    assert reply.json()["rejected"] == [], reply.text


async def weights(world: World) -> dict[str, Any]:
    reply = await world.http.get(PATH)
    assert reply.status_code == 200, reply.text
    found: dict[str, Any] = reply.json()
    return found


def metric(name: str, value: object, kind: str = "gauge") -> dict[str, Any]:
    return {"name": name, "value": value, "metric_type": kind}


async def test_weights_follow_what_instances_report(world: World) -> None:
    alive(world, "a", "b", "c")
    for minute in range(3):
        grown = 100.0 * minute
        for instance, slow, failed, busy in (
            ("a", 100, 0, 20),
            ("b", 200, 0, 20),
            ("c", 100, 5, 75),
        ):
            await report(
                world, instance,
                metric("latency_ms", slow), metric("cpu_percent", busy),
                metric("requests_total", grown, "counter"),
                metric("errors_total", grown * failed / 100, "counter"),
            )  # fmt: skip
        world.clock.pass_ms(10_000)
    alive(world, "a", "b", "c")
    await world.judge()
    found = await weights(world)
    assert found["weights"] == {"a": 100, "b": 50, "c": 38}
    assert found["instances"]["c"] == {
        "weight": 38, "p95_seconds": 0.1, "error_ratio": 0.05, "saturation": 0.75,
        "degraded": False,
    }  # fmt: skip
    assert (found["mode"], found["last_told"]) == ("off", None)


async def test_a_histogram_tells_the_latency(world: World) -> None:
    alive(world, "a", "b")
    for count in (0, 100):
        for instance, fast in (("a", 0.9), ("b", 0.0)):
            buckets = {"0.1": int(count * fast), "0.5": count, "+Inf": count}
            value = {"count": count, "sum": count * 0.2, "buckets": buckets}
            await report(world, instance, metric("request_duration_seconds", value, "histogram"))
        world.clock.pass_ms(10_000)
    await world.judge()
    found = (await weights(world))["instances"]
    assert found["a"]["p95_seconds"] == pytest.approx(0.3)
    assert found["b"]["p95_seconds"] == pytest.approx(0.48)
    assert (found["a"]["weight"], found["b"]["weight"]) == (100, 63)


async def test_who_is_down_gets_no_weight_and_one_alone_needs_none(world: World) -> None:
    alive(world, "a", "b")
    alive(world, "b", status="failed")
    await world.judge()
    found = await weights(world)
    assert found["weights"] == {"a": 100}
    assert found["reason"].startswith("1 live instances; weights need 2")
    unknown = await world.http.get("/api/v1/loadbalancer/nobody")
    assert (unknown.status_code, unknown.json()["type"]) == (404, "not_found")


async def test_nothing_is_told_unless_it_was_asked_for(world: World) -> None:
    alive(world, "a", "b")
    await world.judge()
    for _ in range(3):
        await world.decisions.weights.tell()
    await world.settle()
    assert world.told("loadbalancer/metrics_collector") == []


async def test_first_a_dry_run_then_changes_above_a_fifth(chosen: World) -> None:
    async def turn(latency_ms: float) -> list[dict[str, int]]:
        chosen.heard.clear()
        chosen.clock.pass_ms(301_000)  # only the newest samples count
        alive(chosen, "a", "b")
        await report(chosen, "a", metric("latency_ms", 100))
        await report(chosen, "b", metric("latency_ms", latency_ms))
        await chosen.judge()
        await chosen.decisions.weights.tell()
        await chosen.settle()
        return [body["weights"] for body in chosen.told("loadbalancer/metrics_collector")]

    assert await turn(200) == []
    assert (await weights(chosen))["mode"] == "dry_run"
    assert await turn(200) == [{"a": 100, "b": 50}]
    assert (await weights(chosen))["last_told"] == {
        "weights": {"a": 100, "b": 50}, "timestamp": chosen.clock.now_ms() / 1000,
    }  # fmt: skip
    assert await turn(180) == []
    assert await turn(150) == [{"a": 100, "b": 67}]
    chosen.harness.broker.stop()
    assert await turn(400) == []
    assert (await weights(chosen))["last_told"]["weights"] == {"a": 100, "b": 67}
    assert chosen.collector.counters.by_label("load_balancer") == {"dry_run": 1, "told": 2}


async def test_the_message_is_the_one_that_the_load_balancer_reads(chosen: World) -> None:
    alive(chosen, "a", "b")
    await chosen.judge()
    for _ in range(2):
        await chosen.decisions.weights.tell()
    await chosen.settle()
    [told] = chosen.told("loadbalancer/metrics_collector")
    flat = {name: told[name] for name in ("command", "service_name", "weights")}
    assert flat == {
        "command": "update_weights", "service_name": "stt_service",
        "weights": {"a": 100, "b": 100},
    }  # fmt: skip
    assert flat.items() <= told["payload"].items()
    assert told["source"] == "metrics_collector"
