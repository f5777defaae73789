"""One connection without a socket: when it reads, and what it acknowledges."""

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

    def __init__(self) -> None:
        super().__init__()
        self.written: list[bytes] = []

    def pause_reading(self) -> None:
        self.reading = False

    def resume_reading(self) -> None:
        self.reading = True

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written.append(bytes(data))

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


async def test_messages_that_wait_for_one_future_are_acknowledged_together_and_in_order() -> None:
    shared: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    alone: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    outcomes: list[Awaitable[None] | None] = [shared, shared, alone, shared, None]
    transport = _Transport()
    link = Link(
        login=Login("c", None, None, None, 10, 0, 4),
        version=MQTT_311,
        handler=lambda _message: outcomes.pop(0),
        clock=SystemClock(),
        counters=Counters(),
    )
    link.connection_made(transport)
    link.data_received(b"".join(_publish(number) for number in range(1, 6)))
    assert not transport.reading  # four messages wait, though for two futures only
    transport.written.clear()
    shared.set_result(None)
    await _turns(3)
    assert transport.reading
    assert b"".join(transport.written) == _acks(1, 2)
    alone.set_result(None)
    await _turns(3)
    assert b"".join(transport.written) == _acks(1, 2, 3, 4, 5)
    link.connection_lost(None)


async def test_what_is_cancelled_is_not_acknowledged_and_holds_back_what_is_behind() -> None:
    given_up: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    outcomes: list[Awaitable[None] | None] = [None, given_up, given_up, None]
    transport = _Transport()
    link = Link(
        login=Login("c", None, None, None, 10, 0, 9),
        version=MQTT_311,
        handler=lambda _message: outcomes.pop(0),
        clock=SystemClock(),
        counters=Counters(),
    )
    link.connection_made(transport)
    transport.written.clear()
    link.data_received(b"".join(_publish(number) for number in range(1, 5)))
    given_up.cancel()
    await _turns(3)
    assert b"".join(transport.written) == _acks(1)
    link.connection_lost(None)


def _publish(number: int) -> bytes:
    return b"\x32\x06\x00\x01t" + number.to_bytes(2, "big") + b"x"


def _acks(*numbers: int) -> bytes:
    return b"".join(b"\x40\x02" + number.to_bytes(2, "big") for number in numbers)


async def _turns(count: int) -> None:
    for _ in range(count):
        await asyncio.sleep(0)
