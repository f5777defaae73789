"""What both services say of their health, and how they keep their long tasks."""

import asyncio
from typing import Any

import pytest
from tests.support.stepped_clock import START_MS, SteppedClock

from alicia.adapters.bus.memory import MemoryBroker, MemoryBus
from alicia.adapters.health import Check, Condition, Health
from alicia.adapters.loops import Loops, every_loop
from alicia.base.counters import Counters
from alicia.base.errors import Unavailable

FINE = Check(Condition.HEALTHY, "fine")


def make_health(counters: Counters, clock: SteppedClock, **checks: Check) -> Health:
    """Of a service whose broker was never reached."""
    return Health(
        "it",
        {name: lambda check=check: check for name, check in checks.items()},
        bus=MemoryBus(MemoryBroker(), client_id="it", clock=clock),
        clock=clock,
        counters=counters,
        processed=("messages", "http_bodies"),
        errors=("rejected", "loop_errors"),
    )


def test_the_worst_check_is_the_health_and_a_lost_broker_degrades() -> None:
    counters, clock = Counters(), SteppedClock()
    health = make_health(counters, clock, a=FINE)
    clock.pass_ms(1500)
    counters.add("messages", "metrics", 3)
    counters.add("http_bodies")
    counters.add("rejected", "bad_value", 2)
    body = health.answer()
    checks: Any = body.pop("checks")
    assert checks.pop("mqtt")["status"] == "degraded"
    assert checks == {"a": {"status": "healthy", "detail": "fine"}}
    assert body.pop("version")
    assert body == {
        "service_name": "it",
        "status": "degraded",
        "uptime": 1.5,
        "mqtt_connected": False,
        "messages_processed": 4,
        "errors": 2,
        "timestamp": START_MS / 1000 + 1.5,
    }
    worse = make_health(counters, clock, a=Check(Condition.UNHEALTHY, "no disk"), b=FINE)
    assert worse.condition() is Condition.UNHEALTHY
    assert worse.answer()["status"] == "unhealthy"


def test_strangers_get_no_details() -> None:
    health = make_health(Counters(), SteppedClock(), a=Check(Condition.HEALTHY, "secret path"))
    assert "secret path" in str(health.answer())
    assert "secret path" not in str(health.answer(with_details=False))


@pytest.mark.parametrize("error", [ValueError("once"), Unavailable("once")])
async def test_a_failing_step_is_counted_and_tried_again(
    error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    counters, taken, done = Counters(), list[int](), asyncio.Event()

    def step() -> None:
        taken.append(len(taken))
        if len(taken) == 1:
            raise error
        done.set()

    task = asyncio.create_task(every_loop(1, step, name="x", counters=counters))
    await done.wait()
    task.cancel()
    assert counters.by_label("loop_errors") == {"x": 1}
    # A state of the world is told in a sentence; only a mistake of ours needs its traceback.
    assert ("Traceback" in caplog.text) == isinstance(error, ValueError)
    assert "once" in caplog.text


@pytest.mark.parametrize("ended", [("a",), ("a", "b"), ()])
async def test_a_loop_that_ended_is_missed_until_all_have(ended: tuple[str, ...]) -> None:
    loops = Loops(Counters(), expected=("a", "b"))
    assert loops.check().condition is Condition.HEALTHY, "before the start nothing is missed"
    for name in ("a", "b"):
        loops.keep(name, asyncio.sleep(3600))
    assert loops.check() == Check(Condition.HEALTHY, "all loops run")
    await loops.end(*ended)
    expected = Check(Condition.UNHEALTHY, "stopped: a") if ended == ("a",) else None
    assert loops.check() == (expected or Check(Condition.HEALTHY, "all loops run"))
    await loops.end()
