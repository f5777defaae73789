"""A real scheduler in a process of its own, and what a target hears of it."""

import asyncio
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from tests.support.service_process import ServiceProcess

from alicia.adapters.bus.address import parse_address
from alicia.adapters.bus.gmqtt import BusConfig, GmqttBus
from alicia.adapters.bus.packer import silence_gmqtt
from alicia.adapters.clock import SystemClock, SystemRandom
from alicia.base.counters import Counters
from alicia.wire.ports import Message, Publication


class SchedulerProcess(ServiceProcess):
    """What tests ask of a scheduler."""

    def __init__(self, data_dir: Path, *, mqtt_port: int, **settings: str) -> None:
        zone = {"TIMEZONE": "Europe/Riga"}
        super().__init__("scheduler", data_dir, mqtt_port=mqtt_port, **zone | settings)

    def post(self, path: str, body: Mapping[str, object] | None = None) -> dict[str, Any]:
        return self.send("POST", path, body)

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
