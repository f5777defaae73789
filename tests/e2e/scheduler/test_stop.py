"""SIGTERM while nothing answers: it ends before the supervisor would kill it."""

import pytest
from tests.support.brokers import BrokerProcess
from tests.support.scheduler_process import SchedulerProcess, Target

pytestmark = pytest.mark.broker

SUPERVISOR_SECONDS = 4.5


async def test_a_stop_beside_a_broker_that_hangs_is_clean_and_in_time(
    scheduler: SchedulerProcess, broker: BrokerProcess, target: Target
) -> None:
    event = {
        "event_id": "e1",
        "name": "often",
        "schedule_type": "interval",
        "interval_seconds": 0.1,
        "overlap": "allow",
        "target_topic": "alicia/home/e1",
    }
    scheduler.post("/events", event)
    await target.until(lambda: len(target.heard) >= 3)
    broker.hang()
    heard = len(target.heard)
    while True:  # until some executions wait for a PUBACK that does not come
        rows = scheduler.executions("e1")
        if sum(row["status"] == "running" for row in rows) >= 3:
            break
    code, seconds = scheduler.stop()
    assert code == 0, scheduler.errors
    assert seconds < SUPERVISOR_SECONDS
    assert "Traceback" not in scheduler.errors
    broker.kill()
    broker.start()
    scheduler.start()
    await target.until(lambda: len(target.heard) > heard, 40)
