"""Requests: the shapes that are understood, and every fault at once."""

import math
from dataclasses import replace
from typing import Any

import pytest

from alicia.adapters.zones import load_zone
from alicia.base.errors import BadRequest
from alicia.scheduling.definition import definition
from alicia.scheduling.event import (
    BusTrigger,
    Delivery,
    Event,
    HttpAction,
    Misfire,
    MisfirePolicy,
    MqttAction,
    OverlapPolicy,
    RemindAction,
    Retry,
    ScheduleType,
)
from alicia.scheduling.parse import parse_event, update_event

NOW = 1_795_600_000_000_000
SECOND = 1_000_000
# Listing one year of it took dateutil ten seconds.
DENSE = "FREQ=YEARLY;BYYEARDAY=1,-1" + "".join(
    f";BY{part}=" + ",".join(map(str, range(size)))
    for part, size in (("HOUR", 24), ("MINUTE", 60), ("SECOND", 60))
)
BASE = {"name": "n", "schedule_type": "interval", "interval_seconds": 60, "target_topic": "a/b"}


def parse(**changes: Any) -> Event:
    body = BASE | changes
    return parse_event(body, now_us=NOW, default_zone="UTC", event_id="e", zones=load_zone)


def edit(event: Event, **changes: Any) -> Event:
    return update_event(event, changes, now_us=NOW + SECOND, zones=load_zone)


def test_bounds_sent_back_stay_exact() -> None:
    event = parse(start_at="2026-11-25T07:30:00.123456Z", end_at=NOW / 1e6 + 0.000001)
    assert event.timing.end_us == NOW + 1
    shown = definition(event)
    again = edit(event, start_at=shown["start_at"], end_at=shown["end_at"])
    assert again.timing == event.timing


def faults(**changes: Any) -> dict[tuple[str | int, ...], str]:
    with pytest.raises(BadRequest) as caught:
        parse(**changes)
    return {fault.loc: fault.code for fault in caught.value.errors()}


def test_everything_given() -> None:
    event = parse(
        description="d", timezone="Europe/Riga", start_at=NOW / 1e6 + 10, end_at="2030-01-01",
        max_runs=3, jitter_seconds="2s", misfire={"policy": "run_all", "grace_seconds": 90},
        overlap="queue_all", max_retries=2, retry_delay="1m", retry_backoff=3, timeout=5,
        require_ack=True, delivery="at_most_once", tags=["x", "x", "y"], on_success="e2",
        on_failure=["e3"], payload={"k": 1},
        triggers=[{"topic": "a/+/b", "match": {"state": "on"}}],
    )  # fmt: skip
    timing = event.timing
    assert (timing.start_us, timing.max_runs, timing.jitter_us) == (
        NOW + 10 * SECOND,
        3,
        2 * SECOND,
    )
    assert timing.anchor_us == timing.start_us
    assert timing.end_us == 1_893_448_800 * SECOND  # midnight in Riga
    assert event.misfire == Misfire(MisfirePolicy.RUN_ALL, 90 * SECOND)
    assert event.overlap is OverlapPolicy.QUEUE_ALL
    assert event.retry == Retry(2, 60_000, 3.0)
    assert (event.timeout_ms, event.require_ack) == (5000, True)
    assert event.delivery is Delivery.AT_MOST_ONCE
    assert (event.tags, event.on_success, event.on_failure) == (("x", "y"), ("e2",), ("e3",))
    assert event.triggers == (BusTrigger("a/+/b", (("state", "on"),)),)
    assert event.action == MqttAction("a/b", {"k": 1})


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"target_topic": None, "target_service": "tts"}, MqttAction("alicia/tts/command", {})),
        ({"action": {"topic": "x/y", "message": {"a": 1}}}, MqttAction("x/y", {"a": 1})),
        ({"action": {"topic": "x/y", "message": "hi"}}, MqttAction("x/y", {"message": "hi"})),
        ({"action": {"type": "mqtt", "qos": 0, "retain": True}}, MqttAction("a/b", {}, 0, True)),
        ({"action": {"type": "remind"}, "target_topic": None}, RemindAction()),
        (
            {"action": {"type": "http", "url": "http://h/x", "headers": {"A": "b"}, "body": [1]}},
            HttpAction("POST", "http://h/x", (("A", "b"),), [1]),
        ),
    ],
)
def test_actions(given: dict[str, Any], expected: object) -> None:
    assert parse(**given).action == expected


@pytest.mark.parametrize(
    ("given", "kind"),
    [
        ({"schedule_config": {"cron": "0 9 * * *"}}, ScheduleType.CRON),
        ({"schedule_config": {"interval_minutes": 5}}, ScheduleType.INTERVAL),
        ({"schedule_config": {"type": "one_time", "run_time": NOW / 1e6 + 5}}, ScheduleType.ONCE),
        ({"schedule_config": {"frequency": "daily"}}, ScheduleType.RECURRING),
        ({"event_type": "periodic", "interval_seconds": 5}, ScheduleType.INTERVAL),
        ({"cron_expression": "@daily"}, ScheduleType.CRON),
        ({"schedule_type": "", "cron_expression": "@daily"}, ScheduleType.CRON),
        ({"schedule_type": " ", "event_type": "", "interval_seconds": 5}, ScheduleType.INTERVAL),
        (
            {"schedule_type": "cron", "event_type": "once", "cron_expression": "@daily"},
            ScheduleType.CRON,
        ),
    ],
)
def test_the_older_shape(given: dict[str, Any], kind: ScheduleType) -> None:
    body = {"name": "n", "action": {"topic": "a/b", "message": {}}} | given
    event = parse_event(body, now_us=NOW, default_zone="UTC", event_id="e", zones=load_zone)
    assert event.timing.schedule_type is kind
    if "interval_minutes" in str(given):
        assert event.timing.interval_us == 300 * SECOND


def test_all_faults_come_at_once() -> None:
    found = faults(
        name="", timezone="No/Where", schedule_type="cron", cron_expression="5-1 * * * *",
        target_topic="a/#", overlap="x", misfire={"policy": "q", "grace_seconds": -1},
        max_retries=-1, tags=[1],
        triggers=[{"topic": "a/#/b"}, 7], timeout="soon", require_ack="yes",
    )  # fmt: skip
    assert found == {
        ("name",): "missing",
        ("timezone",): "unknown_zone",
        ("cron_expression",): "reversed_range",
        ("target_topic",): "bad_topic",
        ("overlap",): "unknown_word",
        ("misfire", "policy"): "unknown_word",
        ("misfire", "grace_seconds"): "out_of_range",
        ("max_retries",): "bad_value",
        ("tags",): "bad_value",
        ("triggers", 0, "topic"): "bad_topic",
        ("triggers",): "bad_value",
        ("timeout",): "bad_duration",
        ("require_ack",): "bad_value",
    }


@pytest.mark.parametrize(
    ("given", "field", "code"),
    [
        ({"schedule_type": "sometimes"}, "schedule_type", "unknown_word"),
        ({"schedule_type": None, "interval_seconds": None}, "schedule_type", "missing"),
        ({"interval_seconds": 0.05}, "interval_seconds", "out_of_range"),
        ({"interval_seconds": None}, "interval_seconds", "missing"),
        ({"timezone": "Mars/Olympus"}, "timezone", "unknown_zone"),
        ({"schedule_type": "once", "run_at": 1_700_000_000}, "run_at", "run_at_past"),
        ({"schedule_type": "once"}, "run_at", "missing"),
        ({"schedule_type": "once", "run_at": "tomorrow"}, "run_at", "bad_time"),
        ({"schedule_type": "once", "run_at": -9e10}, "run_at", "bad_time"),
        ({"schedule_type": "once", "run_at": -1}, "run_at", "bad_time"),
        ({"schedule_type": "once", "run_at": 7_258_118_400}, "run_at", "bad_time"),
        ({"schedule_type": "once", "run_at": math.nan}, "run_at", "bad_time"),
        ({"schedule_type": "cron", "cron_expression": "0 0 31 2 *"}, "cron_expression",
         "never_fires"),
        ({"schedule_type": "recurring", "recurrence": "FREQ=OFTEN"}, "recurrence", "bad_rrule"),
        ({"schedule_type": "recurring", "recurrence": DENSE}, "recurrence", "too_dense"),
        ({"schedule_type": "recurring"}, "recurrence", "missing"),
        ({"start_at": 1_900_000_000, "end_at": 1_800_000_000}, "end_at", "out_of_range"),
        ({"target_topic": None}, "target_topic", "missing"),
        ({"target_topic": "$SYS/x"}, "target_topic", "bad_topic"),
        ({"target_topic": None, "target_service": "a/b"}, "target_service", "bad_value"),
        ({"calendars": ["holidays"]}, "calendars", "unknown_calendar"),
        ({"name": "x" * 257}, "name", "too_long"),
        ({"name": "a\0b"}, "name", "bad_value"),
        ({"name": "a\nb"}, "name", "bad_value"),
        ({"name": "a\x80b"}, "name", "bad_value"),
        ({"description": "a\x7fb"}, "description", "bad_value"),
        ({"target_topic": "a/\x80"}, "target_topic", "bad_value"),
        ({"target_topic": "a/\ufffe"}, "target_topic", "bad_value"),
        ({"target_topic": "/" * 200}, "target_topic", "bad_topic"),
        ({"tags": ["a\ufffe"]}, "tags", "bad_value"),
        ({"target_topic": "a/\tb"}, "target_topic", "bad_value"),
        ({"schedule_type": 0}, "schedule_type", "unknown_word"),
        ({"schedule_type": []}, "schedule_type", "unknown_word"),
        ({"schedule_config": "0 9 * * *"}, "schedule_config", "bad_value"),
        ({"schedule_config": [1]}, "schedule_config", "bad_value"),
        ({"tags": 0}, "tags", "bad_value"),
        ({"tags": {}}, "tags", "bad_value"),
        ({"tags": False}, "tags", "bad_value"),
        ({"tags": ["a\r\nb"]}, "tags", "bad_value"),
        ({"on_success": {}}, "on_success", "bad_value"),
    ],
)  # fmt: skip
def test_a_fault_names_its_field(given: dict[str, Any], field: str, code: str) -> None:
    assert faults(**given)[(field,)] == code


@pytest.mark.parametrize(
    ("action", "key"),
    [
        ({"type": "shell", "command": "rm"}, "type"),
        ({"type": "http", "url": "file:///etc/passwd"}, "url"),
        ({"type": "http", "url": "http://h:x/"}, "url"),
        ({"type": "http", "url": "http://h/", "method": "BREW"}, "method"),
        ({"type": "http", "url": "http://h/", "headers": {"a b": "c"}}, "headers"),
        ({"type": "http", "url": "http://h/", "headers": {"a": "c\r\nd: e"}}, "headers"),
        ({"type": "mqtt", "topic": "a/b", "qos": 2}, "qos"),
    ],
)
def test_a_bad_action_names_its_key(action: dict[str, Any], key: str) -> None:
    assert ("action", key) in faults(action=action)


def test_a_trigger_topic_without_a_broker_that_takes_it_is_refused() -> None:
    assert faults(triggers=[{"topic": "a/\x80"}]) == {("triggers", 0, "topic"): "bad_value"}


def test_a_description_may_have_lines_and_parts_left_out_may_be_null() -> None:
    assert parse(description="a\r\n\tb").description == "a\r\n\tb"
    rule = {"frequency": "daily", "every": None, "time_of_day": None}
    timing = parse(schedule_type="recurring", recurrence=rule).timing
    assert timing.recurrence == {"frequency": "daily"}


def test_an_edit_cannot_rename_the_id() -> None:
    event = parse()
    assert edit(event, event_id="e", name="m").name == "m"
    with pytest.raises(BadRequest) as caught:
        edit(event, event_id="other")
    assert [(f.loc, f.code) for f in caught.value.errors()] == [(("event_id",), "fixed_field")]


def test_an_edit_replaces_what_it_names() -> None:
    event = parse(description="old", tags=["a"])
    edited = edit(event, description="new")
    assert edited == replace(event, description="new", updated_us=NOW + SECOND)
    assert edit(event, tags=None).tags == ()


def test_sending_back_what_was_shown_changes_nothing() -> None:
    event = parse(payload={"k": 1}, action={"type": "mqtt", "topic": "x/y", "retain": True})
    shown = definition(event)
    assert edit(event, **shown) == replace(event, updated_us=NOW + SECOND)


def test_a_new_payload_or_target_changes_the_action() -> None:
    event = parse(target_topic=None, target_service="tts", payload={"k": 1})
    shown = definition(event)
    assert edit(event, **(shown | {"payload": {"k": 2}})).action == MqttAction(
        "alicia/tts/command", {"k": 2}
    )
    assert edit(event, **(shown | {"target_service": "stt"})).action == MqttAction(
        "alicia/stt/command", {"k": 1}
    )
    assert edit(event, target_topic="x/y").action == MqttAction("x/y", {"k": 1})
    assert edit(event, action={"type": "remind"}).action == RemindAction()


def test_only_a_new_interval_moves_the_anchor() -> None:
    event = parse()
    assert edit(event, name="m").timing.anchor_us == NOW
    assert edit(event, interval_seconds=30).timing.anchor_us == NOW + SECOND
    started = edit(event, interval_seconds=30, start_at=NOW / 1e6 + 5)
    assert started.timing.anchor_us == NOW + 5 * SECOND
    assert edit(event, schedule_type="cron", cron_expression="@daily").timing.anchor_us == NOW


def test_a_past_once_may_still_be_renamed() -> None:
    event = parse(schedule_type="once", run_at=NOW / 1e6 + 1)
    late = update_event(event, {"name": "m"}, now_us=NOW + 10**13, zones=load_zone)
    assert late.name == "m"
