"""What of events and executions is never shown, and how it comes back."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from alicia.adapters.zones import load_zone
from alicia.base.errors import BadField
from alicia.scheduler.secrets import (
    check_unmasked,
    masked,
    shown_event,
    shown_execution,
    unmasked,
)
from alicia.scheduling.definition import definition
from alicia.scheduling.event import Event
from alicia.scheduling.execution import Execution, Origin
from alicia.scheduling.parse import parse_event, update_event

NOW = 1_795_600_000_000_000
URL = "https://host/x?token=hush1&room=hall"
HTTP = {
    "type": "http", "url": URL, "headers": {"X-Api-Key": "hush2", "X-Room": "hall"},
    "body": {"logins": [{"password": "hush3", "pin": 5}], "credentials": {"user": "hush4", "n": 7}},
}  # fmt: skip
MQTT = {"type": "mqtt", "topic": "a/b", "message": {"on": True, "cookie": "hush5", "token": ""}}
TRIGGERS = [{"topic": "a/b", "match": {"secret": "hush6", "state": "on"}}]


def event_of(action: Mapping[str, Any]) -> Event:
    body = {"name": "n", "schedule_type": "interval", "interval_seconds": 60,
            "triggers": TRIGGERS, "action": action}  # fmt: skip
    return parse_event(body, now_us=NOW, default_zone="UTC", event_id="e", zones=load_zone)


@pytest.mark.parametrize("action", [HTTP, MQTT])
def test_what_is_shown_holds_no_secret_and_can_be_sent_back(action: dict[str, Any]) -> None:
    event = event_of(action)
    shown = shown_event(definition(event))
    assert "hush" not in json.dumps(shown)
    patch = unmasked({**shown, "name": "m"}, event)
    edited = update_event(event, patch, now_us=NOW + 1, zones=load_zone)
    assert (edited.action, edited.triggers, edited.payload) == (
        event.action, event.triggers, event.payload,
    )  # fmt: skip
    check_unmasked(edited)


def test_what_is_no_secret_is_shown() -> None:
    action: Any = shown_event(definition(event_of(HTTP)))["action"]
    assert action["headers"]["X-Room"] == "hall"
    assert action["url"].startswith("https://host/x?token=*** (")
    assert action["url"].endswith(")&room=hall")
    assert action["body"]["logins"][0]["pin"] == 5
    assert action["body"]["credentials"]["n"] != 7
    action = shown_event(definition(event_of(MQTT)))["action"]
    assert (action["message"]["on"], action["message"]["token"]) == (True, "")


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("http://user:p@ss@host/a@b", "http://***@host/a@b"),
        ("see http://h/?room=1#token=x", "see http://h/?room=1#token=x"),
        ("what?token=x", "what?token=x"),
        ({"token": None}, {"token": None}),
    ],
)
def test_urls_and_what_looks_like_them(value: object, shown: object) -> None:
    assert masked(value) == shown


def test_a_new_value_beside_a_mask_is_taken() -> None:
    event = event_of(HTTP)
    shown: Any = shown_event(definition(event))
    headers = {**shown["action"]["headers"], "X-Room": "attic"}
    patch: Any = unmasked({"action": {**shown["action"], "headers": headers}}, event)
    assert patch["action"]["headers"] == {"X-Api-Key": "hush2", "X-Room": "attic"}
    body = {"logins": [{"password": "new"}, {"password": "more"}]}
    patch = unmasked({"action": {**shown["action"], "body": body}}, event)
    assert patch["action"]["body"] == body


@pytest.mark.parametrize(
    ("action", "path"),
    [
        ({**HTTP, "headers": {"X-Token": "*** (0a1b2c3d)"}}, ("action", "headers", "X-Token")),
        (
            {**HTTP, "body": {"logins": [{"password": "*** (0a1b2c3d)"}]}},
            ("action", "body", "logins", 0, "password"),
        ),
        ({**MQTT, "message": {"token": "***"}}, ("action", "message", "token")),
    ],
)
def test_a_mask_is_not_stored_as_a_secret(action: dict[str, Any], path: tuple[object, ...]) -> None:
    with pytest.raises(BadField) as caught:
        check_unmasked(event_of(action))
    assert (caught.value.loc, caught.value.reason) == (path, "masked_secret")


def test_an_execution_shows_no_secret_of_its_payload_and_result() -> None:
    execution = Execution(
        execution_id="x", event_id="e", due_us=NOW, origin=Origin.MANUAL, claimed_us=NOW,
        not_before_us=NOW, owner="n", payload={"token": "hush", "room": "hall"},
        result={"session": {"cookies": ["hush"]}, "ok": True},
    )  # fmt: skip
    shown: Any = shown_execution(execution)
    assert "hush" not in json.dumps(shown)
    assert (shown["payload"]["room"], shown["result"]["ok"]) == ("hall", True)
