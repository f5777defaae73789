"""Commands, triggers and reports in every dress the fleet sends them in."""

import gzip
import json

import pytest

from alicia.wire.commands import (
    Command,
    Outcome,
    Report,
    Trigger,
    Verb,
    decode_command,
    decode_report,
    decode_trigger,
)
from alicia.wire.ports import Message
from alicia.wire.rejects import Reject


def message(value: object, **fields: object) -> Message:
    return Message("t", value if isinstance(value, bytes) else json.dumps(value).encode(), **fields)  # type: ignore[arg-type]


def enveloped(payload: object, **fields: object) -> dict[str, object]:
    base = {"message_id": "m1", "source": "web", "message_type": "command", "payload": payload}
    return {**base, **fields}


@pytest.mark.parametrize(
    ("word", "verb"),
    [
        ("create_event", Verb.CREATE),
        ("create", Verb.CREATE),
        (" Update_Event ", Verb.UPDATE),
        ("delete", Verb.CANCEL),
        ("pause", Verb.PAUSE),
        ("resume_event", Verb.RESUME),
        ("trigger_event", Verb.TRIGGER),
    ],
)
def test_a_command_has_a_long_and_a_short_name(word: str, verb: Verb) -> None:
    got = decode_command(message({"command": word, "event_id": "e"}))
    assert isinstance(got, Command)
    assert got.verb is verb


def test_a_command_in_two_envelopes_is_read() -> None:
    inner = {"command": "create_event", "event": {"name": "x"}, "reply_to": "a/b"}
    got = decode_command(message(enveloped(enveloped(inner), routing={"hops": 2})))
    assert got == Command(Verb.CREATE, "", {"name": "x"}, None, None, "a/b", b"", "m1", "web", 2)


@pytest.mark.parametrize("more", [{}, {"message_id": "m", "source": "web"}])
def test_a_command_to_trigger_brings_the_payload_of_its_run(more: dict[str, object]) -> None:
    body = {"command": "trigger_event", "event_id": "e", "payload": {"level": 5}}
    got = decode_command(message(body | more))
    assert isinstance(got, Command)
    assert got.payload == {"level": 5}


def test_the_response_topic_of_mqtt_5_wins_over_reply_to() -> None:
    got = decode_command(
        message(
            {"command": "pause", "event_id": 7, "reply_to": "a/b"},
            response_topic="c/d",
            correlation=b"\x01",
        )
    )
    assert isinstance(got, Command)
    assert (got.event_id, got.reply_to, got.correlation) == ("7", "c/d", b"\x01")


def test_the_event_may_carry_its_own_id() -> None:
    got = decode_command(message({"command": "update", "event": {"event_id": "e9"}}))
    assert isinstance(got, Command)
    assert got.event_id == "e9"


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ({"command": "explode"}, "unknown_command"),
        ({"command": 5}, "unknown_command"),
        ({}, "unknown_command"),
        ({"command": "create", "event": [1]}, "bad_event"),
        ({"command": "pause"}, "missing_event_id"),
        ({"command": "pause", "event_id": {"a": 1}}, "missing_event_id"),
        ({"command": "pause", "event_id": "x" * 300}, "missing_event_id"),
        ({"command": "trigger", "event_id": "e", "payload": [1]}, "bad_payload"),
        ([1, 2], "not_an_object"),
        ("text", "not_an_object"),
        (b"", "not_an_object"),
        (b"\xff\xfe{", "bad_utf8"),
        (b'{"command":', "bad_json"),
        (b'{"a":' * 40 + b"1" + b"}" * 40, "too_deep"),
    ],
)
def test_what_is_no_command_is_a_reject(value: object, code: str) -> None:
    got = decode_command(message(value))
    assert isinstance(got, Reject)
    assert got.code == code


def test_a_trigger_with_its_own_message_id_and_payload_is_no_envelope() -> None:
    got = decode_trigger(message({"event_id": "e", "payload": {"a": 1}, "message_id": "m"}))
    assert got == Trigger("e", "", {"a": 1}, "m", "", 0)


def test_a_trigger_in_an_envelope_in_both_views_is_read_inside() -> None:
    inner = {"name": "lights", "payload": {"b": 2}}
    got = decode_trigger(message({**inner, **enveloped(inner)}))
    assert got == Trigger("", "lights", {"b": 2}, "m1", "web", 0)


def test_a_gzipped_trigger_is_read() -> None:
    got = decode_trigger(message(gzip.compress(b'{"event_id":"e"}')))
    assert isinstance(got, Trigger)


@pytest.mark.parametrize(
    ("value", "code"),
    [({}, "missing_event_id"), ({"event_id": "e", "payload": 3}, "bad_payload")],
)
def test_a_bad_trigger_is_a_reject(value: object, code: str) -> None:
    got = decode_trigger(message(value))
    assert isinstance(got, Reject)
    assert got.code == code


@pytest.mark.parametrize(
    ("value", "outcome"),
    [
        ({"status": "completed"}, Outcome.COMPLETED),
        ({"status": "OK"}, Outcome.COMPLETED),
        ({"status": "error"}, Outcome.FAILED),
        ({"status": "in_progress"}, Outcome.PROGRESS),
        ({"success": False}, Outcome.FAILED),
        ({"success": True}, Outcome.COMPLETED),
        ({"progress": 0.5}, Outcome.PROGRESS),
        ({"event_type": "execution_complete"}, Outcome.COMPLETED),
    ],
)
def test_many_words_say_one_outcome(value: dict[str, object], outcome: Outcome) -> None:
    got = decode_report(
        message(enveloped({"execution_id": "x", **value})), own_source="event_scheduler"
    )
    assert isinstance(got, Report)
    assert (got.execution_id, got.outcome) == ("x", outcome)


def test_the_execution_may_be_named_by_the_correlation_alone() -> None:
    got = decode_report(
        message({"status": "failed", "error": 5}, correlation=b"x9"), own_source="event_scheduler"
    )
    assert got == Report("x9", Outcome.FAILED, None, "5", "")


@pytest.mark.parametrize(
    "value",
    [
        {"event_type": "door_opened", "execution_id": "x", "status": "ok"},
        {"status": "ok"},
    ],
)
def test_other_events_are_no_reports(value: object) -> None:
    assert decode_report(message(value, correlation=b"\xff"), own_source="event_scheduler") is None


def test_our_own_status_messages_are_no_reports() -> None:
    body = enveloped({"execution_id": "x", "status": "pending"}, source="event_scheduler")
    assert decode_report(message(body), own_source="event_scheduler") is None


def test_a_report_with_an_unknown_status_is_a_reject() -> None:
    got = decode_report(
        message({"execution_id": "x", "status": "perhaps"}), own_source="event_scheduler"
    )
    assert isinstance(got, Reject)
    assert got.code == "bad_status"
