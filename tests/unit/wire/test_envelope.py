"""Envelopes: sealed strictly, opened tolerantly (bus.md §1, §5 T6, T7)."""

import gzip
import json
from typing import Any

import pytest

from alicia.base.limits import BODY_INFLATED_BYTES_MAX
from alicia.wire.envelope import Unwrapped, seal, unwrap
from alicia.wire.rejects import Reject


def _sealed(payload: dict[str, object], **more: Any) -> dict[str, Any]:
    body = seal(payload, source="metrics_collector", message_id="m1", now_ms=1_500, **more)
    decoded: dict[str, Any] = json.loads(body)
    return decoded


def _opened(value: object) -> Unwrapped:
    opened = unwrap(json.dumps(value).encode())
    assert isinstance(opened, Unwrapped)
    return opened


def test_sealing_shows_the_payload_at_both_levels() -> None:
    payload = {"service_name": "metrics_collector", "status": "healthy", "node": "a1"}
    assert _sealed(payload) == {
        "message_id": "m1",
        "timestamp": 1.5,
        "source": "metrics_collector",
        "destination": None,
        "message_type": "event",
        "priority": "normal",
        "ttl": 300,
        "routing": {"hops": 0, "max_hops": 10},
        "payload": payload,
        **payload,
    }


def test_on_a_clash_the_envelope_wins_outside_and_the_payload_stays_whole() -> None:
    sealed = _sealed({"source": "device", "timestamp": 7, "payload": {"a": 1}}, hops=3)
    assert (sealed["source"], sealed["timestamp"]) == ("metrics_collector", 1.5)
    assert sealed["payload"] == {"source": "device", "timestamp": 7, "payload": {"a": 1}}
    assert sealed["routing"]["hops"] == 3


def test_a_sealed_message_opens_to_its_payload() -> None:
    body = seal({"event_id": "e7", "payload": {"x": 1}}, source="s", message_id="m", now_ms=0)
    opened = unwrap(body)
    assert isinstance(opened, Unwrapped)
    assert opened.value == {"event_id": "e7", "payload": {"x": 1}, "timestamp": 0.0}
    assert opened[1:] == ("s", "m", "event", 0)


def test_twice_wrapped_the_outer_identity_and_the_inner_type_count() -> None:
    inner = {
        "message_id": "stt_response_ab12cd34",
        "message_type": "response",
        "payload": {"session_id": "s1"},
    }
    opened = _opened(
        {
            "message_id": "7c3e",
            "source": "stt_service",
            "message_type": "event",
            "timestamp": 5,
            "confidence": 0.9,
            "routing": {"hops": 2},
            "payload": inner,
        }
    )
    assert opened == Unwrapped(
        {"session_id": "s1", "timestamp": 5, "confidence": 0.9},
        source="stt_service",
        message_id="7c3e",
        message_type="response",
        hops=2,
    )


def test_inner_keys_win_over_outer_ones() -> None:
    opened = _opened({"source": "a", "status": "old", "payload": {"status": "new"}})
    assert opened.value == {"status": "new"}


def test_goes_in_at_most_four_levels() -> None:
    value: dict[str, object] = {"source": "level6", "payload": {"end": True}}
    for level in range(5, 0, -1):
        value = {"source": f"level{level}", "payload": value}
    opened = _opened(value)
    assert opened.source == "level1"
    assert opened.value == {
        "source": "level5",
        "payload": {"source": "level6", "payload": {"end": True}},
    }


@pytest.mark.parametrize(
    "value",
    [
        {"payload": {"a": 1}},
        {"source": "s", "payload": "text"},
        {"source": "s", "payload": None},
        {"service_name": "s", "metrics": []},
    ],
)
def test_what_is_no_envelope_stays_as_it_is(value: dict[str, object]) -> None:
    assert _opened(value).value == value


def test_identity_without_an_envelope_is_found_too() -> None:
    opened = _opened({"source": "sonos", "message_id": 17, "status": "ok"})
    assert (opened.source, opened.message_id) == ("sonos", "17")


@pytest.mark.parametrize("routing", [None, [], {"hops": "x"}, {"hops": -4}, {"hops": 1.5}])
def test_odd_routing_is_no_hops(routing: object) -> None:
    assert _opened({"source": "s", "routing": routing, "payload": {}}).hops == 0


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b"[1,2]", [1, 2]),
        (b"42.5", 42.5),
        (b'"online"', "online"),
        (b"online", "online"),
        (b" offline\n", "offline"),
        (b"NaN", "NaN"),
        (b"", None),
        (gzip.compress(b'{"a":1}', mtime=0), {"a": 1}),
    ],
)
def test_bare_values(body: bytes, value: object) -> None:
    assert unwrap(body) == Unwrapped(value)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b'{"a":', "bad_json"),
        (b"[1,]", "bad_json"),
        (b'"open', "bad_json"),
        (b"\x00\x01", "bad_json"),
        (b"  ", "bad_json"),
        (b"\xff\xfe", "bad_utf8"),
        (b"[" * 33 + b"]" * 33, "too_deep"),
        (gzip.compress(b"{}", mtime=0)[:-9], "bad_gzip"),
        (b"\x1f\x8bgarbage", "bad_gzip"),
        (gzip.compress(b" " * (BODY_INFLATED_BYTES_MAX + 1), mtime=0), "bad_gzip"),
    ],
)
def test_broken_bodies_become_rejects(body: bytes, code: str) -> None:
    reject = unwrap(body, index=3)
    assert isinstance(reject, Reject)
    assert (reject.index, reject.code) == (3, code)
