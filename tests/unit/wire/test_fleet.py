import json
from typing import Any

import pytest

from alicia.base.sighting import Sighting
from alicia.wire.envelope import Unwrapped, unwrap
from alicia.wire.fleet import decode_sightings, health_sighting, polled_name
from alicia.wire.ports import Message
from alicia.wire.topics import Topics

NOW = 1_795_425_240_000
TOPICS = Topics()


def sightings(topic: str, body: object, *, retained: bool = False) -> tuple[Sighting, ...]:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    opened = unwrap(raw)
    assert isinstance(opened, Unwrapped)
    message = Message(f"alicia/{topic}", raw, retained=retained)
    return decode_sightings(message, opened, topics=TOPICS, received_ms=NOW)


def sealed(source: str, payload: dict[str, Any]) -> dict[str, Any]:
    return {"message_id": "m", "source": source, "message_type": "event", "payload": payload}


# topic | body | what is said: kind, service, status
MEANINGS: list[tuple[str, object, list[tuple[str, str, str]]]] = [
    ("system/health/stt_service", {"status": "healthy"}, [("health", "stt_service", "healthy")]),
    ("system/health/x", {"service_name": "Alicia-STT-Service"}, [("health", "stt_service", "")]),
    ("system/health/broker", b"online", [("health", "broker", "online")]),
    ("system/health/check", {"service_name": "health_monitor", "status": "ok"}, []),
    ("system/health/monitor", {"status": "ok"}, []),
    ("system/health/monitor/status", sealed("health_monitor", {"status": "critical"}),
     [("health", "health_monitor", "")]),
    ("system/health/monitor/alerts", {"service_name": "x"}, []),
    ("system/discovery/register", {"service_name": "a", "status": "online"},
     [("register", "a", "online")]),
    ("system/discovery/register", sealed("a", {"service_name": "a"}), [("register", "a", "")]),
    ("system/discovery/registered", sealed("discovery_service", {"service_name": "a"}),
     [("hearsay", "a", ""), ("chatter", "discovery_service", "")]),
    ("system/discovery/unregister", {"service_name": "a"}, [("unregister", "a", "")]),
    ("system/discovery/register", {"device_id": "lamp.1", "service_name": "a"}, []),
    ("system/discovery/heartbeat", {"service_name": "a"}, [("chatter", "a", "")]),
    ("system/discovery/nonsense", {"service_name": "a"}, []),
    ("services/register", {"service_name": "a"}, [("register", "a", "")]),
    ("services/deregister", {"service_name": "a"}, [("unregister", "a", "")]),
    ("services/a/health", {"status": "degraded"}, [("health", "a", "degraded")]),
    ("services/a/status", {"status": "maintenance"}, [("health", "a", "maintenance")]),
    ("services/a/status", {"load": 3}, [("chatter", "a", "")]),
    ("discovery/service/found", {"service_name": "a"}, [("hearsay", "a", "")]),
    ("health/heartbeat/a", {"status": "ok"}, [("health", "a", "ok")]),
    ("metrics/collect", {"service_name": "a", "metrics": []}, [("metrics", "a", "")]),
    ("metrics/a", sealed("a", {"x": 1}), [("metrics", "a", "")]),
    ("metrics/collect", sealed("b", {"service_name": "a", "metrics": []}),
     [("hearsay", "a", ""), ("metrics", "b", "")]),
    ("voice/stt/request", sealed("stt_service", {"x": 1}), [("chatter", "stt_service", "")]),
    ("voice/stt/request", {"x": 1}, []),
    ("system/health/a", sealed("b", {"service_name": "a", "status": "down"}),
     [("hearsay", "a", "down"), ("chatter", "b", "")]),
    ("system/health/a", b"[1,2]", [("health", "a", "")]),
    ("system/health/a", {"service_name": ["x"], "status": {"y": 1}}, [("health", "a", "")]),
    ("system/discovery/register", {"service_name": "a/b"}, []),
    ("system/discovery/register", {"service_name": "x" * 300}, []),
]  # fmt: skip


@pytest.mark.parametrize(("topic", "body", "said"), MEANINGS)
def test_meanings(topic: str, body: object, said: list[tuple[str, str, str]]) -> None:
    found = [(r.kind.value, r.service, r.status) for r in sightings(topic, body)]
    assert found == said


def test_another_prefix_is_not_ours() -> None:
    message = Message("other/system/health/a", b"{}")
    assert decode_sightings(message, Unwrapped({}), topics=TOPICS, received_ms=NOW) == ()


def test_facts_of_a_registration() -> None:
    [sighting] = sightings(
        "system/discovery/register",
        {
            "service_name": "a", "instance_id": "a-1", "version": "1.2",
            "timestamp": NOW / 1000 - 9,
            "capabilities": ["x", {"name": "y"}, {"z": 1}, 7], "ip_address": "192.168.1.5",
            "port": 8001,
        },
    )  # fmt: skip
    assert sighting == Sighting(
        kind=sighting.kind, service="a", instance="a-1", at_ms=NOW, started_ms=NOW - 9000,
        version="1.2", capabilities=("x", "y"), address="192.168.1.5:8001",
    )  # fmt: skip


def test_uptime_says_when_a_service_began() -> None:
    [sighting] = sightings("system/health/a", {"uptime": "12.5", "timestamp": 1})
    assert (sighting.started_ms, sighting.start_is_sure) == (NOW - 12_500, True)
    [sighting] = sightings("system/health/a", {"uptime": -4})
    assert sighting.started_ms is None
    [sighting] = sightings("system/discovery/register", {"service_name": "a", "timestamp": 5})
    assert sighting.started_ms == NOW  # a clock that is plainly wrong


@pytest.mark.parametrize(
    ("host", "port", "address"),
    [("127.0.0.1", 80, "127.0.0.1:80"), ("::1", 80, "[::1]:80"), ("10.1.2.3", 1, "10.1.2.3:1"),
     ("8.8.8.8", 80, ""), ("169.254.169.254", 80, ""), ("example.org", 80, ""),
     ("127.0.0.1", "80", ""), ("127.0.0.1", True, ""), ("127.0.0.1", 0, ""),
     ("127.0.0.1", 70_000, ""), (None, 80, "")],
)  # fmt: skip
def test_only_local_addresses_are_believed(host: object, port: object, address: str) -> None:
    [sighting] = sightings(
        "services/register", {"service_name": "a", "ip_address": host, "port": port}
    )
    assert sighting.address == address


def test_retained_messages_are_marked_and_prove_no_sender() -> None:
    [sighting] = sightings("system/health/a", sealed("b", {"status": "ok"}), retained=True)
    assert (sighting.kind.value, sighting.retained) == ("hearsay", True)


def test_an_answer_over_http() -> None:
    body = {"service": "STT-Service", "status": "healthy", "uptime": 5}
    sighting = health_sighting(body, service="stt_service", instance="i", received_ms=NOW)
    assert (sighting.kind.value, sighting.instance, sighting.status) == ("health", "i", "healthy")
    assert polled_name(body) == "stt_service"
    assert polled_name({"service": 7}) == ""
