"""Who listens on a port: an MQTT broker, something else, or nobody."""

import secrets
import socket
import struct
from dataclasses import dataclass
from enum import Enum
from typing import Final

_SECONDS_MAX: Final = 2.0
_CONNACK: Final = 0x20
_CONNACK_BYTES: Final = 4


class Answer(Enum):
    """What came back on a CONNECT."""

    NOBODY = "nobody"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    FOREIGN = "foreign"  # it listens, but a CONNACK did not come


@dataclass(frozen=True, slots=True)
class Probe:
    """The answer, and CONNACK's reason code where there is one."""

    answer: Answer
    code: int = 0


def probe_broker(host: str, port: int) -> Probe:
    """Ask by a CONNECT of MQTT 3.1.1, which every broker at least answers; takes at most 4 s."""
    try:
        connection = socket.create_connection((host, port), timeout=_SECONDS_MAX)
    except OSError:
        return Probe(Answer.NOBODY)
    with connection:
        connection.settimeout(_SECONDS_MAX)
        try:
            connection.sendall(_connect_packet(f"alicia-probe-{secrets.token_hex(4)}"))
            reply = _receive(connection)
            if reply[:1] == bytes([_CONNACK]) and len(reply) == _CONNACK_BYTES:
                connection.sendall(b"\xe0\x00")  # DISCONNECT
                code = reply[3]
                return Probe(Answer.REFUSED if code else Answer.ACCEPTED, code)
        except OSError:
            pass
        return Probe(Answer.FOREIGN)


def _receive(connection: socket.socket) -> bytes:
    reply = b""
    while len(reply) < _CONNACK_BYTES:
        part = connection.recv(_CONNACK_BYTES - len(reply))
        if not part:
            break
        reply += part
    return reply


def _connect_packet(client_id: str) -> bytes:
    clean_session, keepalive_seconds = 0x02, 10
    body = b"\x00\x04MQTT\x04" + struct.pack("!BH", clean_session, keepalive_seconds)
    body += struct.pack("!H", len(client_id)) + client_id.encode()
    return bytes([0x10, len(body)]) + body
