"""What a broker sends, as values: MQTT 5 and 3.1.1, pure and without copies of the stream.

gmqtt builds the packets that we send; reading them is ours, because its path costs several
times more per message and drops the reason codes of PUBACK (reliability.md §11).
"""

from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from gmqtt.mqtt.property import PROPERTIES_BY_ID

from alicia.wire.ports import Message

CONNACK: Final = 2
PUBLISH: Final = 3
PUBACK: Final = 4
SUBACK: Final = 9
UNSUBACK: Final = 11
PINGRESP: Final = 13
DISCONNECT: Final = 14
PACKET_BYTES_MAX: Final = 64 * 1024 * 1024 + 128 * 1024  # above every body we accept
PROPERTIES_BYTES_MAX: Final = 16 * 1024  # some 3000 pairs, which the loop has to read at once
_LENGTH_BYTES_MAX: Final = 4
_NUMBER_BYTES: Final = {"!B": 1, "!H": 2, "!L": 4}
_NOTHING: Final[dict[str, list[Any]]] = {}


class ProtocolFault(Exception):
    """The peer broke MQTT's rules; the connection must be closed."""


class Frame(NamedTuple):
    """One packet inside a buffer: its first byte, and where its body begins and ends."""

    first: int
    start: int
    end: int

    @property
    def kind(self) -> int:
        """The packet type, 1 to 15."""
        return self.first >> 4


@dataclass(frozen=True, slots=True)
class Limits:
    """What the broker said in CONNACK; the defaults are those of MQTT 5 §3.2.2.3."""

    receive_maximum: int = 65_535
    qos_max: int = 2
    retain: bool = True
    packet_bytes_max: int | None = None
    keepalive_seconds: int | None = None
    reason: str = ""


def split_frames(data: bytes) -> tuple[list[Frame], int, int]:
    """All whole packets in ``data``, the bytes they take, and the bytes the next one needs.

    Raises:
        ProtocolFault: a length has more than four bytes or exceeds PACKET_BYTES_MAX.
    """
    frames: list[Frame] = []
    at, size = 0, len(data)
    while size - at >= 2:
        length = data[at + 1]
        body = at + 2
        if length > 127:
            length, body = _long_length(data, at + 1)
            if body == 0:
                return frames, at, size - at + 1
        end = body + length
        if end > size:
            return frames, at, end - at
        frames.append(Frame(data[at], body, end))
        at = end
    return frames, at, 2


def _long_length(data: bytes, at: int) -> tuple[int, int]:
    """A length of several bytes and where it ends; (0, 0) where bytes are missing."""
    length = 0
    for i in range(_LENGTH_BYTES_MAX):
        if at + i >= len(data):
            return 0, 0
        length |= (data[at + i] & 127) << 7 * i
        if data[at + i] < 128:
            if length > PACKET_BYTES_MAX:
                raise ProtocolFault(f"a packet of {length} bytes is larger than we take")
            return length, at + i + 1
    raise ProtocolFault("a packet length has more than four bytes")


def parse_publish(data: bytes, frame: Frame, *, v5: bool, now_ms: int) -> tuple[Message, bytes]:
    """The message and the two bytes of its packet id (empty for QoS 0).

    A topic that is no UTF-8 keeps its place with U+FFFD, and properties beyond
    PROPERTIES_BYTES_MAX are left out: closing the connection would bring the same message back.

    Raises:
        ProtocolFault: truncated, or QoS 2, which we never subscribe to.
    """
    first, start, end = frame
    qos = first >> 1 & 3
    at = start + 2 + (data[start] << 8 | data[start + 1]) if end - start >= 2 else end + 1
    body = at + 2 if qos else at
    if body + v5 > end or qos > 1:
        raise ProtocolFault("a truncated PUBLISH, or one of QoS 2")
    topic = data[start + 2 : at].decode("utf-8", "replace")
    properties = _NOTHING
    if v5:
        if data[body]:
            block, body = _block(data, body, end)
            if body - block <= PROPERTIES_BYTES_MAX:
                properties = parse_properties(data, block, body)
        else:
            body += 1
    retained = first & 1 == 1
    packet_id = data[at : at + 2] if qos else b""
    if not properties:
        return Message(topic, data[body:end], retained, now_ms, qos), packet_id
    message = Message(
        topic,
        data[body:end],
        retained,
        now_ms,
        qos,
        response_topic=_first(properties, "response_topic", ""),
        correlation=_first(properties, "correlation_data", b""),
        user_properties=tuple(properties.get("user_property", ())),
    )
    return message, packet_id


def parse_connack(data: bytes, frame: Frame, *, v5: bool) -> tuple[int, Limits]:
    """The reason code of CONNACK and the broker's limits.

    Raises:
        ProtocolFault: truncated, or its properties take more than PROPERTIES_BYTES_MAX.
    """
    if frame.end - frame.start < 2:
        raise ProtocolFault("a truncated CONNACK")
    code = data[frame.start + 1]
    if not v5 or frame.end - frame.start < 3:
        return code, Limits()
    block, end = _block(data, frame.start + 2, frame.end)
    if end - block > PROPERTIES_BYTES_MAX:
        raise ProtocolFault(f"a CONNACK with {end - block} bytes of properties")
    found = parse_properties(data, block, end)
    default = Limits()
    return code, Limits(
        receive_maximum=max(_first(found, "receive_maximum", default.receive_maximum), 1),
        qos_max=_first(found, "max_qos", default.qos_max),
        retain=bool(_first(found, "retain_available", 1)),
        packet_bytes_max=_first(found, "maximum_packet_size", None),
        keepalive_seconds=_first(found, "server_keep_alive", None),
        reason=_first(found, "reason_string", ""),
    )


def parse_ack(data: bytes, frame: Frame) -> tuple[int, int]:
    """Packet id and reason code of a PUBACK; an absent code means success.

    Raises:
        ProtocolFault: truncated.
    Source: MQTT 5 §3.4.2.1.
    """
    size = frame.end - frame.start
    if size < 2:
        raise ProtocolFault("a truncated acknowledgement")
    reason = data[frame.start + 2] if size > 2 else 0
    return data[frame.start] << 8 | data[frame.start + 1], reason


def parse_suback(data: bytes, frame: Frame, *, v5: bool) -> tuple[int, bytes]:
    """Packet id, and one reason code per filter (SUBACK, and UNSUBACK of version 5).

    Raises:
        ProtocolFault: truncated.
    """
    packet_id, _ = parse_ack(data, frame)
    at = frame.start + 2
    if v5:
        _, at = _block(data, at, frame.end)  # texts about it, for nobody
    return packet_id, data[at : frame.end]


def _block(data: bytes, at: int, end: int) -> tuple[int, int]:
    """Where the properties of a property block begin and end, which begins at ``at``.

    Raises:
        ProtocolFault: truncated.
    """
    length, start = (data[at], at + 1) if at < end and data[at] < 128 else _long_length(data, at)
    if start == 0 or start + length > end:
        raise ProtocolFault("a truncated property block")
    return start, start + length


def parse_properties(data: bytes, at: int, end: int) -> dict[str, list[Any]]:
    """The properties from ``at`` to ``end``, values by gmqtt's names.

    Raises:
        ProtocolFault: truncated, or a property that MQTT 5 does not know.
    """
    found: dict[str, list[Any]] = {}
    while at < end:
        known = PROPERTIES_BY_ID.get(data[at])
        if known is None:
            raise ProtocolFault(f"an unknown property {data[at]}")
        value, at = _value(data, at + 1, known.bytes_struct)
        if at > end:
            raise ProtocolFault("a broken property block")
        found.setdefault(known.name, []).append(value)
    return found


def _value(data: bytes, at: int, kind: str) -> tuple[Any, int]:
    """One value of a kind of gmqtt's table, and where it ends, perhaps behind the data.

    Source: MQTT 5 §1.5, §2.2.2.2.
    """
    match kind:
        case "u8":
            raw, at = _binary(data, at)
            return raw.decode("utf-8", "replace"), at
        case "u8x2":
            name, at = _binary(data, at)
            text, at = _binary(data, at)
            return (name.decode("utf-8", "replace"), text.decode("utf-8", "replace")), at
        case "b":
            return _binary(data, at)
        case "vbi":
            length, behind = _long_length(data, at)
            return length, behind or len(data) + 1
        case _:
            size = _NUMBER_BYTES[kind]
            return int.from_bytes(data[at : at + size], "big"), at + size


def _binary(data: bytes, at: int) -> tuple[bytes, int]:
    start = at + 2
    end = start + int.from_bytes(data[at:start], "big")
    return data[start:end], end


def _first(found: dict[str, list[Any]], name: str, default: Any) -> Any:
    return found[name][0] if name in found else default
