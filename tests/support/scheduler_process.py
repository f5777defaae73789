"""A real scheduler in a process of its own, and what a target hears of it."""

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx

from alicia.adapters.bus.address import parse_address
from alicia.adapters.bus.gmqtt import BusConfig, GmqttBus
from alicia.adapters.bus.packer import silence_gmqtt
from alicia.adapters.clock import SystemClock, SystemRandom
from alicia.base.counters import Counters
from alicia.wire.ports import Message, Publication


class SchedulerProcess:
    """``alicia scheduler`` on a data folder; may be killed and started again."""

    def __init__(self, data_dir: Path, *, mqtt_port: int, **settings: str) -> None:
        self._data_dir = data_dir
        self._environment = {
            **{k: v for k, v in os.environ.items() if not k.startswith(("ALICIA_", "MQTT_"))},
            "ALICIA_DATA_DIR": str(data_dir),
            "ALICIA_MQTT_URL": f"mqtt://127.0.0.1:{mqtt_port}",
            "ALICIA_SCHEDULER_PORT": "0",
            "ALICIA_TIMEZONE": "Europe/Riga",
            **{f"ALICIA_{key}": value for key, value in settings.items()},
        }
        self._process: subprocess.Popen[str] | None = None
        self.url = ""

    @property
    def errors(self) -> str:
        """What all its lives wrote to stderr."""
        return (self._data_dir.parent / "scheduler.err").read_text()

    def start(self) -> None:
        """Start, and wait until it says that it listens."""
        with (self._data_dir.parent / "scheduler.err").open("a") as err:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "alicia", "scheduler"],
                env=self._environment,
                cwd=self._data_dir.parent,
                stdout=subprocess.PIPE,
                stderr=err,
                text=True,
            )
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert "listening on" in line, f"{line!r} {self.errors}"
        self.url = line.split()[-1]

    def kill(self) -> None:
        """SIGKILL."""
        process = self._taken()
        process.kill()
        process.wait()

    def stop(self) -> tuple[int, float]:
        """SIGTERM; the exit code, and the seconds it took."""
        process, began = self._taken(), time.monotonic()
        process.terminate()
        code = process.wait(timeout=10)
        return code, time.monotonic() - began

    def ensure_stopped(self) -> None:
        if self._process is not None:
            self.kill()

    def post(self, path: str, body: Mapping[str, object] | None = None) -> dict[str, Any]:
        reply = httpx.post(self.url + path, json=body, timeout=10)
        assert reply.status_code in (200, 201, 202), reply.text
        return dict(reply.json())

    def get(self, path: str) -> dict[str, Any]:
        reply = httpx.get(self.url + path, timeout=30)
        assert reply.status_code == 200, reply.text
        return dict(reply.json())

    def executions(self, event_id: str = "") -> list[dict[str, Any]]:
        """All executions, newest first."""
        found: list[dict[str, Any]] = []
        cursor = ""
        while True:
            page = self.get(f"/executions?limit=5000&event_id={event_id}&cursor={cursor}")
            found += page["executions"]
            cursor = page.get("next_cursor", "")
            if not cursor:
                return found

    def _taken(self) -> subprocess.Popen[str]:
        assert self._process is not None, "it does not run"
        process, self._process = self._process, None
        assert process.stdout is not None
        process.stdout.close()
        return process


@dataclass
class Heard:
    """One message as a target got it."""

    topic: str
    body: dict[str, Any]
    at: float  # epoch seconds

    @property
    def lag_ms(self) -> float:
        """How long after its due instant it arrived."""
        due = datetime.fromisoformat(self.body["scheduled_time"]).timestamp()
        return (self.at - due) * 1000


@dataclass
class Target:
    """A service that listens, and may answer."""

    port: int
    heard: list[Heard] = field(default_factory=list)
    _changed: asyncio.Event = field(default_factory=asyncio.Event)

    async def start(self, *filters: str) -> None:
        silence_gmqtt()
        clock = SystemClock()
        config = BusConfig(
            address=parse_address(f"mqtt://127.0.0.1:{self.port}"),
            client_id=f"target-{SystemRandom().token_hex(4)}",
        )
        self._bus = GmqttBus(config, clock=clock, random=SystemRandom(), counters=Counters())
        await self._bus.start(self._take, lambda _state: self._changed.set())
        await self._bus.subscribe(filters)

    async def until(self, true: Callable[[], bool], seconds: float = 15) -> None:
        """Wait until something is true that a message or the connection brings about."""
        async with asyncio.timeout(seconds):
            while not true():
                self._changed.clear()
                await self._changed.wait()

    async def say(self, topic: str, body: object) -> None:
        await self._bus.publish(Publication(topic, json.dumps(body).encode()))

    async def stop(self) -> None:
        await self._bus.stop()

    @property
    def connected(self) -> bool:
        return self._bus.state.connected

    def _take(self, message: Message) -> None:
        at = time.time()
        self.heard.append(Heard(message.topic, json.loads(message.body), at))
        self._changed.set()
