"""Every kind of event fires when it is due, with a real broker and a real process."""

import asyncio
import time
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from tests.support.machine_probe import Machine, MachineProbe, percentile
from tests.support.scheduler_process import Heard, SchedulerProcess, Target

pytestmark = [pytest.mark.broker, pytest.mark.alone]

SECONDS = 60
LAG_MS_MAX = 50  # p99; the issue asks for it
KINDS = ("once", "interval", "cron", "recurring")
# What the machine itself may take of it: on one that is slower, lag says nothing about us.
TIMER_MS_MAX = 10
FSYNC_MS_MAX = 20


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


def body(kind: str, n: int, now: float, *, take: int = 1) -> dict[str, Any]:
    return {
        "event_id": f"{kind}-{n}.{take}",
        "name": f"{kind} {n}",
        "schedule_type": kind,
        "target_topic": f"alicia/home/{take}/{kind}/{n}",
        "payload": {"n": n},
        **timing(kind, n, now),
    }


@dataclass(frozen=True)
class Take:
    """One minute of a hundred events, and what the machine was like meanwhile."""

    heard: list[Heard]  # with the number of the take removed from the topics
    began: float
    ended: float
    machine: Machine

    @property
    def window(self) -> list[Heard]:
        """What was due within the minute, however late it came."""
        return [heard for heard in self.heard if self.began <= due(heard) <= self.ended]

    @property
    def machine_is_fit(self) -> bool:
        return self.machine.timer_ms <= TIMER_MS_MAX and self.machine.fsync_ms <= FSYNC_MS_MAX

    def lags(self, kind: str = "") -> list[float]:
        return sorted(h.lag_ms for h in self.window if h.topic.startswith(f"alicia/home/{kind}"))

    def report(self) -> str:
        """What was measured, ours and the machine's side by side."""
        lags = self.lags()
        shares = " ".join(
            f"p{share:g} {percentile(lags, share / 100):.2f}" for share in (50, 90, 99)
        )
        lines = [f"{len(lags)} messages in {SECONDS} s; lag in ms: {shares} max {lags[-1]:.2f}"]
        lines += [
            f"  {kind}: {len(own)} messages, p99 {percentile(own, 0.99):.2f} ms"
            for kind in KINDS
            if (own := self.lags(kind))
        ]
        return "\n".join([*lines, f"  the machine meanwhile: {self.machine}"])


async def one_take(scheduler: SchedulerProcess, target: Target, folder: Path, take: int) -> Take:
    """Add the events, listen for a minute, and end them."""
    ids = []
    for kind in KINDS:
        for n in range(25):
            event = body(kind, n, time.time(), take=take)
            reply = await asyncio.to_thread(scheduler.post, "/events", event)
            ids.append(reply["event_id"])
    probe = MachineProbe(folder)
    began = time.time()
    await asyncio.sleep(SECONDS)
    ended = time.time() - 1
    machine = await asyncio.to_thread(probe.end)
    for event_id in ids:
        await asyncio.to_thread(scheduler.send, "DELETE", f"/events/{event_id}")
    prefix = f"alicia/home/{take}/"
    heard = [
        Heard(f"alicia/home/{h.topic.removeprefix(prefix)}", h.body, h.at)
        for h in target.heard
        if h.topic.startswith(prefix)
    ]
    return Take(heard, began, ended, machine)


@pytest.mark.timeout(420)  # two takes on a machine that is busy
async def test_a_hundred_events_of_all_kinds_stay_within_50_ms(
    scheduler: SchedulerProcess, target: Target, tmp_path: Path
) -> None:
    for number in (1, 2):
        take = await one_take(scheduler, target, tmp_path / "data", number)
        print(f"\n{take.report()}")
        assert scheduler.get(f"/audit?from={take.began}&limit=1000")["unexplained"] == []
        assert take.lags()[0] >= 0, "nothing fires before it is due"
        if take.machine_is_fit:
            assert percentile(take.lags(), 0.99) <= LAG_MS_MAX, take.report()
            check_complete(take.heard, take.began, take.ended)
            return
    pytest.skip(f"machine too busy: {take.machine}")


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
    assert (got["n"], got["event_id"], got["attempt"], got["fence"]) == (0, "interval-0.1", 1, 1)
    assert got["payload"]["execution_id"] == got["execution_id"]
    assert got["source"] == "event_scheduler"
    code, seconds = scheduler.stop()
    assert code == 0
    assert seconds < 5
