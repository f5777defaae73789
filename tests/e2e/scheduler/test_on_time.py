"""Every kind of event fires when it is due, with a real broker and a real process."""

import asyncio
import time
from datetime import datetime
from itertools import pairwise
from typing import Any

import pytest
from tests.support.scheduler_process import Heard, SchedulerProcess, Target

pytestmark = [pytest.mark.broker, pytest.mark.alone]

SECONDS = 60
LAG_MS_MAX = 50  # p99; the issue asks for it


def timing(kind: str, n: int, now: float) -> dict[str, Any]:
    """The n-th of 25 events of one kind, spread so that instants coincide and do not."""
    match kind:
        case "once":
            return {"run_at": now + 3 + n * (SECONDS - 6) / 25}
        case "interval":
            return {"interval_seconds": 1 + n * 0.17}
        case "cron":
            return {"cron_expression": f"*/{2 + n % 5} * * * * *"}
        case _:
            return {"recurrence": f"FREQ=SECONDLY;INTERVAL={1 + n % 7}"}


def body(kind: str, n: int, now: float) -> dict[str, Any]:
    return {
        "event_id": f"{kind}-{n}",
        "name": f"{kind} {n}",
        "schedule_type": kind,
        "target_topic": f"alicia/home/{kind}/{n}",
        "payload": {"n": n},
        **timing(kind, n, now),
    }


def percentile(ordered: list[float], share: float) -> float:
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


@pytest.mark.timeout(150)
async def test_a_hundred_events_of_all_kinds_stay_within_50_ms(
    scheduler: SchedulerProcess, target: Target
) -> None:
    kinds = ("once", "interval", "cron", "recurring")
    for kind in kinds:
        for n in range(25):
            scheduler.post("/events", body(kind, n, time.time()))
    await asyncio.sleep(0.5)  # what came while this process was busy posting is not judged
    began = time.time()
    await asyncio.sleep(SECONDS)
    ended = time.time() - 1
    window = [heard for heard in target.heard if began <= heard.at <= ended]
    lags = sorted(heard.lag_ms for heard in window)
    report = " ".join(f"p{share:g} {percentile(lags, share / 100):.2f}" for share in (50, 90, 99))
    print(f"\n{len(lags)} messages in {SECONDS} s; lag in ms: {report} max {lags[-1]:.2f}")
    for kind in kinds:
        own = sorted(h.lag_ms for h in window if h.topic.startswith(f"alicia/home/{kind}/"))
        print(f"  {kind}: {len(own)} messages, p99 {percentile(own, 0.99):.2f} ms")
    assert percentile(lags, 0.99) <= LAG_MS_MAX
    assert lags[0] >= 0, "nothing fires before it is due"
    check_complete(target.heard, began, ended)
    assert scheduler.get(f"/audit?from={began}&limit=1000")["unexplained"] == []


def check_complete(heard: list[Heard], began: float, ended: float) -> None:
    """Each event came at every instant of its own, once."""
    for n in range(25):
        once = [h for h in heard if h.topic == f"alicia/home/once/{n}"]
        assert len(once) == 1
        assert_regular(heard, f"alicia/home/interval/{n}", 1 + n * 0.17, began, ended)
        assert_regular(heard, f"alicia/home/recurring/{n}", 1 + n % 7, began, ended)
        cron = [due(h) for h in heard if h.topic == f"alicia/home/cron/{n}"]
        step = 2 + n % 5
        expected = {s for s in range(int(began) + 2, int(ended)) if s % 60 % step == 0}
        assert expected <= set(cron)
        assert len(cron) == len(set(cron))


def assert_regular(heard: list[Heard], topic: str, step: float, began: float, ended: float) -> None:
    instants = sorted(due(h) for h in heard if h.topic == topic)
    gaps = [later - earlier for earlier, later in pairwise(instants)]
    assert all(abs(gap - step) < 0.001 for gap in gaps), f"{topic}: {gaps}"
    assert len(instants) >= (ended - began) / step - 1


def due(heard: Heard) -> float:
    return datetime.fromisoformat(heard.body["scheduled_time"]).timestamp()


async def test_a_message_says_why_it_came(scheduler: SchedulerProcess, target: Target) -> None:
    scheduler.post("/events", body("interval", 0, time.time()))
    await target.until(lambda: bool(target.heard))
    got = target.heard[0].body
    assert got["triggered_by"] == "scheduler"
    assert (got["n"], got["event_id"], got["attempt"], got["fence"]) == (0, "interval-0", 1, 1)
    assert got["payload"]["execution_id"] == got["execution_id"]
    assert got["source"] == "event_scheduler"
    code, seconds = scheduler.stop()
    assert code == 0
    assert seconds < 5
