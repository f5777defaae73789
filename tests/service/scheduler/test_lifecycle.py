"""One execution, one owner: paused at each place where it waits, and cancelled just there."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from tests.service.scheduler.scheduler_harness import TOPIC, Harness

from alicia.adapters.bus.memory import MemoryBus
from alicia.adapters.sql.errors import DatabaseDamaged
from alicia.base.errors import Unavailable
from alicia.scheduling.execution import Reason, Signal
from alicia.scheduling.ports import Outcome
from alicia.wire.ports import Handler, Message, StateListener

REPORTS, TRIGGERS = "alicia/scheduler/executions", "alicia/scheduler/triggers"


class Gate:
    """Holds the first call of an async method until it is opened; later calls pass."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, owner: object, name: str) -> None:
        self.reached, self.open = asyncio.Event(), asyncio.Event()
        self.calls = 0
        self._method: Callable[..., Awaitable[Any]] = getattr(owner, name)
        monkeypatch.setattr(owner, name, self._held)

    async def _held(self, *args: Any, **fields: Any) -> Any:
        self.calls += 1
        if self.calls == 1:
            self.reached.set()
            await self.open.wait()
        return await self._method(*args, **fields)


async def run(harness: Harness, event_id: str = "e1") -> str:
    return str((await harness.post(f"/events/{event_id}/trigger"))["execution_id"])


async def turns(true: Callable[[], bool]) -> None:
    """Let the loop turn until it is so."""
    async with asyncio.timeout(10):
        while not true():  # noqa: ASYNC110 - it is looked at each turn
            await asyncio.sleep(0)


@contextlib.asynccontextmanager
async def ended(harness: Harness) -> AsyncIterator[None]:
    """Whatever happens within, nothing of any execution is left open after it."""
    yield
    await turns(lambda: len(harness.scheduler.tracker) == 0)


def place(harness: Harness, name: str) -> tuple[object, str]:
    scheduler = harness.scheduler
    owners: dict[str, object] = {
        "_event_of": scheduler.tracker,
        "perform": scheduler.attempts._actor,
    }
    return owners.get(name, scheduler.ledger), name


@pytest.mark.parametrize("delivery", ["at_least_once", "at_most_once"])
@pytest.mark.parametrize("name", ["_event_of", "begin", "perform", "published", "settle"])
async def test_a_cancel_while_it_waits_is_the_last_word(
    harness: Harness, monkeypatch: pytest.MonkeyPatch, name: str, delivery: str
) -> None:
    await harness.add(event_id="e1", delivery=delivery, require_ack=name == "published")
    gate = Gate(monkeypatch, *place(harness, name))
    async with ended(harness):
        starting = asyncio.ensure_future(run(harness))
        await gate.reached.wait()
        (row,) = (await harness.get("/executions/e1"))["executions"]
        execution_id = row["execution_id"]
        cancelling = asyncio.ensure_future(harness.post(f"/executions/{execution_id}/cancel"))
        item = harness.scheduler.tracker._opened[execution_id]
        await turns(lambda: item.verdict.done() or cancelling.done())
        gate.open.set()
        await starting
        after = (await cancelling)["execution"]
    # By the time of the settlement the broker had said yes, and the first final word counts.
    assert after["status"] == ("completed" if name == "settle" else "cancelled")
    sent = name in ("published", "settle") or (name, delivery) == ("begin", "at_least_once")
    await harness.add(event_id="mark", target_topic="alicia/home/mark")
    await run(harness, "mark")
    await harness.hear("alicia/home/mark")
    assert len(harness.on(TOPIC)) == int(sent)


async def test_a_row_that_comes_twice_is_driven_once(harness: Harness) -> None:
    await harness.add(event_id="e1", require_ack=True)
    execution_id = await run(harness)
    await harness.hear(TOPIC)
    tracker = harness.scheduler.tracker
    await tracker.start(await harness.scheduler.ledger.open_executions(limit=10))
    await harness.add(event_id="mark", target_topic="alicia/home/mark")
    await run(harness, "mark")
    await harness.hear("alicia/home/mark")
    assert [m["execution_id"] for m in harness.on(TOPIC)] == [execution_id]


async def test_a_queued_row_that_is_released_while_it_is_cancelled_does_not_run(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    await harness.add(event_id="e1", require_ack=True, overlap="queue_all")
    one, two = await run(harness), await run(harness)
    await harness.status(one, "running")
    ledger, tracker = harness.scheduler.ledger, harness.scheduler.tracker
    gate = Gate(monkeypatch, ledger, "settle")
    queued = await ledger.execution(two)
    cancelling = asyncio.ensure_future(tracker.cancel(queued, reason=Reason.REQUESTED))
    await gate.reached.wait()
    await harness.post(f"/executions/{one}/complete", {"status": "completed"})
    gate.open.set()
    assert (await cancelling).status.value == "cancelled"
    await turns(lambda: len(tracker) == 0)
    assert [m["execution_id"] for m in harness.on(TOPIC)] == [one]


@pytest.mark.parametrize(
    ("answer", "status", "outcomes"),
    [(Unavailable("the database is away"), "failed", []), (None, "pending", [])],
)
async def test_what_may_be_sent_once_is_not_sent_without_a_record(
    harness: Harness,
    monkeypatch: pytest.MonkeyPatch,
    answer: Exception | None,
    status: str,
    outcomes: list[str],
) -> None:
    async def begin(*_: object, **__: object) -> None:
        if answer is not None:
            raise answer

    await harness.add(event_id="e1", delivery="at_most_once")
    monkeypatch.setattr(harness.scheduler.ledger, "begin", begin)
    async with ended(harness):
        execution_id = await run(harness)
        await turns(lambda: len(harness.scheduler.tracker) == 0)
    row = (await harness.get(f"/executions/{execution_id}"))["execution"]
    assert (row["status"], [a["outcome"] for a in row["attempts"]]) == (status, outcomes)
    assert harness.on(TOPIC) == []


async def test_an_outcome_of_a_row_that_is_not_ours_is_dropped(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def lost(*_: object, **__: object) -> None:
        return None

    await harness.add(event_id="e1")
    with monkeypatch.context() as patch:
        patch.setattr(harness.scheduler.ledger, "begin", lost)
        execution_id = await run(harness)
        await turns(lambda: harness.scheduler.counters.total("fenced") == 1)
    row = (await harness.get(f"/executions/{execution_id}"))["execution"]
    assert row["status"] == "pending"  # as its owner left it


async def test_a_broker_that_goes_while_the_ledger_is_away_uses_no_try(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: object, **__: object) -> None:
        patch.undo()
        raise Unavailable("the database is away")

    async def interrupted(_task: object) -> Outcome:
        return Outcome(Signal.INTERRUPTED, "broker_unreachable")

    await harness.add(event_id="e1")
    with monkeypatch.context() as patch:
        patch.setattr(harness.scheduler.ledger, "begin", away)
        patch.setattr(harness.scheduler.attempts._actor, "perform", interrupted)
        row = await harness.status(await run(harness), "completed")
    assert [a["outcome"] for a in row["attempts"]] == ["acknowledged"]


async def test_a_stop_lets_what_has_begun_end(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    await harness.add(event_id="e1")
    gate = Gate(monkeypatch, harness.scheduler.attempts._actor, "perform")
    execution_id = await run(harness)
    await gate.reached.wait()
    stopping = asyncio.ensure_future(harness.scheduler.tracker.stop(10))
    await turns(lambda: harness.scheduler.tracker._stopping)
    gate.open.set()
    await stopping
    row = (await harness.get(f"/executions/{execution_id}"))["execution"]
    assert (row["status"], gate.calls) == ("completed", 1)


async def test_a_part_that_cannot_stop_keeps_no_other_from_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(_grace: float) -> None:
        raise RuntimeError("a fault of ours")

    harness = Harness(tmp_path)
    await harness.start()
    monkeypatch.setattr(harness.scheduler.tracker, "stop", broken)
    await harness.scheduler.stop()
    assert len(harness.on("alicia/system/discovery/unregister")) == 1
    assert not harness.scheduler.bus.state.connected
    assert not harness.scheduler.leasing.may_act()
    await harness.stop()


async def test_a_report_is_answered_although_it_cannot_be_stored(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(_settlements: object) -> None:
        raise DatabaseDamaged("the file is damaged")

    await harness.add(event_id="e1", require_ack=True)
    execution_id = await run(harness)
    await harness.status(execution_id, "running")
    with monkeypatch.context() as patch:
        patch.setattr(harness.scheduler.ledger, "settle", broken)
        async with asyncio.timeout(10):
            reply = await harness.post(
                f"/executions/{execution_id}/complete", {"status": "completed"}
            )
    assert (reply["applied"], reply["execution"]["status"]) == (False, "running")


class EagerBus(MemoryBus):
    """A broker whose session kept a trigger: it comes with the connection, before all else."""

    kept: Message | None = None
    at_start: Callable[[], None] = staticmethod(lambda: None)

    async def start(self, handler: Handler, on_state: StateListener) -> None:
        self.at_start()
        await super().start(handler, on_state)
        if self.kept is not None and (handling := handler(self.kept)) is not None:
            await handling


async def test_what_comes_with_the_connection_finds_the_earlier_life_taken_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    harness = Harness(tmp_path)
    await harness.start()
    await harness.add(event_id="old", require_ack=True, target_topic="alicia/home/old")
    await harness.add(
        event_id="ear", require_ack=True, overlap="allow", triggers=[{"topic": "alicia/bell"}]
    )
    old = await run(harness, "old")
    await harness.status(old, "running")
    await harness.stop()

    open_at_start: list[int] = []
    monkeypatch.setattr("tests.service.scheduler.scheduler_harness.MemoryBus", EagerBus)
    monkeypatch.setattr(EagerBus, "kept", Message("alicia/bell", b'{"ring": 1}', qos=1))
    monkeypatch.setattr(
        EagerBus,
        "at_start",
        lambda bus: (
            bus.client_id == "scheduler" and open_at_start.append(len(harness.scheduler.tracker))
        ),
    )
    harness.heard.clear()
    await harness.start()
    assert open_at_start == [1]
    await harness.add(event_id="mark", target_topic="alicia/home/mark")
    await run(harness, "mark")
    await harness.hear("alicia/home/mark")
    rows = (await harness.get("/executions/ear"))["executions"]
    assert [len(row["attempts"]) for row in rows] == [1]
    await turns(lambda: len(harness.scheduler.tracker) == 2)
    await harness.stop()
