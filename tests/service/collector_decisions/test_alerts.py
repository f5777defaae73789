"""From a sample to a message, over restarts, silences and lost brokers."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from alicia.adapters.sql.alerts import SqlAlertStore
from alicia.adapters.zones import load_zone
from alicia.alerting.ports import Notice
from alicia.promql.plan import Window

from .conftest import World


async def test_an_alert_fires_and_resolves_with_one_message_each(world: World) -> None:
    await world.add_rule()
    await world.push("temp", 35.0)
    await world.turn(0)
    [alert] = await world.alerts()
    assert alert | {"timestamp": 0, "active_at": 0, "fired_at": 0, "alert_id": ""} == {
        "alert_id": "", "rule_name": "hot", "service_name": "stt", "instance_id": "stt",
        "severity": "error", "state": "firing", "value": 35.0, "threshold": 30.0,
        "message": "temp is 35 (alert at > 30) on stt", "annotations": {},
        "labels": {"alertname": "hot", "service": "stt", "instance": "stt"},
        "timestamp": 0, "active_at": 0, "fired_at": 0, "resolved": False,
        "silenced_by": [], "inhibited_by": [], "no_data": False, "announced": True,
    }  # fmt: skip
    await world.turn()
    await world.push("temp", 20.0)
    await world.turn()
    await world.turn()
    assert [m["event"] for m in world.told("metrics/alerts")] == ["firing", "resolved"]
    assert [m["alert_id"] for m in world.told("alerts/new")] == [alert["alert_id"]]
    assert [m["state"] for m in world.told("alerts/resolved")] == ["resolved"]
    message = world.told("metrics/alerts")[0]
    assert (message["source"], message["payload"]["alert_id"]) == (
        "metrics_collector", alert["alert_id"],
    )  # fmt: skip
    assert await world.alerts() == []
    [ended] = await world.alerts("?active_only=false")
    assert (ended["resolved"], ended["value"]) == (True, 20.0)


async def test_for_is_pending_first_and_lapses_without_a_message(world: World) -> None:
    await world.add_rule(**{"for": "25s"})
    await world.push("temp", 35.0)
    await world.turn(0)
    assert [a["state"] for a in await world.alerts()] == ["pending"]
    await world.turn()
    await world.push("temp", 5.0)
    await world.turn()
    assert await world.alerts("?active_only=false") == []
    assert world.told("metrics/alerts") == []


async def test_filters(world: World) -> None:
    await world.add_rule()
    await world.push("temp", 35.0)
    await world.push("temp", 36.0, service="tts")
    await world.turn(0)
    assert len(await world.alerts("?severity=error")) == 2
    assert await world.alerts("?severity=info") == []
    assert [a["service_name"] for a in await world.alerts("?service=tts")] == ["tts"]
    first = (await world.http.get("/alerts?limit=1")).json()
    rest = (await world.http.get(f"/alerts?limit=1&cursor={first['next_cursor']}")).json()
    assert "next_cursor" not in rest
    assert first["alerts"][0]["alert_id"] != rest["alerts"][0]["alert_id"]


@pytest.mark.parametrize(
    ("query", "field"),
    [("?severity=fatal", "severity"), ("?active_only=maybe", "active_only"), ("?limit=0", "limit"),
     ("?cursor=%21", "cursor")],
)  # fmt: skip
async def test_bad_filters(world: World, query: str, field: str) -> None:
    reply = await world.http.get(f"/alerts{query}")
    assert reply.status_code == 422
    assert reply.json()["errors"][0]["loc"] == [field]


async def test_rules_and_alerts_survive_a_kill_without_a_second_message(world: World) -> None:
    await world.add_rule()
    await world.push("temp", 35.0)
    await world.turn(0)
    [before] = await world.alerts()
    world.heard.clear()
    await world.killed_and_started(after_ms=5000)
    await world.turn(0)
    [after] = await world.alerts()
    assert (after["alert_id"], after["fired_at"]) == (before["alert_id"], before["fired_at"])
    # The sample came back with the log, and holds the alert for as long as it counts: 5 min.
    await world.turn(290_000)
    assert len(await world.alerts()) == 1
    await world.turn(20_000)
    assert await world.alerts() == []
    assert [m["event"] for m in world.told("metrics/alerts")] == ["resolved"]


async def test_messages_wait_for_the_broker_over_a_kill(world: World) -> None:
    await world.add_rule()
    world.harness.broker.stop()
    await world.push("temp", 35.0)
    await world.turn(0)
    assert world.decisions.outbox.waiting == 2
    await world.killed_and_started()
    await world.turn(0)
    assert [m["event"] for m in world.told("metrics/alerts")] == ["firing"]
    assert len(world.told("alerts/new")) == 1
    await world.killed_and_started()
    assert world.decisions.outbox.waiting == 0


async def test_the_same_message_id_is_sent_until_the_broker_took_it(world: World) -> None:
    await world.add_rule()
    world.harness.broker.stop()
    await world.push("temp", 35.0)
    await world.turn(0)
    waiting = [notice.message_id for notice in await stored(world)]
    world.harness.broker.start()
    await world.settle()
    sending = asyncio.create_task(world.decisions.outbox.run())
    world.decisions.outbox.wake()
    while len(world.told("alerts/new")) == 0:
        await world.settle()
    sending.cancel()
    await asyncio.gather(sending, return_exceptions=True)
    sent = world.told("metrics/alerts") + world.told("alerts/new")
    assert [body["message_id"] for body in sent] == waiting


async def test_a_refused_message_does_not_block_the_next(world: World) -> None:
    world.harness.broker.refusals["alicia/metrics/alerts"] = 0x87
    await world.add_rule()
    await world.push("temp", 35.0)
    await world.turn(0)
    assert world.told("metrics/alerts") == []
    assert len(world.told("alerts/new")) == 1
    assert world.collector.counters.by_label("outbox") == {"refused": 1, "sent": 1}


async def stored(world: World) -> list[Notice]:
    return await SqlAlertStore(world.decisions._database, zones=load_zone).load_notices()


async def silence(world: World, **fields: Any) -> str:
    body = {"matchers": {"alertname": "hot"}, "duration": "15s", **fields}
    reply = await world.http.post("/alerts/silences", json=body)
    assert reply.status_code == 201, reply.text
    made: str = reply.json()["silence_id"]
    return made


async def test_a_silence_keeps_people_unbothered_until_it_ends(world: World) -> None:
    silence_id = await silence(world)
    await world.add_rule()
    await world.push("temp", 35.0)
    await world.turn(0)
    [alert] = await world.alerts()
    assert (alert["silenced_by"], alert["announced"]) == ([silence_id], False)
    assert len(world.told("metrics/alerts")) == 1
    assert world.told("alerts/new") == []
    await world.turn()
    assert world.told("alerts/new") == []
    await world.turn()  # the silence is over, and it still burns
    assert len(world.told("alerts/new")) == 1


async def test_a_silence_is_ended_listed_and_kept(world: World) -> None:
    silence_id = await silence(world, duration="1h", comment="works")
    reply = await world.http.delete(f"/alerts/silences/{silence_id}")
    assert (reply.status_code, reply.json()["state"]) == (200, "expired")
    await world.killed_and_started()
    [kept] = (await world.http.get("/alerts/silences")).json()["silences"]
    assert (kept["silence_id"], kept["comment"], kept["state"]) == (silence_id, "works", "expired")
    assert (await world.http.delete("/alerts/silences/none")).status_code == 404
    await world.turn(8 * 86_400_000)
    assert (await world.http.get("/alerts/silences")).json()["silences"] == []


async def test_a_dependency_holds_notices_back(world: World) -> None:
    await world.add_rule(name="cause", condition="pressure > 1")
    await world.add_rule(depends_on=["cause"])
    await world.push("pressure", 2.0)
    await world.turn(0)
    await world.push("temp", 35.0)
    await world.turn()
    by_rule = {alert["rule_name"]: alert for alert in await world.alerts()}
    assert by_rule["hot"]["inhibited_by"] == [by_rule["cause"]["alert_id"]]
    assert [m["rule_name"] for m in world.told("alerts/new")] == ["cause"]


async def test_within_the_cooldown_an_alert_comes_back_quietly(world: World) -> None:
    await world.add_rule(cooldown_period="1m")
    for value in (35.0, 5.0, 35.0):
        await world.push("temp", value)
        await world.turn()
    assert [m["event"] for m in world.told("metrics/alerts")] == ["firing", "resolved", "firing"]
    assert len(world.told("alerts/new")) == 1


async def test_a_failing_rule_changes_no_alert_and_tells_why(world: World) -> None:
    await world.add_rule(condition='{__name__=~"temp|heat"} > 30')
    await world.push("temp", 35.0)
    await world.turn(0)
    await world.push("heat", 1.0)
    await world.turn()
    assert len(await world.alerts()) == 1
    rule = (await world.http.get("/alerts/rules/hot")).json()
    assert (rule["state"], rule["health"]) == ("firing", "unhealthy")
    assert "same labelset" in rule["last_error"]


async def test_a_step_of_the_clock_makes_nothing_fire(world: World) -> None:
    await world.add_rule(**{"for": "1m"})
    await world.push("temp", 35.0)
    await world.turn(0)
    world.clock.wall_ms += 3_600_000
    await world.push("temp", 35.0)
    await world.turn(1000)
    assert [a["state"] for a in await world.alerts()] == ["pending"]


async def test_changes_are_live(world: World) -> None:
    client = world.decisions.live.attach(lambda: None)
    assert client is not None
    await world.add_rule()
    await world.push("temp", 35.0)
    await world.turn(0)
    text = client.take().decode()
    assert "event: alert\n" in text
    assert '"state":"firing"' in text
    world.decisions.live.detach(client)


class Held:
    """Stands before the engine: an expression is answered once the test says so."""

    def __init__(self, world: World) -> None:
        self._engine = world.decisions.rules._parts.evaluator
        self.asked, self._go = asyncio.Event(), asyncio.Event()
        world.decisions.rules._parts.evaluator = self
        self._turn = asyncio.create_task(world.turn(0))

    async def finish(self) -> None:
        self._go.set()
        await self._turn

    async def ask(self, expr: str, window: Window, then: Callable[..., Any]) -> Any:
        if "temp" in expr:
            self.asked.set()
            await self._go.wait()
        return await self._engine.ask(expr, window, then)


@pytest.fixture
async def held(world: World) -> AsyncIterator[Held]:
    """The rule ``hot`` while it is being evaluated; its condition holds."""
    await world.add_rule()
    await world.push("temp", 35.0)
    made = Held(world)
    await made.asked.wait()
    yield made
    await made.finish()


async def test_nobody_waits_for_a_slow_condition(world: World, held: Held) -> None:
    async with asyncio.timeout(30):
        silence_id = await silence(world, duration="1h")
        await world.add_rule(name="other", condition="other > 1")
    await held.finish()
    await world.turn()
    [alert] = await world.alerts()
    assert alert["silenced_by"] == [silence_id]
    assert world.told("alerts/new") == []


@pytest.mark.parametrize("change", ["delete", "replace", "disable"])
async def test_what_was_judged_of_a_rule_that_changed_meanwhile_is_dropped(
    world: World, held: Held, change: str
) -> None:
    rule = (await world.http.get("/alerts/rules/hot")).json()
    async with asyncio.timeout(30):
        if change == "delete":
            reply = await world.http.delete("/alerts/rules/hot")
        else:
            new = {"condition": "temp > 99"} if change == "replace" else {"enabled": False}
            body = {key: rule[key] for key in ("name", "condition", "severity")} | new
            reply = await world.http.put("/alerts/rules/hot", json=body)
    assert reply.status_code == 200, reply.text
    await held.finish()
    await world.turn()
    assert await world.alerts("?active_only=false") == []
    assert world.told("alerts/new") == []
    assert "hot" not in world.decisions.rules.health or change == "replace"
