"""SIGKILL in the middle of the work: nothing is lost, nothing runs under two ids."""

import asyncio
import time
from collections import Counter, defaultdict

import pytest
from tests.support.brokers import BrokerProcess
from tests.support.scheduler_process import SchedulerProcess, Target

pytestmark = pytest.mark.broker

EVENTS = 30
KILLS = 4


@pytest.mark.timeout(120)
async def test_kills_lose_no_instant_and_double_none(
    scheduler: SchedulerProcess, target: Target
) -> None:
    for n in range(EVENTS):
        scheduler.post(
            "/events",
            {
                "event_id": f"e{n}",
                "name": f"event {n}",
                "schedule_type": "interval",
                "interval_seconds": 0.2 + n * 0.01,
                "overlap": "allow",
                "misfire": {"policy": "run_all", "max_catchup": 1000},
                "target_topic": f"alicia/home/e{n}",
            },
        )
    began = time.time()
    for n in range(KILLS):
        await asyncio.sleep(1.5 + n * 0.137)
        scheduler.kill()
        scheduler.start()
    await asyncio.sleep(3)
    for n in range(EVENTS):
        scheduler.post(f"/events/e{n}/pause")
    await asyncio.sleep(1)

    rows = scheduler.executions()
    per_instant = Counter((row["event_id"], row["scheduled_time"]) for row in rows)
    assert max(per_instant.values()) == 1, "an instant has two executions"
    assert {row["status"] for row in rows} == {"completed"}
    assert len(rows) > EVENTS * 10
    audit = scheduler.get(f"/audit?from={began}&limit=1000")
    assert audit["unexplained"] == []

    ids: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    attempts: defaultdict[str, list[int]] = defaultdict(list)
    for heard in target.heard:
        body = heard.body
        ids[body["event_id"], body["scheduled_time"]].add(body["execution_id"])
        attempts[body["execution_id"]].append(body["attempt"])
    assert all(len(own) == 1 for own in ids.values()), "an instant was sent under two ids"
    assert set(attempts) == {row["execution_id"] for row in rows}
    again = {key: tries for key, tries in attempts.items() if len(tries) > 1}
    print(f"\n{len(rows)} executions, {KILLS} kills, {len(again)} sent again")
    assert all(len(set(tries)) == len(tries) for tries in again.values())


async def test_an_execution_that_waits_for_its_target_is_not_sent_again(
    scheduler: SchedulerProcess, target: Target
) -> None:
    scheduler.post(
        "/events",
        {
            "event_id": "slow",
            "name": "slow",
            "schedule_type": "cron",
            "cron_expression": "0 0 1 1 *",
            "require_ack": True,
            "timeout": 30,
            "target_topic": "alicia/home/slow",
        },
    )
    started = scheduler.post("/events/slow/trigger")["execution_id"]
    await target.until(lambda: bool(target.heard))
    await asyncio.sleep(0.3)  # the PUBACK is recorded by now
    scheduler.kill()
    scheduler.start()
    await asyncio.sleep(1)
    assert [heard.body["execution_id"] for heard in target.heard] == [started]
    assert scheduler.get(f"/executions/{started}")["execution"]["status"] == "running"
    await target.say(
        "alicia/scheduler/executions",
        {"execution_id": started, "status": "completed", "result": {"ok": 1}},
    )
    row = await final(scheduler, started)
    assert (row["status"], row["result"]) == ("completed", {"ok": 1})


async def test_what_is_due_while_the_broker_is_away_is_sent_on_its_return(
    scheduler: SchedulerProcess, target: Target, broker: BrokerProcess
) -> None:
    broker.kill()
    await target.until(lambda: not target.connected)
    at = time.time() + 1
    scheduler.post(
        "/events",
        {
            "event_id": "once",
            "name": "once",
            "schedule_type": "once",
            "run_at": at,
            # Retained, since after a kill the broker may have forgotten who listens.
            "action": {"type": "mqtt", "topic": "alicia/home/once", "message": {}, "retain": True},
        },
    )
    await asyncio.sleep(1.5)
    (row,) = scheduler.executions("once")
    assert (row["status"], row["attempts"]) == ("pending", [])
    broker.start()
    await target.until(lambda: bool(target.heard), 40)
    assert target.heard[0].body["execution_id"] == row["execution_id"]
    assert target.heard[0].body["attempt"] == 1
    assert (await final(scheduler, row["execution_id"]))["status"] == "completed"


async def final(scheduler: SchedulerProcess, execution_id: str) -> dict[str, object]:
    """The execution once it is final."""
    async with asyncio.timeout(10):
        while True:
            row = scheduler.get(f"/executions/{execution_id}")["execution"]
            if row["status"] not in ("pending", "running"):
                return dict(row)
            await asyncio.sleep(0.05)
