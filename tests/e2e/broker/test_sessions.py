"""What a client leaves behind on a real broker: a session for services, nothing for visitors."""

import asyncio
import socket
import struct

import pytest
from tests.support.brokers import MOSQUITTO, BrokerProcess
from tests.support.bus_worlds import Peer

from alicia.adapters.bus.connect import make_bus
from alicia.adapters.clock import SystemClock, SystemRandom
from alicia.adapters.settings import Settings

pytestmark = pytest.mark.skipif(MOSQUITTO is None, reason="needs the mosquitto program")

CLIENT_ID = "visitor"


@pytest.mark.parametrize("version", ["5", "3.1.1"])
@pytest.mark.parametrize(("session_seconds", "kept"), [(3600, True), (0, False)])
async def test_a_session_stays_only_where_it_is_wanted(
    broker: BrokerProcess, version: str, session_seconds: int, kept: bool
) -> None:
    bus = make_bus(
        Settings(),
        client_id=CLIENT_ID,
        will=None,
        clock=SystemClock(),
        random=SystemRandom(),
        default_url=f"mqtt://127.0.0.1:{broker.port}?version={version}",
        session_seconds=session_seconds,
    )
    await Peer(bus).start("alicia/#")
    await bus.stop()
    assert await asyncio.to_thread(session_present, broker.port) is kept


def session_present(port: int) -> bool:
    """Ask by a CONNECT of 3.1.1 without a clean session: CONNACK says whether there is one."""
    keepalive_seconds = 10
    body = b"\x00\x04MQTT\x04" + struct.pack("!BH", 0, keepalive_seconds)
    body += struct.pack("!H", len(CLIENT_ID)) + CLIENT_ID.encode()
    with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        connection.sendall(bytes([0x10, len(body)]) + body)
        connack = connection.recv(4)
    assert connack[:2] == b"\x20\x02"
    assert connack[3] == 0
    return connack[2] == 1
