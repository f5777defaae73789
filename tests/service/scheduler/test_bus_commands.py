"""What the bus tells the scheduler, and what it answers."""

import time

import pytest
from tests.service.scheduler.scheduler_harness import TOPIC, Harness

from alicia.base.errors import Unavailable

EVENTS, TRIGGERS = "alicia/scheduler/events", "alicia/scheduler/triggers"
RESULT = "alicia/scheduler/events/result"
EVENT = {
    "name": "via bus",
    "schedule_type": "cron",
    "cron_expression": "0 0 1 1 *",
    "target_topic": TOPIC,
}


async def test_an_event_lives_its_life_by_commands(harness: Harness) -> None:
    await harness.say(EVENTS, {"command": "create_event", "event": EVENT, "reply_to": "me/too"})
    (result,) = await harness.hear(RESULT)
    assert result["payload"]["ok"] is True
    event_id = result["event_id"]
    assert (await harness.hear("me/too"))[0]["event_id"] == event_id
    steps = [
        ({"command": "update_event", "event": {"name": "new"}}, "pending"),
        ({"command": "pause_event"}, "paused"),
        ({"command": "resume_event"}, "pending"),
        ({"command": "cancel_event"}, "cancelled"),
    ]
    for count, (command, status) in enumerate(steps, start=2):
        await harness.say(EVENTS, {**command, "event_id": event_id})
        results = await harness.hear(RESULT, count)
        assert results[-1]["event"]["status"] == status
    assert (await harness.get(f"/events/{event_id}"))["event"]["name"] == "new"


async def test_every_change_over_http_is_told_as_those_by_command_are(harness: Harness) -> None:
    await harness.add(event_id="e1")
    await harness.http.put("/events/e1", json={"name": "new"})
    await harness.post("/events/e1/pause")
    await harness.post("/events/e1/resume")
    await harness.http.delete("/events/e1")
    await harness.http.delete("/events/e1?purge=true")
    results = [m["payload"] for m in await harness.hear(RESULT, 7)]
    assert [r["command"] for r in results] == [
        "create_event", "update_event", "pause_event", "resume_event",
        "cancel_event", "cancel_event", "purge_event",
    ]  # fmt: skip
    assert {(r["ok"], r["event_id"]) for r in results} == {(True, "e1")}
    statuses = ["pending", "pending", "paused", "pending", "cancelled", "cancelled"]
    assert [r["event"]["status"] for r in results[:-1]] == statuses
    assert [r["event"]["name"] for r in results[:2]] == ["lamp", "new"]
    assert results[-1]["purged"] is True


async def test_only_what_was_stored_is_told(harness: Harness) -> None:
    key = {"Idempotency-Key": "k"}
    for _ in range(2):
        assert (await harness.http.post("/events", json=EVENT, headers=key)).status_code == 201
    crontab = {"content": "0 7 * * * me/x on\n", "headers": {"Content-Type": "text/plain"}}
    await harness.http.post("/events/import?dry_run=true", **crontab)
    assert (await harness.http.put("/events/none", json={"name": "x"})).status_code == 404
    await harness.http.post("/events/import", **crontab)
    results = await harness.hear(RESULT, 2)
    assert [r["command"] for r in results] == ["create_event"] * 2
    assert results[0]["event"]["name"] != results[1]["event"]["name"]


async def test_the_end_of_a_pause_is_told(harness: Harness) -> None:
    await harness.add(event_id="e1")
    await harness.post("/events/e1/pause", {"until": time.time() + 0.2})
    last = (await harness.hear(RESULT, 3))[-1]
    assert (last["command"], last["event"]["status"]) == ("resume_event", "pending")


async def test_the_response_topic_gets_the_answer_with_its_correlation(harness: Harness) -> None:
    body = {"command": "create_event", "event": EVENT}
    await harness.say(EVENTS, body, response_topic="me/answers", correlation=b"\x00c1")
    await harness.hear("me/answers")
    (message,) = [m for m in harness.heard if m.topic == "me/answers"]
    assert message.correlation == b"\x00c1"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"command": "explode"}, "unknown_command"),
        ({"command": "pause_event", "event_id": "none"}, "not_found"),
        ({"command": "create_event", "event": {**EVENT, "cron_expression": "x"}}, None),
        ({"command": "create_event", "event": {**EVENT, "timezone": "No/Zone"}}, "unknown_zone"),
        ([1], "not_an_object"),
        (b"\xff", "bad_utf8"),
        (b"{", "bad_json"),
        (b'{"command":' + b"[" * 90 + b"]" * 90 + b"}", "too_deep"),
    ],
)
async def test_a_bad_command_is_answered_counted_and_kept(
    harness: Harness, body: object, code: str | None
) -> None:
    await harness.say(EVENTS, body)
    (result,) = await harness.hear(RESULT)
    assert result["payload"]["ok"] is False
    stats = await harness.get("/stats")
    assert len(stats["rejects"]) == 1
    if code is not None:
        assert result["error"]["type"] == code
        assert stats["rejected_total"] == {code: 1}
    await harness.say(EVENTS, {"command": "create_event", "event": EVENT})  # and life goes on
    assert (await harness.hear(RESULT, 2))[-1]["payload"]["ok"] is True


async def test_a_command_that_comes_twice_is_done_once(harness: Harness) -> None:
    body = {"message_id": "m1", "source": "web", "command": "create_event", "event": EVENT}
    await harness.say(EVENTS, body)
    await harness.say(EVENTS, body)
    await harness.hear(RESULT)
    await harness.say(EVENTS, {"command": "explode"})
    await harness.hear(RESULT, 2)
    assert len((await harness.get("/events"))["events"]) == 1


async def test_a_retained_command_is_no_command(harness: Harness) -> None:
    await harness.say(EVENTS, {"command": "create_event", "event": EVENT}, retain=True)
    await harness.hear(RESULT)  # the live one
    await harness.stop()
    await harness.start()  # subscribes again, and is sent the retained one
    await harness.say(EVENTS, {"command": "explode"})
    await harness.hear(RESULT, 2)
    assert len((await harness.get("/events"))["events"]) == 1


async def test_a_command_that_failed_on_the_database_may_come_again(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: object, **__: object) -> None:
        raise Unavailable("the database is away")

    body = {"message_id": "m1", "source": "web", "command": "create_event", "event": EVENT}
    with monkeypatch.context() as patch:
        patch.setattr(harness.scheduler.ledger, "add", away)
        await harness.say(EVENTS, body)
        (failed,) = await harness.hear(RESULT)
    assert (failed["ok"], failed["error"]["type"]) == (False, "unavailable")
    await harness.say(EVENTS, body)
    created = (await harness.hear(RESULT, 2))[-1]
    assert (created["ok"], created["event"]["name"]) == (True, "via bus")


async def test_a_command_to_trigger_may_bring_a_payload(harness: Harness) -> None:
    await harness.add(event_id="e1")
    await harness.say(
        EVENTS, {"command": "trigger_event", "event_id": "e1", "payload": {"level": 5}}
    )
    (got,) = await harness.hear(TOPIC)
    assert got["level"] == 5
    result = (await harness.hear(RESULT, 2))[-1]
    assert (result["command"], result["execution_id"]) == ("trigger_event", got["execution_id"])


@pytest.mark.parametrize("topic", ["$SYS/x", "a/+/b", "a/\x80"])
async def test_an_answer_goes_to_no_topic_that_would_cost_the_connection(
    harness: Harness, topic: str
) -> None:
    await harness.say(EVENTS, {"command": "create_event", "event": EVENT, "reply_to": topic})
    assert (await harness.hear(RESULT))[-1]["ok"] is True
    rejects = await harness.get("/api/v1/rejects")
    assert rejects["total"] == {"bad_topic": 1}
    (reject,) = rejects["rejects"]
    assert (reject["entry"], reject["reason"], reject["index"]) == (EVENTS, "bad_topic", 0)
    assert not any(message.topic == topic for message in harness.heard)


async def test_a_trigger_runs_an_event_by_id_or_name_and_once_per_message(
    harness: Harness,
) -> None:
    await harness.add(event_id="e1", name="lamp on", overlap="allow")
    await harness.say(TRIGGERS, {"event_id": "e1", "payload": {"n": 1}})
    await harness.say(TRIGGERS, {"name": "lamp on", "payload": {"n": 2}})
    assert sorted(got["n"] for got in await harness.hear(TOPIC, 2)) == [1, 2]
    for _ in range(2):
        await harness.say(TRIGGERS, {"event_id": "e1", "message_id": "m7", "source": "web"})
    await harness.hear(TOPIC, 3)
    await harness.say(TRIGGERS, {"event_id": "none"})
    await harness.say(TRIGGERS, {"event_id": "e1", "payload": {"n": 4}})
    assert len(await harness.hear(TOPIC, 4)) == 4
    assert (await harness.get("/stats"))["rejected_total"] == {"not_found": 1}


async def test_an_events_own_topics_start_it(harness: Harness) -> None:
    await harness.add(
        event_id="door",
        triggers=[{"topic": "alicia/door/+", "match": {"open": True, "floor": 1}}],
    )
    await harness.say("alicia/door/front", {"open": True, "floor": 2})
    await harness.say("alicia/door/front", {"open": False, "floor": 1})
    await harness.say("alicia/door/front", b"no json")
    await harness.say("alicia/door/front", {"open": True, "floor": 1, "more": 0})
    (got,) = await harness.hear(TOPIC)
    row = (await harness.get(f"/executions/{got['execution_id']}"))["execution"]
    assert row["kind"] == "mqtt"
    await harness.http.put("/events/door", json={"triggers": []})
    await harness.say("alicia/door/front", {"open": True, "floor": 1})
    await harness.say(TRIGGERS, {"event_id": "door"})
    assert len(await harness.hear(TOPIC, 2)) == 2


@pytest.mark.parametrize(
    "topic", ["alicia/scheduler/+", "alicia/events/#", "alicia/system/health/check"]
)
async def test_the_end_of_an_event_leaves_the_services_own_topics_subscribed(
    harness: Harness, topic: str
) -> None:
    await harness.add(event_id="ear", triggers=[{"topic": topic}])
    await harness.http.delete("/events/ear?purge=true")
    await harness.add(event_id="e1", require_ack=True)
    await harness.say(TRIGGERS, {"event_id": "e1"})
    (got,) = await harness.hear(TOPIC)
    report = {"event_type": "execution_complete", "execution_id": got["execution_id"]}
    await harness.say("alicia/events/lamp", report)
    assert (await harness.status(got["execution_id"], "completed"))["status"] == "completed"
    poke = "alicia/system/health/event_scheduler"
    before = len(harness.on(poke))
    await harness.say("alicia/system/health/check", {"service_name": "metrics_collector"})
    assert len(await harness.hear(poke, before + 1)) > before


async def test_a_topic_of_two_events_stays_until_the_last_of_them_ends(harness: Harness) -> None:
    for event_id in ("one", "two"):
        await harness.add(event_id=event_id, triggers=[{"topic": "alicia/bell"}])
    await harness.http.delete("/events/one")
    await harness.say("alicia/bell", {"ring": 1})
    assert [m["event_id"] for m in await harness.hear(TOPIC)] == ["two"]
    await harness.http.delete("/events/two")
    assert not harness.scheduler.bus.listens_to("alicia/bell")  # type: ignore[attr-defined]


async def test_a_loop_of_triggers_ends(harness: Harness) -> None:
    await harness.add(event_id="echo", overlap="allow", triggers=[{"topic": TOPIC}])
    await harness.say(TRIGGERS, {"event_id": "echo"})
    await harness.hear(TOPIC, 10)
    await harness.say(TRIGGERS, {"event_id": "none"})
    await harness.say(EVENTS, {"command": "explode"})
    await harness.hear(RESULT)
    assert len(harness.on(TOPIC)) == 10
    assert (await harness.get("/stats"))["counters"]["chain_ended"] == {"hops": 1}


async def test_a_loop_of_commands_ends(harness: Harness) -> None:
    command = {"command": "trigger_event", "event_id": "echo"}
    await harness.add(event_id="echo", overlap="allow", target_topic=EVENTS, payload=command)
    await harness.say(EVENTS, command)
    await harness.until(lambda: harness.scheduler.counters.total("chain_ended") == 1)
    assert harness.scheduler.counters.by_label("chain_ended") == {"hops": 1}
    assert len((await harness.get("/executions/echo"))["executions"]) == 10


async def test_two_senders_may_number_their_messages_alike(harness: Harness) -> None:
    await harness.add(event_id="e1")
    for source in ("web", "phone", "web"):
        body = {"command": "trigger_event", "event_id": "e1", "message_id": "1", "source": source}
        await harness.say(EVENTS, body)
    await harness.say(EVENTS, {"command": "explode"})
    results = [m for m in await harness.hear(RESULT, 4) if m.get("command") == "trigger_event"]
    assert len({m["execution_id"] for m in results}) == len(results) == 2


async def test_what_we_tell_ourselves_starts_nothing(harness: Harness) -> None:
    await harness.add(event_id="ear", overlap="allow", triggers=[{"topic": "alicia/scheduler/#"}])
    await harness.say(TRIGGERS, {"event_id": "ear"})  # a message on a topic of its own, too
    await harness.hear(TOPIC, 2)
    await harness.say(EVENTS, {"command": "explode"})  # and one more
    await harness.hear(TOPIC, 3)
    rows = (await harness.get("/executions/ear"))["executions"]
    for row in rows:
        await harness.status(row["execution_id"], "completed")
    assert len((await harness.get("/executions/ear"))["executions"]) == len(rows) == 3


async def test_the_poke_is_answered_and_presence_is_told(harness: Harness) -> None:
    await harness.say("alicia/system/health/check", {"service_name": "metrics_collector"})
    (health,) = await harness.hear("alicia/system/health/event_scheduler")
    assert (health["service_name"], health["status"]) == ("event_scheduler", "healthy")
    await harness.scheduler.stop()
    (bye,) = harness.on("alicia/system/discovery/unregister")
    assert bye["service_name"] == "event_scheduler"
