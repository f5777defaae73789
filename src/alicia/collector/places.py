"""What a topic means to the collector (bus.md §2, §6)."""

from dataclasses import dataclass
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
_STATUS: Final = frozenset(
    {("system", "status"), ("health", "status"), ("health", "heartbeat"), ("health", "update"),
     ("system", "registry"), ("loadbalancer", "status"), ("loadbalancer", "route")}
)  # fmt: skip
_STATUS_WHOLE: Final = frozenset({"monitoring", "load_balancer"})


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
    """A topic understood; ``service`` is the one that the topic names, "" where it names none."""

    meaning: Meaning
    service: str = ""
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
    if parts[0] in _STATUS_WHOLE or tuple(parts[:2]) in _STATUS:
        return Place(Meaning.STATUS, parts[2] if len(parts) == 3 else "")
    if parts[0] in _FLEET:
        return Place(Meaning.FLEET)
    return Place(Meaning.OTHER, large=parts[0] == "scheduler")


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
