"""What each topic means."""

import pytest

from alicia.collector.places import Meaning, Place, place_of
from alicia.wire.topics import Topics


@pytest.mark.parametrize(
    ("topic", "meaning", "service"),
    [
        ("alicia/metrics/collect", Meaning.METRICS, ""),
        ("alicia/metrics/stt", Meaning.METRICS, "stt"),
        ("alicia/metrics/summary", Meaning.SUMMARY, ""),
        ("alicia/metrics/system", Meaning.OTHER, ""),
        ("alicia/metrics/alerts", Meaning.OTHER, ""),
        ("alicia/metrics/selftest", Meaning.OTHER, ""),
        ("alicia/metrics/", Meaning.OTHER, ""),
        ("alicia/metrics", Meaning.OTHER, ""),
        ("alicia/metrics/a/b", Meaning.OTHER, ""),
        ("alicia/system/health/stt", Meaning.STATUS, "stt"),
        ("alicia/system/health/check", Meaning.FLEET, ""),
        ("alicia/system/health/broker", Meaning.FLEET, ""),
        ("alicia/system/health/monitor/status", Meaning.FLEET, ""),
        ("alicia/services/stt/health", Meaning.STATUS, "stt"),
        ("alicia/services/stt/control", Meaning.FLEET, ""),
        ("alicia/system/discovery/register", Meaning.FLEET, ""),
        ("alicia/system/status/sonos", Meaning.STATUS, "sonos"),
        ("alicia/health/heartbeat/dev.1", Meaning.STATUS, "dev.1"),
        ("alicia/monitoring/cpu", Meaning.STATUS, ""),
        ("alicia/loadbalancer/status", Meaning.STATUS, ""),
        ("alicia/config/stt", Meaning.SENSITIVE, ""),
        ("alicia/system/config/x", Meaning.SENSITIVE, ""),
        ("alicia/system/security/x", Meaning.SENSITIVE, ""),
        ("alicia/scheduler/events", Meaning.OTHER, ""),
        ("alicia/voice/stt/response", Meaning.FLEET, ""),
        ("alicia", Meaning.OTHER, ""),
        ("alicia/", Meaning.OTHER, ""),
        ("alicianot/metrics/collect", Meaning.OTHER, ""),
        ("$SYS/broker/uptime", Meaning.BROKER, ""),
        ("$SYS", Meaning.OTHER, ""),
    ],
)
def test_topics_are_understood(topic: str, meaning: Meaning, service: str) -> None:
    place = place_of(topic, Topics())
    assert (place.meaning, place.service) == (meaning, service)


def test_metrics_and_scheduler_take_large_bodies() -> None:
    large = [place_of(f"alicia/{rest}", Topics()).large for rest in ("metrics/x", "scheduler/y")]
    assert large == [True, True]
    assert not place_of("alicia/system/status/x", Topics()).large


def test_the_prefix_is_a_setting() -> None:
    assert place_of("home/metrics/x", Topics("home")) == Place(Meaning.METRICS, "x", large=True)


@pytest.mark.parametrize(
    ("rest", "place"),
    [
        ("loadbalancer/status", Place(Meaning.STATUS, usual="load_balancer")),
        ("load_balancer/a/b", Place(Meaning.STATUS, usual="load_balancer")),
        (
            "loadbalancer/route/stt",
            Place(Meaning.STATUS, usual="load_balancer", labels={"target": "stt"}),
        ),
        ("system/registry/status", Place(Meaning.STATUS, usual="device_registry")),
        ("devices/heartbeat", Place(Meaning.STATUS, usual="devices", devices=True)),
        (
            "devices/lamp.1/status",
            Place(Meaning.STATUS, usual="devices", labels={"device": "lamp.1"}, devices=True),
        ),
        ("devices/lamp.1/command", Place(Meaning.FLEET)),
    ],
)
def test_who_is_meant_where_nobody_is_named(rest: str, place: Place) -> None:
    assert place_of(f"alicia/{rest}", Topics()) == place
