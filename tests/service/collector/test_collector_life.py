"""A started collector: port, run file, presence on the bus, canary, clean stop."""

import asyncio
import json
import os
import signal
from pathlib import Path

import httpx
import pytest
from tests.service.collector.collector_harness import Harness

from alicia.adapters.bus.memory import MemoryBus
from alicia.adapters.lifetime import SUPERVISOR_FD, Ending
from alicia.adapters.sql.errors import DatabaseUnavailable
from alicia.adapters.sql.registry import SqlRegistry
from alicia.base.errors import Unavailable
from alicia.wire.ports import BusState, Message


class Listener:
    """A peer that keeps every message below alicia/."""

    def __init__(self, harness: Harness) -> None:
        self._bus = MemoryBus(harness.broker, client_id="peer", clock=harness.clock)
        self._arrived = asyncio.Condition()
        self.bodies: dict[str, dict[str, object]] = {}

    async def start(self) -> None:
        await self._bus.start(self._keep, _ignore_state)
        await self._bus.subscribe(("alicia/#",))

    async def body(self, topic: str) -> dict[str, object]:
        """The newest message of a topic, awaited."""
        async with self._arrived:
            await self._arrived.wait_for(lambda: topic in self.bodies)
        return self.bodies[topic]

    async def _keep(self, message: Message) -> None:
        async with self._arrived:
            self.bodies[message.topic] = json.loads(message.body)
            self._arrived.notify_all()


def _ignore_state(_state: BusState) -> None:
    """Connections of the peer are no subject here."""


async def test_a_whole_life(harness: Harness, tmp_path: Path) -> None:
    peer = Listener(harness)
    await peer.start()
    url = await harness.collector.start()

    run_file = tmp_path / "run" / "collector.json"
    info = json.loads(run_file.read_text())
    assert (info["url"], info["pid"]) == (url, os.getpid())
    async with httpx.AsyncClient() as client:
        health = (await client.get(f"{url}/health")).json()
    assert (health["status"], health["mqtt_connected"]) == ("healthy", True)

    registered = await peer.body("alicia/system/discovery/register")
    assert registered["service_name"] == "metrics_collector"
    assert registered["port"] == info["port"]
    assert "node" in registered["payload"]  # type: ignore[operator]

    summary = await peer.body("alicia/metrics/summary")
    assert summary["source"] == "metrics_collector"
    assert {"series", "samples_per_second", "system"} <= summary.keys()
    found = harness.collector.store.label_values("__name__")
    assert "bus_roundtrip_seconds" in found

    await harness.collector.stop()
    farewell = await peer.body("alicia/system/discovery/unregister")
    assert farewell["status"] == "offline"
    assert not run_file.exists()


async def test_what_fails_at_the_stop_does_not_keep_the_rest_open(
    harness: Harness,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def full(*_args: object) -> None:
        raise Unavailable("the disk is full")

    await harness.collector.start()
    await harness.collector.decisions.fleet.judge()
    monkeypatch.setattr(SqlRegistry, "save", full)
    monkeypatch.setattr(MemoryBus, "stop", full)
    await harness.collector.stop()
    assert not (tmp_path / "run" / "collector.json").exists()
    with pytest.raises(DatabaseUnavailable):
        await harness.collector.decisions.rules.delete("high_cpu")
    with pytest.raises(RuntimeError):
        await harness.collector.system.collect()  # its threads are gone
    told = [record.getMessage() for record in caplog.records]
    assert "stopping: bus failed: the disk is full" in told
    assert "stopping: saving the services failed: the disk is full" in told


async def test_a_lost_broker_stops_nothing(harness: Harness) -> None:
    harness.broker.stop()
    url = await harness.collector.start()
    async with httpx.AsyncClient() as client:
        reply = await client.post(f"{url}/metrics", json={"name": "x", "value": 1})
        assert reply.json()["accepted"] == 1
        health = (await client.get(f"{url}/health")).json()
        assert health["status"] == "degraded"
        harness.broker.start()
        health = (await client.get(f"{url}/health")).json()
    assert health["status"] == "healthy"


async def test_the_will_says_that_we_are_gone(harness: Harness) -> None:
    bus = harness.collector.bus
    assert isinstance(bus, MemoryBus)
    assert bus.will is not None
    assert bus.will.topic == "alicia/system/health/metrics_collector"
    assert json.loads(bus.will.body)["status"] == "offline"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_signals_end_a_service(number: signal.Signals) -> None:
    ending = Ending({})
    os.kill(os.getpid(), number)
    os.kill(os.getpid(), number)  # the second one is safe
    assert await ending.wait() == number.name


async def test_the_supervisors_death_ends_a_service() -> None:
    reading, writing = os.pipe()
    ending = Ending({SUPERVISOR_FD: str(reading)})
    os.close(writing)
    assert await ending.wait() == "the supervisor ended"
    os.close(reading)


@pytest.mark.parametrize("text", ["", "x", "-1", "1.5"])
async def test_without_a_supervisor_only_signals_count(text: str) -> None:
    ending = Ending({SUPERVISOR_FD: text})
    ending.end("asked")
    ending.end("asked again")
    assert await ending.wait() == "asked"
