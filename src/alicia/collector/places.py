"""What a topic means to the collector (bus.md §2, §6)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from alicia.wire.broker import SYS
from alicia.wire.topics import Topics

RESERVED: Final = frozenset({"alerts", "collect", "summary", "system", "selftest"})
_FLEET: Final = frozenset(
    {"system", "services", "discovery", "monitoring", "health", "devices", "loadbalancer",
     "load_balancer", "voice"}
)  # fmt: skip
_SENSITIVE: Final = frozenset({("system", "config"), ("system", "security")})
# Below these every numeric leaf is a gauge of the service that sent it.
# No services: the poke, and who reports about others or in plain text.
_NO_SERVICES: Final = frozenset({"check", "monitor", "broker"})
_LOAD_BALANCER: Final = "load_balancer"
_DEVICES: Final = "devices"


class Meaning(StrEnum):
    """How a message is treated, by its topic alone."""

    METRICS = "metrics"
    SUMMARY = "summary"  # our own echo: the canary of bus.md D5
    STATUS = "status"  # of the fleet, with numbers that become gauges
    FLEET = "fleet"
    BROKER = "broker"  # its own numbers
    SENSITIVE = "sensitive"  # never read
    OTHER = "other"  # counted; only its sender is noted


@dataclass(frozen=True, slots=True)
class Place:
    """A topic understood.

    ``service`` is the one that the topic names, "" where it names none; ``usual`` is the one that
    is meant where a message does not say who sent it; ``labels`` go to every series. ``devices``:
    what is told is the state of a device, which may be anything.
    """

    meaning: Meaning
    service: str = ""
    usual: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    devices: bool = False
    large: bool = False  # bodies up to the contract's limit, not the bus's


def place_of(topic: str, topics: Topics) -> Place:
    """What a topic means."""
    if topic.startswith(SYS):
        return Place(Meaning.BROKER)
    prefix, _, rest = topic.partition("/")
    parts = rest.split("/")
    if prefix != topics.prefix or not rest:
        return Place(Meaning.OTHER)
    if parts[0] == "metrics":
        return _metrics_place(parts)
    if parts[0] == "config" or tuple(parts[:2]) in _SENSITIVE:
        return Place(Meaning.SENSITIVE)
    told = _status_place(parts)
    if told is not None:
        return told
    if parts[0] in _FLEET:
        return Place(Meaning.FLEET)
    return Place(Meaning.OTHER, large=parts[0] == "scheduler")


def _status_place(parts: list[str]) -> Place | None:
    """A topic below which every numeric leaf is a gauge of the service that sent it."""
    found: Place | None = None
    match parts:
        case ["system", "health" | "status", service] if service not in _NO_SERVICES:
            found = Place(Meaning.STATUS, service)
        case ["health", "status" | "heartbeat" | "update", service] | [
            "services",
            service,
            "status" | "health",
        ]:
            found = Place(Meaning.STATUS, service)
        case ["system", "registry", "status"]:
            found = Place(Meaning.STATUS, usual="device_registry")
        case ["monitoring", *_]:
            found = Place(Meaning.STATUS)
        case ["loadbalancer", "status"] | ["load_balancer", *_]:
            found = Place(Meaning.STATUS, usual=_LOAD_BALANCER)
        case ["loadbalancer", "route", target]:
            found = Place(Meaning.STATUS, usual=_LOAD_BALANCER, labels={"target": target})
        case ["devices", "heartbeat"]:
            found = Place(Meaning.STATUS, usual=_DEVICES, devices=True)
        case ["devices", device, "status" | "state"]:
            found = Place(Meaning.STATUS, usual=_DEVICES, labels={"device": device}, devices=True)
    return found


def _metrics_place(parts: list[str]) -> Place:
    if len(parts) != 2 or not parts[1]:
        return Place(Meaning.OTHER, large=True)
    if parts[1] == "collect":
        return Place(Meaning.METRICS, large=True)
    if parts[1] == "summary":
        return Place(Meaning.SUMMARY, large=True)
    if parts[1] in RESERVED:
        return Place(Meaning.OTHER, large=True)
    return Place(Meaning.METRICS, parts[1], large=True)
