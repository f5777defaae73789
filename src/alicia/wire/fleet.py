"""What the fleet's messages say about its services; peer data never raises (bus.md §2, §4)."""

import ipaddress
from collections.abc import Container, Mapping
from dataclasses import dataclass, replace
from typing import Final

from alicia.base.sighting import Sight, Sighting
from alicia.wire.envelope import Unwrapped
from alicia.wire.names import FLEET, canonical_service, check_service
from alicia.wire.ports import Message
from alicia.wire.rejects import Refused
from alicia.wire.topics import Topics
from alicia.wire.values import parse_stamp, parse_value, unskewed

_CAPABILITIES_MAX: Final = 50
_TEXT_CHARS_MAX: Final = 64
_UPTIME_SECONDS_MAX: Final = 100 * 365 * 86_400
_MONITOR: Final = "health_monitor"
# Not services: the poke itself, and the monitor that reports about others.
_NO_SERVICES: Final = frozenset({"check", "monitor"})
# Where a peer may have us send a GET: this machine and private networks (security.md §5).
_LOCAL_NETS: Final = tuple(
    ipaddress.ip_network(net)
    for net in ("127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10",
                "::1/128", "fc00::/7")
)  # fmt: skip


# Below these a topic may say more than that its sender lives.
_TELLING: Final = frozenset({"system", "services", "discovery", "health"})


def decode_sightings(
    message: Message,
    opened: Unwrapped,
    *,
    topics: Topics,
    received_ms: int,
    registered: Container[str] = FLEET,
) -> tuple[Sighting, ...]:
    """All that a message says about services: its sender lives, and what its topic means.

    ``registered``: names whose spelling is known, for T9.
    """
    body = opened.value if isinstance(opened.value, dict) else {}
    said = _by_topic(message.topic, opened.value, body, topics)
    sender = _name(opened.source, registered)
    subject = _name(said.service, registered) if said else ""
    found = []
    if said and subject:
        sighting = _filled(said, subject, body, received_ms, retained=message.retained)
        # Others tell about a service too; only its own word is a sign of life.
        by_other = sender not in ("", subject)
        found.append(replace(sighting, kind=Sight.HEARSAY) if by_other else sighting)
    if sender and sender != subject and not message.retained:
        instance = _instance(body, sender) if not subject else sender
        kind = Sight.METRICS if _is_metrics(message.topic) else Sight.CHATTER
        found.append(Sighting(kind, sender, instance, received_ms))
    return tuple(found)


def chatterer(message: Message, opened: Unwrapped) -> str:
    """Who sent a message that says nothing but that its sender lives; "" for all others.

    Cheap, because nearly all messages are of this kind. The name is as sent.
    """
    _, _, rest = message.topic.partition("/")
    if rest.partition("/")[0] in _TELLING:
        return ""
    if opened.source or not isinstance(opened.value, dict):
        return opened.source
    return _own_name(opened.value)


def _is_metrics(topic: str) -> bool:
    return topic.partition("/")[2].startswith("metrics/")


@dataclass(frozen=True, slots=True)
class _Said:
    kind: Sight
    service: str
    status: str


def _by_topic(
    topic: str, value: object, body: Mapping[str, object], topics: Topics
) -> _Said | None:
    prefix, _, rest = topic.partition("/")
    if prefix != topics.prefix:
        return None
    match rest.split("/"):
        case (
            ["system", "health" | "status", service]
            | ["health", "status" | "heartbeat" | "update", service]
            | ["services", service, "health"]
        ):
            return None if service in _NO_SERVICES else _health(service, value, body)
        case ["system", "health", "monitor", "status"]:
            # The state of the fleet, as one sees it who does not answer the poke.
            return _Said(Sight.HEALTH, _MONITOR, "")
        case ["services", service, "status"]:
            said = _health(service, value, body)
            return said if said.status else replace(said, kind=Sight.CHATTER)
        case ["system", "discovery", word] | ["services", "register" | "deregister" as word] if (
            "device_id" not in body
        ):
            return _discovery(word, body)
        case ["discovery", "service", "found"]:
            return _Said(Sight.HEARSAY, _own_name(body), "")
        case ["metrics", "collect"]:
            return _Said(Sight.METRICS, _own_name(body), "")
    return None


def _health(service: str, value: object, body: Mapping[str, object]) -> _Said:
    return _Said(Sight.HEALTH, _own_name(body) or service, _status(value, body))


_DISCOVERY: Final[Mapping[str, Sight]] = {
    "register": Sight.REGISTER,
    "update": Sight.REGISTER,
    "heartbeat": Sight.CHATTER,
    "registered": Sight.HEARSAY,
    "unregister": Sight.UNREGISTER,
    "deregister": Sight.UNREGISTER,
}


def _discovery(word: str, body: Mapping[str, object]) -> _Said | None:
    kind = _DISCOVERY.get(word)
    return _Said(kind, _own_name(body), _status(None, body)) if kind else None


def _filled(
    said: _Said, service: str, body: Mapping[str, object], received_ms: int, *, retained: bool
) -> Sighting:
    started_ms, sure = _start(said.kind, body, received_ms)
    return Sighting(
        kind=said.kind,
        service=service,
        instance=_instance(body, service),
        at_ms=received_ms,
        status=said.status,
        started_ms=started_ms,
        start_is_sure=sure,
        retained=retained,
        version=_short(body.get("version")),
        capabilities=_capabilities(body.get("capabilities")),
        address=_address(body),
    )


def health_sighting(
    body: Mapping[str, object], *, service: str, instance: str, received_ms: int
) -> Sighting:
    """What the answer to an HTTP poll of ``/health`` says about the service that was asked."""
    said = _health(service, None, body)
    sighting = _filled(said, service, body, received_ms, retained=False)
    return replace(sighting, instance=instance, address="")


def polled_name(body: Mapping[str, object], registered: Container[str] = FLEET) -> str:
    """Who answered a poll, in the registered spelling; "" where the body does not say."""
    return _name(_own_name(body), registered)


def _own_name(body: Mapping[str, object]) -> str:
    for key in ("service_name", "service"):
        name = body.get(key)
        if isinstance(name, str) and name:
            return name
    return ""


def _name(raw: str, registered: Container[str]) -> str:
    try:
        return canonical_service(check_service(raw), registered) if raw else ""
    except Refused:
        return ""


def _status(value: object, body: Mapping[str, object]) -> str:
    if isinstance(value, str):
        return value.strip()[:_TEXT_CHARS_MAX]
    for key in ("status", "health_status", "health", "state"):
        text = body.get(key)
        if isinstance(text, str) and text.strip():
            return text.strip()[:_TEXT_CHARS_MAX]
    return ""


def _instance(body: Mapping[str, object], service: str) -> str:
    """The sender's own instance id; without one the service's name (T4), never a made-up one."""
    raw = body.get("instance_id")
    return _short(raw) or service


def _start(kind: Sight, body: Mapping[str, object], received_ms: int) -> tuple[int | None, bool]:
    for key in ("uptime", "uptime_seconds"):
        if key in body:
            try:
                uptime = parse_value(body[key], field=key)
            except Refused:
                continue
            if 0 <= uptime <= _UPTIME_SECONDS_MAX:
                return received_ms - round(uptime * 1000), True
    if kind is not Sight.REGISTER or "timestamp" not in body:
        return None, False
    try:
        return unskewed(
            parse_stamp(body["timestamp"], received_ms=received_ms), received_ms=received_ms
        ), False
    except Refused:
        return None, False


def _capabilities(raw: object) -> tuple[str, ...]:
    """Names of capabilities, which come as texts or as objects with a ``name``."""
    if not isinstance(raw, list):
        return ()
    names = (item.get("name") if isinstance(item, dict) else item for item in raw)
    return tuple(filter(None, map(_short, names)))[:_CAPABILITIES_MAX]


def _short(raw: object) -> str:
    if not isinstance(raw, str) or not raw.isprintable():
        return ""
    try:
        raw.encode()
    except UnicodeEncodeError:
        return ""
    return raw.strip()[: 4 * _TEXT_CHARS_MAX]


def _address(body: Mapping[str, object]) -> str:
    host, port = body.get("ip_address", body.get("host")), body.get("port")
    if not isinstance(host, str) or isinstance(port, bool) or not isinstance(port, int):
        return ""
    if not 0 < port < 65_536:
        return ""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return ""
    if not any(address in net for net in _LOCAL_NETS):
        return ""
    return f"[{address}]:{port}" if address.version == 6 else f"{address}:{port}"
