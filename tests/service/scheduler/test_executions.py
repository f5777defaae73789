"""Executions from start to end: acknowledgements, retries, cancels, chains, overlap."""

import asyncio
import json
from typing import Any

import pytest
from tests.service.scheduler.scheduler_harness import TOPIC, Harness

from alicia.adapters.clock import SystemClock
from alicia.base.clock import Clock
from alicia.scheduler.opened import Phase
from alicia.wire.ports import Message

REPORTS = "alicia/scheduler/executions"


async def run(harness: Harness, event: dict[str, Any], **body: object) -> str:
    reply = await harness.post(f"/events/{event['event_id']}/trigger", body or None)
    return str(reply["execution_id"])


async def test_the_message_carries_what_identifies_the_run(harness: Harness) -> None:
    event = await harness.add(event_id="e1", target_service="lamp")
    execution_id = await run(harness, event, payload={"level": 5})
    (got,) = await harness.hear(TOPIC)
    assert got["payload"] == {
        "level": 5,
        "event_id": "e1",
        "execution_id": execution_id,
        "scheduled_time": got["scheduled_time"],
        "triggered_by": "scheduler",
        "attempt": 1,
        "fence": 1,
    }
    assert got["level"] == 5  # both views
    (message,) = [m for m in harness.heard if m.topic == TOPIC]
    assert message.response_topic == REPORTS
    assert message.correlation == execution_id.encode()
    row = await harness.status(execution_id, "completed")
    assert [a["outcome"] for a in row["attempts"]] == ["acknowledged"]
    assert (row["kind"], row["status"]) == ("manual", "completed")


async def test_every_change_is_told_in_order(harness: Harness) -> None:
    event = await harness.add()
    execution_id = await run(harness, event)
    await harness.status(execution_id, "completed")
    told = [m["status"] for m in harness.on(REPORTS) if m["execution_id"] == execution_id]
    assert told == ["pending", "running", "completed"]


async def test_nobody_listening_is_said(harness: Harness) -> None:
    event = await harness.add(target_topic="elsewhere/x")
    row = await harness.status(await run(harness, event), "completed")
    assert row["reason"] == "no_subscribers"


@pytest.mark.parametrize(
    ("report", "status"),
    [
        ({"status": "completed", "result": {"lumen": 400}}, "completed"),
        ({"status": "failed", "error": "bulb broken"}, "failed"),
    ],
)
async def test_with_require_ack_the_target_decides(
    harness: Harness, report: dict[str, object], status: str
) -> None:
    event = await harness.add(require_ack=True)
    execution_id = await run(harness, event)
    await harness.hear(TOPIC)
    assert (await harness.status(execution_id, "running"))["status"] == "running"
    await harness.say(REPORTS, {"execution_id": execution_id, **report})
    row = await harness.status(execution_id, status)
    assert row["result"] == report.get("result")
    assert row["error_message"] == report.get("error")


async def test_a_reply_by_correlation_and_an_event_count_too(harness: Harness) -> None:
    event = await harness.add(require_ack=True, overlap="allow")
    one, two = await run(harness, event), await run(harness, event)
    await harness.hear(TOPIC, 2)
    await harness.say(REPORTS, {"status": "ok"}, correlation=one.encode())
    await harness.say(
        "alicia/events/lamp", {"event_type": "execution_complete", "execution_id": two}
    )
    for execution_id in (one, two):
        row = await harness.status(execution_id, "completed")
        assert [a["outcome"] for a in row["attempts"]] == ["reported"]


async def test_a_report_over_http_counts_once(harness: Harness) -> None:
    event = await harness.add(require_ack=True)
    execution_id = await run(harness, event)
    await harness.hear(TOPIC)
    path = f"/executions/{execution_id}/complete"
    first = await harness.post(path, {"status": "completed", "result": 7})
    assert (first["applied"], first["execution"]["status"]) == (True, "completed")
    second = await harness.post(path, {"status": "failed", "error": "no"})
    assert (second["applied"], second["execution"]["status"]) == (False, "completed")
    bad = await harness.http.post(path, json={"status": "perhaps"})
    assert (bad.status_code, bad.json()["type"]) == (422, "bad_status")
    absent = await harness.http.post("/executions/none/complete", json={"status": "failed"})
    assert absent.status_code == 404


async def test_silence_is_a_timeout_and_is_retried_under_the_same_id(harness: Harness) -> None:
    event = await harness.add(
        require_ack=True, timeout=0.2, max_retries=1, retry_delay=0.05, retry_backoff=1
    )
    execution_id = await run(harness, event)
    first, second = await harness.hear(TOPIC, 2)
    assert first["execution_id"] == second["execution_id"] == execution_id
    assert (first["attempt"], second["attempt"]) == (1, 2)
    row = await harness.status(execution_id, "failed")
    assert (row["reason"], row["retry_count"]) == ("timeout", 1)
    assert [a["outcome"] for a in row["attempts"]] == ["timeout", "timeout"]


class ShiftedClock:
    """The real time and ``ahead_us``; ``looks`` counts who asked."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.ahead_us, self.looks = 0, 0

    def now_us(self) -> int:
        self.looks += 1
        return self._clock.now_us() + self.ahead_us


async def test_progress_keeps_an_execution_alive(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    execution_id = await run(harness, await harness.add(require_ack=True, timeout=60))
    item = harness.scheduler.tracker._opened[execution_id]
    clock = ShiftedClock(SystemClock())
    async with asyncio.timeout(10):
        while item.phase is not Phase.HEARING:  # noqa: ASYNC110 - it is looked at each turn
            await asyncio.sleep(0)
    monkeypatch.setattr(harness.scheduler.attempts, "_clock", clock)
    for ahead_seconds in (50, 100, 150):  # each is past the timeout, but for the word before
        clock.ahead_us, looks = ahead_seconds * 1_000_000, clock.looks
        await harness.say(REPORTS, {"execution_id": execution_id, "progress": 0.5})
        async with asyncio.timeout(10):
            while clock.looks < looks + 2:  # noqa: ASYNC110 - it is looked at each turn
                await asyncio.sleep(0)
    await harness.say(REPORTS, {"execution_id": execution_id, "status": "done"})
    row = await harness.status(execution_id, "completed")
    assert [a["outcome"] for a in row["attempts"]] == ["reported"]


async def test_a_late_success_of_an_earlier_try_ends_the_wait_for_the_next(
    harness: Harness,
) -> None:
    event = await harness.add(require_ack=True, timeout=0.1, max_retries=3, retry_delay=30)
    execution_id = await run(harness, event)
    await harness.hear(TOPIC)
    await harness.until(
        lambda: [m["status"] for m in harness.on(REPORTS)].count("pending") == 2  # waits for retry
    )
    await harness.say(REPORTS, {"execution_id": execution_id, "status": "failed"})  # no new word
    await harness.say(REPORTS, {"execution_id": execution_id, "status": "completed"})
    row = await harness.status(execution_id, "completed")
    assert len(row["attempts"]) == 1


async def test_a_cancel_ends_it_and_tells_the_target(harness: Harness) -> None:
    event = await harness.add(require_ack=True)
    execution_id = await run(harness, event)
    await harness.hear(TOPIC)
    await harness.status(execution_id, "running")
    row = (await harness.post(f"/executions/{execution_id}/cancel"))["execution"]
    assert (row["status"], row["reason"]) == ("cancelled", "requested")
    (order,) = await harness.hear(f"{TOPIC}/cancel")
    assert (order["command"], order["execution_id"]) == ("cancel", execution_id)
    again = (await harness.post(f"/executions/{execution_id}/cancel"))["execution"]
    assert again["status"] == "cancelled"


async def test_a_refused_publish_fails_and_the_broker_away_waits(harness: Harness) -> None:
    harness.broker.refusals[TOPIC] = 0x87
    event = await harness.add()
    row = await harness.status(await run(harness, event), "failed")
    assert row["reason"] == "refused"
    harness.broker.refusals.clear()
    harness.broker.stop()
    execution_id = await run(harness, event)
    await asyncio.sleep(0.2)
    waiting = (await harness.get(f"/executions/{execution_id}"))["execution"]
    assert (waiting["status"], waiting["attempts"]) == ("pending", [])
    harness.broker.start()
    row = await harness.status(execution_id, "completed")
    assert len(row["attempts"]) == 1


async def test_a_fault_of_ours_fails_the_try_and_leaves_nothing_open(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(_task: object) -> None:
        raise RuntimeError("a fault of ours")

    event = await harness.add(max_retries=1, retry_delay=0.05)
    with monkeypatch.context() as patch:
        patch.setattr(harness.scheduler.attempts._actor, "perform", broken)
        row = await harness.status(await run(harness, event), "failed")
    assert [a["outcome"] for a in row["attempts"]] == ["internal_error"] * 2
    assert row["error_message"]
    assert "a fault of ours" not in row["error_message"]
    await harness.status(await run(harness, event), "completed")  # and the next one runs


async def test_after_its_grace_a_run_without_a_broker_fails(harness: Harness) -> None:
    event = await harness.add(misfire={"policy": "run_once", "grace_seconds": 0.3})
    harness.broker.stop()
    execution_id = await run(harness, event)
    async with asyncio.timeout(10):  # the bus, which would tell, is away
        while len(harness.scheduler.tracker) > 0:  # noqa: ASYNC110
            await asyncio.sleep(0)
    row = (await harness.get(f"/executions/{execution_id}"))["execution"]
    assert (row["status"], row["reason"]) == ("failed", "broker_unreachable")


async def test_overlap_skip_queue_and_cancel_running(harness: Harness) -> None:
    for policy, second in (("skip", "skipped"), ("queue_all", "pending")):
        event = await harness.add(event_id=policy, require_ack=True, overlap=policy)
        one = await run(harness, event)
        assert (await harness.post(f"/events/{policy}/trigger"))["status"] == second
        await harness.status(one, "running")
        await harness.post(f"/executions/{one}/complete", {"status": "completed"})
    waiting = (await harness.get("/executions/queue_all?limit=1"))["executions"][0]
    await harness.status(waiting["execution_id"], "running")  # its turn has come

    event = await harness.add(event_id="cr", require_ack=True, overlap="cancel_running")
    one = await run(harness, event)
    await harness.status(one, "running")
    two = await run(harness, event)
    assert (await harness.status(one, "cancelled"))["reason"] == "cancel_running"
    await harness.status(two, "running")


async def test_chains_follow_success_and_failure(harness: Harness) -> None:
    await harness.add(event_id="good", name="good", target_topic="alicia/home/good")
    await harness.add(event_id="bad", name="when bad", target_topic="alicia/home/bad")
    event = await harness.add(require_ack=True, on_success=["good"], on_failure=["when bad"])
    one = await run(harness, event)
    await harness.hear(TOPIC)
    await harness.say(REPORTS, {"execution_id": one, "status": "completed"})
    (got,) = await harness.hear("alicia/home/good")
    child = (await harness.get(f"/executions/{got['execution_id']}"))["execution"]
    assert child["kind"] == "chained"
    two = await run(harness, event)
    await harness.hear(TOPIC, 2)
    await harness.say(REPORTS, {"execution_id": two, "status": "failed"})
    await harness.hear("alicia/home/bad")
    assert len(harness.on("alicia/home/good")) == 1
    cycle = await harness.http.put("/events/good", json={"on_success": [event["event_id"]]})
    assert (cycle.status_code, cycle.json()["type"]) == (422, "chain_cycle")


async def test_a_target_that_answers_at_once_is_heard(harness: Harness) -> None:
    """The report comes before the PUBACK has been treated."""
    answers: set[asyncio.Task[None]] = set()

    def answer(message: Message) -> None:
        if message.topic == TOPIC:
            body = {"execution_id": json.loads(message.body)["execution_id"], "status": "ok"}
            answers.add(asyncio.ensure_future(harness.say(REPORTS, body)))

    harness.on_message = answer
    event = await harness.add(require_ack=True, overlap="allow")
    for execution_id in [await run(harness, event) for _ in range(20)]:
        row = await harness.status(execution_id, "completed")
        assert [a["outcome"] for a in row["attempts"]] == ["reported"]


async def test_a_remind_completes_without_a_message(harness: Harness) -> None:
    event = await harness.add(action={"type": "remind"})
    row = await harness.status(await run(harness, event), "completed")
    assert [a["outcome"] for a in row["attempts"]] == ["recorded"]


async def test_a_trigger_with_the_same_key_is_the_same_run(harness: Harness) -> None:
    event = await harness.add()
    path, key = f"/events/{event['event_id']}/trigger", {"Idempotency-Key": "k"}
    first = await harness.http.post(path, headers=key)
    second = await harness.http.post(path, headers=key)
    assert first.status_code == second.status_code == 202
    assert first.json()["execution_id"] == second.json()["execution_id"]


async def test_max_runs_ends_an_event(harness: Harness) -> None:
    event = await harness.add(schedule_type="interval", interval_seconds=0.2, max_runs=2)
    await harness.hear(TOPIC, 2)
    await asyncio.sleep(0.5)
    assert len(harness.on(TOPIC)) == 2
    ended = (await harness.get(f"/events/{event['event_id']}"))["event"]
    assert (ended["status"], ended["run_count"], ended["next_run"]) == ("completed", 2, None)


async def test_cancelling_an_event_ends_what_is_open(harness: Harness) -> None:
    event = await harness.add(require_ack=True, overlap="queue_all")
    one, two = await run(harness, event), await run(harness, event)
    await harness.status(one, "running")
    reply = await harness.http.delete(f"/events/{event['event_id']}")
    assert reply.json()["event"]["status"] == "cancelled"
    await harness.status(one, "cancelled")
    await harness.status(two, "cancelled")
