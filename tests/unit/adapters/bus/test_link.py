"""One connection without a socket: when it stops and goes on reading."""

import asyncio
from collections.abc import Awaitable

import pytest

from alicia.adapters.bus.link import Link
from alicia.adapters.bus.packer import MQTT_311, Login
from alicia.adapters.clock import SystemClock
from alicia.base.counters import Counters
from alicia.wire.ports import Message


class _Transport(asyncio.Transport):
    reading = True

    def pause_reading(self) -> None:
        self.reading = False

    def resume_reading(self) -> None:
        self.reading = True

    def write(self, data: bytes | bytearray | memoryview) -> None:
        pass

    def is_closing(self) -> bool:
        return False


@pytest.mark.parametrize(("receive_maximum", "resumes_at"), [(1, 0), (4, 2), (5, 2)])
async def test_reading_stops_at_the_receive_maximum_and_goes_on_at_half(
    receive_maximum: int, resumes_at: int
) -> None:
    gates: list[asyncio.Future[None]] = []

    def hold(_message: Message) -> Awaitable[None]:
        gates.append(asyncio.get_running_loop().create_future())
        return gates[-1]

    login = Login("c", None, None, None, 10, 0, receive_maximum)
    transport = _Transport()
    link = Link(
        login=login, version=MQTT_311, handler=hold, clock=SystemClock(), counters=Counters()
    )
    link.connection_made(transport)
    read_while = []
    while transport.reading:
        read_while.append(len(gates))
        link.data_received(b"\x30\x04\x00\x01tx")
    assert read_while == list(range(receive_maximum))
    for gate in gates[: receive_maximum - resumes_at]:
        assert not transport.reading
        gate.set_result(None)
        await asyncio.sleep(0)  # the callbacks of the future
    assert transport.reading
    link.connection_lost(None)
