"""``alicia demo`` as a process of its own, seen from the bus."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from tests.support.brokers import MOSQUITTO, mosquitto
from tests.support.bus_worlds import Peer

from alicia.adapters.bus.address import parse_address
from alicia.adapters.bus.gmqtt import BusConfig, GmqttBus
from alicia.adapters.clock import SystemClock, SystemRandom
from alicia.base.counters import Counters
from alicia.cli.demo.cast import CAST
from alicia.wire.envelope import Unwrapped, unwrap
from alicia.wire.ports import Publication

pytestmark = pytest.mark.skipif(MOSQUITTO is None, reason="needs the mosquitto program")
NAMES = {role.name for role in CAST}


class Stage:
    """A broker, the demo on it, and an onlooker who reads everything."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.broker = mosquitto(folder)
        self.broker.start()
        self.url = f"mqtt://127.0.0.1:{self.broker.port}"
        config = BusConfig(address=parse_address(self.url), client_id="onlooker")
        self.onlooker = Peer(
            GmqttBus(config, clock=SystemClock(), random=SystemRandom(), counters=Counters())
        )
        self._read, self.life_line = os.pipe()
        self.process: subprocess.Popen[bytes] | None = None

    def play(self, *words: str) -> None:
        environment = {
            **os.environ,
            "ALICIA_DATA_DIR": str(self.folder / "data"),
            "ALICIA_MQTT_URL": self.url,
            "ALICIA_SUPERVISOR_FD": str(self._read),
        }
        self.process = subprocess.Popen(
            [sys.executable, "-m", "alicia", "demo", *words],
            env=environment,
            pass_fds=(self._read,),
            stdout=subprocess.DEVNULL,
        )

    def senders(self, topic: str) -> set[str]:
        """Who has sent to a topic so far."""
        opened = [unwrap(m.body) for m in self.onlooker.messages if m.topic == topic]
        return {item.source for item in opened if isinstance(item, Unwrapped)}

    def values(self, topic: str) -> list[dict[str, Any]]:
        opened = [unwrap(m.body) for m in self.onlooker.messages if m.topic == topic]
        return [
            item.value
            for item in opened
            if isinstance(item, Unwrapped) and isinstance(item.value, dict)
        ]

    async def tell(self, topic: str, value: object) -> None:
        await self.onlooker.bus.publish(Publication(topic, json.dumps(value).encode()))

    async def ended(self) -> int:
        assert self.process is not None
        return await asyncio.to_thread(self.process.wait, 5)

    async def close(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
        await self.onlooker.bus.stop()
        self.broker.kill()
        os.close(self._read)
        if self.life_line >= 0:
            os.close(self.life_line)


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    made = Stage(tmp_path)
    await made.onlooker.start("alicia/#")
    yield made
    await made.close()


async def test_the_fleet_comes_works_and_leaves(stage: Stage) -> None:
    stage.play("--rate", "5")
    see = stage.onlooker.until
    register, collect = "alicia/system/discovery/register", "alicia/metrics/collect"
    await see(lambda: stage.senders(register) == NAMES)
    await see(lambda: stage.senders(collect) == NAMES)
    addresses = {f"{value['host']}:{value['port']}" for value in stage.values(register)}
    assert len(addresses) == len(NAMES)
    await see(lambda: {"alicia/voice/stt/request", "alicia/voice/stt/response"} <= _topics(stage))
    await see(lambda: "alicia/devices/light.hall/status" in _topics(stage))

    await stage.tell("alicia/device_control/command", {"execution_id": "x1", "attempt": 1})
    await see(lambda: bool(stage.values("alicia/scheduler/executions")))
    outcome = stage.values("alicia/scheduler/executions")[0]
    assert outcome["execution_id"] == "x1"
    assert outcome["status"] in ("completed", "failed")

    assert stage.process is not None
    stage.process.send_signal(signal.SIGTERM)
    assert await stage.ended() == 0
    await see(lambda: stage.senders("alicia/system/discovery/unregister") == NAMES)
    assert not (stage.folder / "data" / "run" / "demo.json").exists()


async def test_the_poke_is_answered_by_those_who_do(stage: Stage) -> None:
    stage.play("--services", "9")
    see = stage.onlooker.until
    await see(lambda: stage.senders("alicia/system/discovery/register") >= {"stt_service"})
    await see(lambda: _reports(stage, "health_monitor") == 1)  # at the start, like everyone
    await stage.tell("alicia/system/health/check", {"service_name": "onlooker"})
    await see(lambda: _reports(stage, "stt_service") == 2)
    assert _reports(stage, "health_monitor") == 1


async def test_one_service_is_stopped_by_http_and_brought_back_by_the_bus(stage: Stage) -> None:
    stage.play("--services", "2")
    note = stage.folder / "data" / "run" / "demo.json"
    see = stage.onlooker.until
    await see(lambda: len(stage.senders("alicia/metrics/collect")) == 2)
    urls = json.loads(await asyncio.to_thread(note.read_text))["services"]
    url = urls["device_registry"]
    health = json.loads(await asyncio.to_thread(_fetch, f"{url}/health"))
    assert (health["service_name"], health["status"]) == ("device_registry", "healthy")
    await asyncio.to_thread(_fetch, f"{url}/stop", b"")
    await asyncio.to_thread(_wait_until_gone, f"{url}/health")
    await stage.tell("alicia/services/device_registry/control", {"command": "start"})
    register = "alicia/system/discovery/register"
    await see(lambda: _count(stage, register, "device_registry") == 2)
    assert "alicia/system/discovery/unregister" not in _topics(stage)


async def test_it_ends_with_its_supervisor(stage: Stage) -> None:
    stage.play("--services", "1")
    await stage.onlooker.until(lambda: bool(stage.senders("alicia/metrics/collect")))
    os.close(stage.life_line)
    stage.life_line = -1
    assert await stage.ended() == 0


def _topics(stage: Stage) -> set[str]:
    return {message.topic for message in stage.onlooker.messages}


def _reports(stage: Stage, name: str) -> int:
    return len(stage.values(f"alicia/system/health/{name}"))


def _count(stage: Stage, topic: str, name: str) -> int:
    return [value.get("service_name") for value in stage.values(topic)].count(name)


def _fetch(url: str, body: bytes | None = None) -> bytes:
    with urllib.request.urlopen(urllib.request.Request(url, data=body), timeout=5) as reply:
        return bytes(reply.read())


def _wait_until_gone(url: str) -> None:
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        try:
            _fetch(url)
        except OSError:
            return
        time.sleep(0.02)
    raise AssertionError(f"{url} still answers")
