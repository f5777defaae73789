"""``/events`` over HTTP: what it stores, what it refuses, and in which words."""

import asyncio
import json
import time
from typing import Any

import pytest
from tests.service.scheduler.scheduler_harness import Harness

GOOD = {
    "name": "lamp",
    "schedule_type": "interval",
    "interval_seconds": 3600,
    "target_service": "lamp",
    "payload": {"on": True},
}


async def test_an_event_is_created_read_changed_and_ended(harness: Harness) -> None:
    reply = await harness.http.post("/events", json=GOOD)
    assert reply.status_code == 201
    event_id = reply.json()["event_id"]
    assert reply.headers["location"] == f"/events/{event_id}"
    event = reply.json()["event"]
    assert (event["status"], event["target_topic"]) == ("pending", "alicia/lamp/command")
    assert len(event["next_runs"]) == 5
    assert event["schedule_text"] == "every hour"

    read = await harness.http.get(f"/events/{event_id}")
    assert read.headers["etag"] == '"1"'
    changed = await harness.http.put(
        f"/events/{event_id}", json={"interval_seconds": 60}, headers={"If-Match": '"1"'}
    )
    assert changed.status_code == 200
    assert changed.json()["event"]["interval_seconds"] == 60
    assert changed.headers["etag"] == '"2"'
    stale = await harness.http.put(
        f"/events/{event_id}", json={"name": "x"}, headers={"If-Match": '"1"'}
    )
    assert stale.status_code == 412
    assert stale.json()["type"] == "precondition_failed"

    ended = await harness.http.delete(f"/events/{event_id}")
    assert ended.json()["event"]["status"] == "cancelled"
    assert (await harness.http.put(f"/events/{event_id}", json={"name": "x"})).status_code == 409
    assert (await harness.http.post(f"/events/{event_id}/trigger")).status_code == 409
    await harness.http.delete(f"/events/{event_id}?purge=true")
    assert (await harness.http.get(f"/events/{event_id}")).status_code == 404


@pytest.mark.parametrize(
    ("fields", "field", "code"),
    [
        ({"schedule_type": "once", "run_at": "2020-01-01T00:00:00Z"}, "run_at", "run_at_past"),
        ({"schedule_type": "once", "run_at": "soon"}, "run_at", None),
        ({"timezone": "Mars/Olympus"}, "timezone", "unknown_zone"),
        ({"schedule_type": "cron", "cron_expression": "61 * * * *"}, "cron_expression", None),
        ({"schedule_type": "cron", "cron_expression": "0 0 31 2 *"}, "cron_expression",
         "never_fires"),
        ({"schedule_type": "sometimes"}, "schedule_type", None),
        ({"overlap": "maybe"}, "overlap", None),
        ({"interval_seconds": 0.01}, "interval_seconds", None),
        ({"interval_seconds": "abc"}, "interval_seconds", None),
        ({"interval_seconds": True}, "interval_seconds", None),
        ({"target_topic": "a/+/b"}, "target_topic", None),
        ({"target_topic": "a/#"}, "target_topic", None),
        ({"name": ""}, "name", None),
        ({"name": 7}, "name", None),
        ({"name": "x" * 5000}, "name", None),
        ({"max_retries": -1}, "max_retries", None),
        ({"tags": "a" * 5000}, "tags", None),
        ({"event_id": "no spaces please"}, "event_id", "bad_event_id"),
        ({"event_id": 5}, "event_id", "bad_event_id"),
        ({"on_success": ["nobody"]}, "on_success", "unknown_event"),
        ({"on_failure": ["lamp"]}, "on_failure", "chain_cycle"),
        ({"action": {"type": "shell", "command": "rm"}}, "action", None),
        ({"action": {"type": "http", "method": "GET", "url": "http://169.254.169.254/"}},
         "action.url", None),
        ({"action": {"type": "http", "url": "http://127.0.0.1:9/", "headers": {"Host": "x"}}},
         "action.headers", "bad_header"),
        ({"action": {"type": "http", "url": "http://127.0.0.1:9/",
                     "headers": {"Authorization": "*** (0a1b2c3d)"}}},
         "action.headers", "masked_secret"),
        ({"triggers": [{"topic": "a/#/b"}]}, "triggers", None),
        ({"misfire": {"policy": "panic"}}, "misfire", None),
    ],
)  # fmt: skip
async def test_a_bad_field_is_named_with_its_reason(
    harness: Harness, fields: dict[str, object], field: str, code: str | None
) -> None:
    reply = await harness.http.post("/events", json=GOOD | fields)
    assert reply.status_code == 422, reply.text
    problem = reply.json()
    assert reply.headers["content-type"] == "application/problem+json"
    locs = {".".join(map(str, fault["loc"])) for fault in problem["errors"]}
    assert any(loc.startswith(field) for loc in locs), problem
    if code is not None:
        assert problem["type"] == code
    assert (await harness.get("/events"))["events"] == []


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b"\xff\xfe", 400),
        (b"[" * 5000 + b"]" * 5000, 400),
        (b'{"a":' * 40 + b"1" + b"}" * 40, 400),
        (b"[1]", 422),
        (b"null", 422),
        (b"{}", 422),
        (b'"' + b"x" * (11 * 1024 * 1024) + b'"', 413),
    ],
    ids=["empty", "cut", "no-utf8", "deep", "nested", "list", "null", "no-fields", "11MB"],
)
async def test_a_body_that_is_no_event_is_refused(
    harness: Harness, body: bytes, status: int
) -> None:
    headers = {"Content-Type": "application/json"}
    reply = await harness.http.post("/events", content=body, headers=headers)
    assert reply.status_code == status, reply.text


async def test_another_content_type_is_refused(harness: Harness) -> None:
    reply = await harness.http.post("/events", content=b"a=1", headers={"Content-Type": "text/x"})
    assert reply.status_code == 415


async def test_a_taken_id_is_a_conflict(harness: Harness) -> None:
    await harness.add(event_id="mine")
    reply = await harness.http.post("/events", json=GOOD | {"event_id": "mine"})
    assert reply.status_code == 409


async def test_a_repeated_request_gets_the_first_answer_also_after_a_restart(
    harness: Harness,
) -> None:
    key = {"Idempotency-Key": "k-1"}
    first = await harness.http.post("/events", json=GOOD, headers=key)
    again = await harness.http.post("/events", json=GOOD, headers=key)
    for name in ("location", "etag"):
        assert again.headers[name] == first.headers[name]
    other = await harness.http.post("/events", json=GOOD | {"name": "b"}, headers=key)
    assert again.status_code == 201
    assert again.json() == first.json()
    assert (other.status_code, other.json()["type"]) == (422, "idempotency_key_reused")
    await harness.stop()
    await harness.start()
    late = await harness.http.post("/events", json=GOOD, headers=key)
    assert late.json() == first.json()
    assert len((await harness.get("/events"))["events"]) == 1


async def test_a_secret_header_is_sent_and_never_shown(harness: Harness) -> None:
    headers = {"Authorization": "Bearer hush", "X-Room": "hall"}
    action = {"type": "http", "url": "http://127.0.0.1:9/", "headers": headers}
    shown = await harness.add(event_id="e1", target_topic=None, action=action)
    assert shown["action"]["headers"]["X-Room"] == "hall"
    assert shown["action"]["headers"]["Authorization"].startswith("***")

    async def stored() -> object:
        return dict((await harness.scheduler.ledger.get("e1")).event.action.headers)

    edited = await harness.http.put("/events/e1", json={**shown, "name": "new"})
    assert edited.status_code == 200, edited.text
    assert await stored() == headers
    await harness.hear("alicia/scheduler/events/result", 2)
    answers = [edited.text, (await harness.http.get("/events")).text]
    assert not any("hush" in text for text in answers)
    assert not any(b"hush" in message.body for message in harness.heard)
    changed = {**shown["action"], "headers": {"Authorization": "Bearer new"}}
    await harness.http.put("/events/e1", json={"action": changed})
    assert await stored() == {"Authorization": "Bearer new"}


async def test_lists_are_filtered_and_paged(harness: Harness) -> None:
    for n in range(5):
        await harness.add(event_id=f"e{n}", name=f"Lamp {n}", tags=["odd"] if n % 2 else ["even"])
    await harness.post("/events/e0/pause")
    ids = [e["event_id"] for e in (await harness.get("/events?tag=odd"))["events"]]
    assert ids == ["e1", "e3"]
    assert len((await harness.get("/events?search=lamp"))["events"]) == 5
    paused = await harness.get("/events?status=paused")
    assert [e["event_id"] for e in paused["events"]] == ["e0"]
    assert len((await harness.get("/events?active_only=true"))["events"]) == 4
    page = await harness.get("/events?limit=3")
    rest = await harness.get(f"/events?limit=3&cursor={page['next_cursor']}")
    assert [e["event_id"] for e in page["events"] + rest["events"]] == [f"e{n}" for n in range(5)]
    for query in ("limit=0", "limit=x", "cursor=%00", "status=odd", "active_only=perhaps"):
        assert (await harness.http.get(f"/events?{query}")).status_code == 422, query


async def test_a_paused_event_does_not_run_and_its_instants_are_recorded(
    harness: Harness,
) -> None:
    event = await harness.add(schedule_type="interval", interval_seconds=0.2)
    topic = event["target_topic"]
    await harness.hear(topic)
    paused = await harness.post(f"/events/{event['event_id']}/pause")
    assert (paused["event"]["status"], paused["event"]["next_run"]) == ("paused", None)
    count = len(harness.on(topic))
    await asyncio.sleep(0.7)
    assert len(harness.on(topic)) == count
    assert (await harness.post(f"/events/{event['event_id']}/trigger"))["status"] == "pending"
    await harness.hear(topic, count + 1)  # by hand it runs also while paused
    await harness.post(f"/events/{event['event_id']}/resume")
    await harness.hear(topic, count + 2)
    rows = (await harness.get(f"/executions/{event['event_id']}?status=skipped"))["executions"]
    assert {row["reason"] for row in rows} == {"paused"}
    assert len(rows) >= 3


async def test_a_pause_may_end_by_itself(harness: Harness) -> None:
    event = await harness.add(schedule_type="interval", interval_seconds=0.2)
    until = time.time() + 0.5
    await harness.post(f"/events/{event['event_id']}/pause", {"until": until})
    count = len(harness.on(event["target_topic"]))
    await harness.hear(event["target_topic"], count + 1)
    assert time.time() > until
    past = await harness.http.post(f"/events/{event['event_id']}/pause", json={"until": 5})
    assert (past.status_code, past.json()["type"]) == (422, "until_past")


@pytest.mark.parametrize("path", ["/events/e1", "/events/e1?purge=true"])
async def test_an_end_of_another_revision_than_was_read_is_refused_at_the_write(
    harness: Harness, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    await harness.add(event_id="e1")
    desk, cancel = harness.scheduler.desk, harness.scheduler.desk.cancel

    async def cancel_late(event_id: str, **fields: Any) -> object:
        await harness.http.put("/events/e1", json={"name": "new"})  # just before the write
        return await cancel(event_id, **fields)

    monkeypatch.setattr(desk, "cancel", cancel_late)
    reply = await harness.http.delete(path, headers={"If-Match": '"1"'})
    assert (reply.status_code, reply.json()["type"]) == (412, "precondition_failed")
    event = (await harness.get("/events/e1"))["event"]
    assert (event["status"], event["name"], event["rev"]) == ("pending", "new", 2)
    monkeypatch.undo()
    assert (await harness.http.delete(path, headers={"If-Match": '"2"'})).status_code == 200


async def test_the_calendar_says_whether_more_events_would_run(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("alicia.scheduler.calendar.RUNS_MAX", 3)
    monkeypatch.setattr("alicia.scheduler.calendar._EVENTS_PAGE", 3)
    window = "/calendar?start=4070908800&end=4070995200"  # the first day of 2099
    for n in range(5):
        await harness.add(event_id=f"e{n}", cron_expression="0 12 1 1 *")
        found = await harness.get(window)
        assert (len(found["planned"]), found["truncated"]) == (min(n + 1, 3), n >= 3)


async def test_an_event_that_cannot_be_resumed_holds_up_no_other(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk, resume = harness.scheduler.desk, harness.scheduler.desk.resume

    async def broken(event_id: str) -> object:
        if event_id == "e1":
            raise RuntimeError("a fault of ours")
        return await resume(event_id)

    monkeypatch.setattr(desk, "resume", broken)
    for event_id in ("e1", "e2"):
        await harness.add(event_id=event_id)
        await harness.post(f"/events/{event_id}/pause", {"until": time.time() + 0.2})
    told = "alicia/scheduler/events/result"
    await harness.until(
        lambda: any(
            (m["command"], m["event_id"]) == ("resume_event", "e2") for m in harness.on(told)
        )
    )
    assert harness.scheduler.counters.total("resume_errors") >= 1


async def test_a_pause_ends_at_the_wall_time_of_the_event(harness: Harness) -> None:
    await harness.add(event_id="e1", timezone="Asia/Kathmandu")
    paused = await harness.post("/events/e1/pause", {"until": "2099-01-01T00:00:00"})
    assert paused["event"]["paused_until"] == 4_070_908_800 - 20_700  # +05:45
    for until in ("soon", True, [1], {}, "", 1, "2099-01-01T25:00:00"):
        reply = await harness.http.post("/events/e1/pause", json={"until": until})
        assert reply.status_code == 422
        assert reply.json()["errors"][0]["loc"] == ["until"]


async def test_an_edit_acts_long_before_the_old_timing_would(harness: Harness) -> None:
    event = await harness.add(schedule_type="interval", interval_seconds=3600)
    reply = await harness.http.put(f"/events/{event['event_id']}", json={"interval_seconds": 0.1})
    assert reply.status_code == 200
    await harness.hear(event["target_topic"])


async def test_the_older_shape_is_understood(harness: Harness) -> None:
    old = {
        "name": "old",
        "schedule_type": "interval",
        "schedule_config": {"interval_seconds": 3600},
        "action": {"topic": "alicia/old", "message": {"a": 1}},
    }
    reply = await harness.http.post("/events", json=old)
    assert reply.status_code == 201, reply.text
    event = reply.json()["event"]
    assert (event["interval_seconds"], event["action"]["topic"]) == (3600, "alicia/old")


async def test_preview_stores_nothing(harness: Harness) -> None:
    body = {
        "schedule_type": "cron",
        "cron_expression": "30 7 * * *",
        "after": "2026-11-25T00:00:00Z",
        "n": 2,
    }
    preview = await harness.post("/events/preview", body)
    assert preview["runs"] == ["2026-11-25T07:30:00+02:00", "2026-11-26T07:30:00+02:00"]
    assert (await harness.get("/events"))["events"] == []
    bad = await harness.http.post("/events/preview", json={"cron_expression": "x"})
    assert bad.status_code == 422


CRONTAB = """# comment
MAILTO=me
CRON_TZ=Europe/Riga
*/5 * * * * backup --all
bad line
@daily clean up
"""
YAML = """
- name: a
  schedule_type: interval
  interval_seconds: 60
  target_topic: alicia/a
- name: b
  schedule_type: once
  run_at: 2020-01-01T00:00:00Z
  target_topic: alicia/b
"""


@pytest.mark.parametrize(
    ("content", "kind", "names", "faults"),
    [
        (CRONTAB, "text/plain", ["backup --all", "clean up"], 1),
        (YAML, "application/yaml", ["a"], 1),
        (YAML, "text/plain", ["a"], 1),
        (json.dumps([GOOD, {"name": "x"}, 5]), "application/json", ["lamp"], 2),
        (json.dumps({"events": [GOOD]}), "application/json", ["lamp"], 0),
    ],
)
async def test_an_import_takes_what_is_good(
    harness: Harness, content: str, kind: str, names: list[str], faults: int
) -> None:
    async def send(query: str) -> dict[str, Any]:
        reply = await harness.http.post(
            f"/events/import{query}", content=content.encode(), headers={"Content-Type": kind}
        )
        assert reply.status_code == 200, reply.text
        return dict(reply.json())

    dry = await send("?dry_run=true")
    assert [event["name"] for event in dry["events"]] == names
    assert (await harness.get("/events"))["events"] == []
    done = await send("")
    assert (done["accepted"], len(done["rejected"])) == (len(names), faults)
    stored = (await harness.get("/events"))["events"]
    assert sorted(event["name"] for event in stored) == sorted(names)


async def test_a_list_in_yaml_means_what_it_says(harness: Harness) -> None:
    content = """\ufeff- name: a
  schedule_type: recurring
  recurrence: {frequency: daily, time_of_day: 10:30}
  target_topic: alicia/a
  payload: {on: yes, off: ~, n: 010, x: 1.5, y: -3, date: 2026-01-01, z: true}
"""
    reply = await harness.http.post(
        "/events/import", content=content.encode(), headers={"Content-Type": "application/yaml"}
    )
    (event,) = reply.json()["events"]
    assert event["recurrence"]["time_of_day"] == "10:30"
    assert event["payload"] == {
        "on": "yes", "off": None, "n": "010", "x": 1.5, "y": -3, "date": "2026-01-01", "z": True,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        ("!!binary aGk=", "bad_yaml"),
        ("!!float .nan", "bad_yaml"),
        ("!!timestamp 2026-01-01", "bad_yaml"),
        ("!!set {a}", "bad_yaml"),
        ("9" * 5000, "bad_yaml"),
        ("[" * 5000, "bad_yaml"),
        ("{a: " * 40 + "1" + "}" * 40, "too_deep"),
    ],
    ids=["binary", "nan", "date", "set", "digits", "brackets", "depth"],
)
async def test_yaml_brings_in_nothing_that_json_could_not(
    harness: Harness, payload: str, code: str
) -> None:
    content = "".join(f"  {key}: {json.dumps(value)}\n" for key, value in GOOD.items())
    content = f"-\n{content}  payload: {payload}\n"
    reply = await harness.http.post(
        "/events/import", content=content.encode(), headers={"Content-Type": "application/yaml"}
    )
    assert (reply.status_code // 100, reply.json()["type"]) == (4, code)
    assert (await harness.get("/events"))["events"] == []


async def test_a_dry_run_finds_taken_ids(harness: Harness) -> None:
    await harness.add(event_id="old")
    batch = [GOOD | {"event_id": name} for name in ("new", "old", "new")]
    for query in ("?dry_run=true", ""):
        reply = await harness.http.post(f"/events/import{query}", json=batch)
        rejected = [(fault["index"], fault["code"]) for fault in reply.json()["rejected"]]
        assert rejected == [(1, "conflict"), (2, "conflict")]


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"a: &x [1,2]\nb: *x", "application/yaml"),
        (b"!!python/object/apply:os.system ['id']", "application/yaml"),
        (b"{", "application/yaml"),
        (b"\xff", "text/plain"),
        (b"[5]", "application/json"),
        (b"5", "application/json"),
    ],
)
async def test_an_import_without_anything_good_is_refused(
    harness: Harness, content: bytes, kind: str
) -> None:
    reply = await harness.http.post(
        "/events/import", content=content, headers={"Content-Type": kind}
    )
    assert reply.status_code == 422, reply.text
    assert (await harness.get("/events"))["events"] == []


async def test_the_calendar_shows_what_ran_and_what_will(harness: Harness) -> None:
    event = await harness.add(schedule_type="interval", interval_seconds=0.3)
    await harness.hear(event["target_topic"], 2)
    now = time.time()
    assert len((await harness.get(f"/calendar?start={now - 60}"))["past"]) >= 2
    ahead = await harness.get(f"/calendar?start={now + 3600}&end={now + 3603}")
    assert len(ahead["planned"]) in (10, 11)
    assert ahead["planned"][0]["scheduled_time"] >= now + 3600
    assert ahead["past"] == []
    assert (await harness.http.get("/calendar?start=5&end=1")).status_code == 422


async def test_the_audit_explains_every_instant(harness: Harness) -> None:
    event = await harness.add(schedule_type="interval", interval_seconds=0.3)
    await harness.hear(event["target_topic"], 2)
    await harness.post(f"/events/{event['event_id']}/pause")
    await asyncio.sleep(0.5)
    await harness.post(f"/events/{event['event_id']}/resume")
    await harness.hear(event["target_topic"], 3)
    await asyncio.sleep(1.1)  # younger instants are not judged yet
    audit = await harness.get("/audit")
    assert audit["unexplained"] == []
    assert audit["counts"]["completed"] >= 2
    assert audit["counts"]["skipped"] >= 1


async def test_health_and_stats_tell_how_it_goes(harness: Harness) -> None:
    health = await harness.get("/health")
    assert (health["service_name"], health["status"]) == ("event_scheduler", "healthy")
    assert set(health["checks"]) == {"mqtt", "ledger", "loops"}
    harness.broker.stop()
    assert (await harness.get("/health"))["status"] == "degraded"
    harness.broker.start()
    event = await harness.add(schedule_type="interval", interval_seconds=0.2)
    await harness.hear(event["target_topic"], 2)
    stats = await harness.get("/stats")
    assert stats["events"]["total"] == 1
    assert stats["lag"]["count"] >= 2
    assert stats["lag"]["p99_ms"] < 1000
