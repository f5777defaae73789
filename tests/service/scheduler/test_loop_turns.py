"""Firing gets its turn, however much somebody asks for: nothing long runs on the loop at once."""

import asyncio
import contextlib
import json
import threading
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from tests.service.scheduler.scheduler_harness import Harness

from alicia.scheduler import imports
from alicia.scheduler.api import executions, planning

MANY = 30
EVENT = {"schedule_type": "cron", "cron_expression": "0 7 * * *", "target_topic": "alicia/x"}


class Turns:
    """Counts the turns of the loop, and notes at which of them a method was called."""

    def __init__(self) -> None:
        self.count = 0
        self.calls: list[int] = []

    def noting(self, method: Callable[..., Any]) -> Callable[..., Any]:
        def noted(*args: Any, **fields: Any) -> Any:
            self.calls.append(self.count)
            return method(*args, **fields)

        return noted

    async def forever(self) -> None:
        while True:
            self.count += 1
            await asyncio.sleep(0)


@contextlib.asynccontextmanager
async def counted() -> AsyncIterator[Turns]:
    turns = Turns()
    task = asyncio.create_task(turns.forever())
    yield turns
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert len(turns.calls) == MANY
    assert len(set(turns.calls)) == MANY, "two of them within one turn"


async def add_many(harness: Harness) -> None:
    batch = [{"event_id": f"e{n}", "name": f"e{n}", **EVENT} for n in range(MANY)]
    done = await harness.post("/events/import", batch)
    assert done["accepted"] == MANY


async def test_a_list_of_events_is_rendered_in_turns(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    await add_many(harness)
    timings = harness.scheduler.timings  # asked for the trigger of each event that is shown
    async with counted() as turns:
        monkeypatch.setattr(timings, "trigger", turns.noting(timings.trigger))
        assert len((await harness.get("/events"))["events"]) == MANY


async def test_a_list_of_executions_is_rendered_in_turns(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    await harness.add(event_id="e1")
    for _ in range(MANY):
        await harness.post("/events/e1/trigger")
    async with counted() as turns:
        show = turns.noting(executions.shown_execution)
        monkeypatch.setattr(executions, "shown_execution", show)
        assert len((await harness.get("/executions/e1"))["executions"]) == MANY


async def test_bodies_that_are_refused_are_looked_at_in_turns(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = harness.scheduler.desk
    async with counted() as turns:
        monkeypatch.setattr(desk, "draft", turns.noting(desk.draft))
        reply = await harness.http.post("/events/import", json=[{"name": "x"}] * MANY)
        assert reply.status_code == 422


async def test_a_text_is_read_in_a_thread(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads: list[threading.Thread] = []

    def read_batch(*args: Any, **fields: Any) -> imports.Batch:
        threads.append(threading.current_thread())
        return imports.read_batch(*args, **fields)

    monkeypatch.setattr(planning, "read_batch", read_batch)
    content = json.dumps([{"name": "x", **EVENT}])  # JSON is YAML too
    headers = {"Content-Type": "application/yaml"}
    reply = await harness.http.post("/events/import", content=content, headers=headers)
    assert (reply.status_code, reply.json()["accepted"]) == (200, 1)
    assert threads
    assert threading.current_thread() not in threads
