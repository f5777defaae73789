"""A whole scheduler in this process: real database, broker in memory, no port."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx

from alicia.adapters.bus.memory import MemoryBroker, MemoryBus
from alicia.adapters.clock import SystemClock, SystemRandom
from alicia.adapters.http.bind import Listener
from alicia.adapters.settings import load_settings
from alicia.adapters.sql.database import open_database
from alicia.scheduler.service import Scheduler
from alicia.wire.ports import Message, Publication

TOPIC = "alicia/home/lamp"


class Harness:
    """The scheduler, a client of its API and a client of its bus."""

    def __init__(self, folder: Path, **settings: str) -> None:
        self.folder = folder
        self.settings = load_settings(
            {"DATA_DIR": str(folder / "data"), "TIMEZONE": "Europe/Riga", **settings},
            environment={},
            folder=folder,
        )
        self.broker = MemoryBroker()
        self.heard: list[Message] = []
        self._changed = asyncio.Event()
        self.on_message: Callable[[Message], None] = lambda _message: None

    async def start(self) -> None:
        """Begin a life on what the folder holds."""
        clock, random = SystemClock(), SystemRandom()
        self.settings.data_dir.mkdir(exist_ok=True)
        self.database = await open_database(
            self.settings.data_dir / "scheduler.db", service="scheduler"
        )
        self.scheduler = Scheduler(
            self.settings,
            self.database,
            node="n1",
            clock=clock,
            random=random,
            bus=MemoryBus(self.broker, client_id="scheduler", clock=clock),
        )
        self.scheduler._guard.admit(Listener((), "127.0.0.1", 1, loopback=True))
        await self.scheduler.take_up()
        await self.scheduler.begin()
        self.http = httpx.AsyncClient(
            transport=httpx.ASGITransport(self.scheduler.app), base_url="http://127.0.0.1"
        )
        self.peer = MemoryBus(self.broker, client_id="peer", clock=clock)
        await self.peer.start(self._take, lambda _state: None)
        await self.peer.subscribe(["alicia/#", "me/#"])

    async def stop(self) -> None:
        await self.http.aclose()
        await self.peer.stop()
        await self.scheduler.stop()
        await self.database.close()

    async def say(self, topic: str, body: object, **fields: Any) -> None:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        await self.peer.publish(Publication(topic, content, **fields))

    async def add(self, **fields: object) -> dict[str, Any]:
        """An event that is due by itself only in a year, unless the fields say otherwise."""
        body = {
            "name": "lamp",
            "schedule_type": "cron",
            "cron_expression": "0 0 1 1 *",
            "target_topic": TOPIC,
            "payload": {"on": True},
            **fields,
        }
        reply = await self.http.post("/events", json=body)
        assert reply.status_code == 201, reply.text
        return dict(reply.json()["event"])

    async def post(self, path: str, body: object = None) -> dict[str, Any]:
        reply = await self.http.post(path, json=body) if body else await self.http.post(path)
        assert reply.status_code in (200, 202), reply.text
        return dict(reply.json())

    async def get(self, path: str) -> dict[str, Any]:
        reply = await self.http.get(path)
        assert reply.status_code == 200, reply.text
        return dict(reply.json())

    def on(self, topic: str) -> list[dict[str, Any]]:
        """Every message on a topic so far."""
        return [json.loads(m.body) for m in self.heard if m.topic == topic]

    async def hear(self, topic: str, count: int = 1) -> list[dict[str, Any]]:
        """The messages on a topic, once there are that many."""
        await self.until(lambda: len(self.on(topic)) >= count)
        return self.on(topic)

    async def status(self, execution_id: str, *wanted: str) -> dict[str, Any]:
        """The execution, once the bus has said that it has one of these statuses."""
        told = "alicia/scheduler/executions"
        await self.until(
            lambda: any(
                m.get("execution_id") == execution_id
                and m.get("status") in wanted
                and m.get("source") == "event_scheduler"
                for m in self.on(told)
            )
        )
        return dict((await self.get(f"/executions/{execution_id}"))["execution"])

    async def until(self, true: Callable[[], bool], seconds: float = 10) -> None:
        async with asyncio.timeout(seconds):
            while not true():
                self._changed.clear()
                await self._changed.wait()

    def _take(self, message: Message) -> None:
        self.heard.append(message)
        self.on_message(message)
        self._changed.set()
