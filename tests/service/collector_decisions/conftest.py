import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from tests.service.collector.collector_harness import Harness

from alicia.adapters.bus.memory import MemoryBus
from alicia.wire.ports import BusState, Message


class World:
    """A collector whose loops are turned by hand, a clock to move, and a peer who listens."""

    def __init__(self, data_dir: Path, **settings: str) -> None:
        self.data_dir = data_dir
        self.settings = {"COLLECTION_INTERVAL": "10s", **settings}
        self.heard: list[tuple[str, dict[str, Any]]] = []
        self._open()

    def _open(self) -> None:
        self.harness = Harness(self.data_dir, **self.settings)
        self.clock, self.http = self.harness.clock, self.harness.http
        self.collector = self.harness.collector
        self.decisions = self.collector.decisions

    async def start(self, *, at_ms: int | None = None) -> None:
        if at_ms is not None:
            self.clock.pass_ms(at_ms - self.clock.wall_ms)
        await self.decisions.load()
        self._peer = MemoryBus(self.harness.broker, client_id="peer", clock=self.clock)
        await self._peer.start(self._hear, _ignore_state)
        await self._peer.subscribe(("alicia/#",))
        await self.collector.bus.start(self.collector.router.handle, _ignore_state)
        await self.settle()

    async def stop(self) -> None:
        await self.http.aclose()
        await self._peer.stop()
        await self.collector.stop()

    async def killed_and_started(self, *, after_ms: int = 1000) -> None:
        """A new process over the same data, ``after_ms`` later; nothing was saved on the way."""
        now_ms = self.clock.wall_ms + after_ms
        self.decisions.fleet.records.clear()
        await self.stop()
        self._open()
        await self.start(at_ms=now_ms)

    async def push(self, name: str, value: float, **labels: str) -> None:
        body = {"name": name, "value": value, "service_name": labels.pop("service", "stt")}
        reply = await self.http.post("/metrics", json={**body, "labels": labels})
        assert reply.status_code == 200, reply.text

    async def turn(self, passed_ms: int = 10_000) -> None:
        """Let time pass, then one turn of the rules and of everybody who waits for it."""
        self.clock.pass_ms(passed_ms)
        await self.decisions.rules.tick()
        await self.decisions.outbox.flush()
        await self.settle()

    async def judge(self, passed_ms: int = 0) -> None:
        self.clock.pass_ms(passed_ms)
        await self.decisions.fleet.judge()

    async def settle(self) -> None:
        for _ in range(20):
            await asyncio.sleep(0)

    async def alerts(self, query: str = "") -> list[dict[str, Any]]:
        reply = await self.http.get(f"/alerts{query}")
        assert reply.status_code == 200, reply.text
        found: list[dict[str, Any]] = reply.json()["alerts"]
        return found

    async def add_rule(self, **fields: Any) -> dict[str, Any]:
        body = {"name": "hot", "condition": "temp > 30", "severity": "error", **fields}
        reply = await self.http.post("/alerts/rules", json=body)
        assert reply.status_code == 201, reply.text
        made: dict[str, Any] = reply.json()
        return made

    def told(self, topic: str) -> list[dict[str, Any]]:
        return [body for heard, body in self.heard if heard == f"alicia/{topic}"]

    def _hear(self, message: Message) -> None:
        self.heard.append((message.topic, json.loads(message.body)))


def _ignore_state(_state: BusState) -> None:
    """Connections are no subject here."""


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    made = World(tmp_path)
    await made.start()
    yield made
    await made.stop()
