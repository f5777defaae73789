"""The bus against brokers that misbehave: silent, refusing, forgetful, or speaking nonsense."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from tests.support.scripted_broker import CONNACK, Broker, Script, read_packet

from alicia.adapters.bus import gmqtt, link
from alicia.wire.ports import BusUnavailable, Message, Publication

PROTOCOL_LEVEL_AT = 8  # in CONNECT, for packets shorter than 128 bytes


@pytest.fixture
async def meet() -> AsyncIterator[Callable[[Script], Broker]]:
    brokers: list[Broker] = []

    def make(script: Script) -> Broker:
        brokers.append(Broker(script))
        return brokers[-1]

    yield make
    for broker in brokers:
        await broker.close()


Meet = Callable[[Script], Broker]


async def test_a_port_that_stays_silent_is_given_up(
    meet: Meet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gmqtt, "CONNECT_SECONDS_MAX", 0.1)

    async def silent(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        await reader.read()

    broker = meet(silent)
    peer = await broker.open()
    await peer.until(lambda: "speaks no MQTT: it does not answer" in peer.bus.state.detail)
    assert broker.visits == 2  # version 5, then 3.1.1


@pytest.mark.parametrize("code", [0x01, 0x84])
async def test_a_broker_of_3_1_1_is_spoken_to_in_its_version(meet: Meet, code: int) -> None:
    levels: list[int] = []

    async def old(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connect = await read_packet(reader)
        levels.append(connect[PROTOCOL_LEVEL_AT])
        writer.write(b"\x20\x02\x00" + bytes([code if levels[-1] == 5 else 0]))
        await reader.read()

    peer = await meet(old).open()
    await peer.until(lambda: peer.bus.state.connected)
    assert levels == [5, 4]
    assert peer.bus.state.protocol == 4
    assert "MQTT 3.1.1" in peer.bus.state.detail


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (0x86, "user name or password"),
        (0x87, "not authorised; give MQTT_URL an account"),
        (0x99, "0x99"),
    ],
)
async def test_a_refusal_is_told_in_words_and_tried_again(
    meet: Meet, code: int, words: str
) -> None:
    async def refusing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_packet(reader)
        writer.write(b"\x20\x03\x00" + bytes([code]) + b"\x00")
        await reader.read()

    broker = meet(refusing)
    peer = await broker.open()
    await peer.until(lambda: broker.visits == 2)
    assert words in peer.states[0].detail
    assert "next try in" in peer.states[0].detail


async def test_a_message_that_is_never_acknowledged_ends_the_connection(
    meet: Meet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(link, "UNACKNOWLEDGED_SECONDS_MAX", 0.2)

    async def forgetful(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_packet(reader)
        writer.write(CONNACK)
        while True:
            if (await read_packet(reader))[0] == 0xC0:
                writer.write(b"\xd0\x00")

    peer = await meet(forgetful).open(keepalive_seconds=1)
    await peer.until(lambda: peer.bus.state.connected)
    with pytest.raises(BusUnavailable, match="did not acknowledge"):
        await peer.bus.publish(Publication("t", b""))
    await peer.until(lambda: len([s for s in peer.states if s.connected]) == 2)
    assert [s.connected for s in peer.states] == [True, False, True]


async def test_a_dead_broker_is_noticed_by_its_silence(meet: Meet) -> None:
    async def dying(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_packet(reader)
        writer.write(CONNACK)
        await reader.read()

    peer = await meet(dying).open(keepalive_seconds=1)
    await peer.until(lambda: peer.bus.state.connected)
    await peer.until(lambda: len(peer.states) >= 2)
    assert not peer.states[1].connected
    assert peer.states[1].detail.startswith("the broker was silent for ")


async def test_the_receive_maximum_of_one_is_obeyed(meet: Meet) -> None:
    ahead = []

    async def narrow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_packet(reader)
        writer.write(b"\x20\x06\x00\x00\x03\x21\x00\x01")
        while True:
            packet = await read_packet(reader)
            try:  # whoever sends two has the second on its way by now
                async with asyncio.timeout(0.05):
                    await reader.readexactly(1)
                ahead.append(packet)
            except TimeoutError:
                writer.write(b"\x40\x02" + packet[5:7])

    peer = await meet(narrow).open()
    await peer.until(lambda: peer.bus.state.connected)
    await asyncio.gather(*(peer.bus.publish(Publication("t", b"")) for _ in range(5)))
    assert ahead == []


async def test_limits_of_connack_are_obeyed(meet: Meet) -> None:
    seen: list[bytes] = []

    async def plain(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_packet(reader)
        writer.write(b"\x20\x07\x00\x00\x04\x24\x00\x25\x00")  # QoS 0, no retain
        while True:
            seen.append(await read_packet(reader))
            writer.write(b"\x30\x04\x00\x01t\x00")

    peer = await meet(plain).open()
    await peer.until(lambda: peer.bus.state.connected)
    await peer.bus.publish(Publication("t", b"", qos=1, retain=True))
    await peer.received(1)
    assert [packet[0] for packet in seen] == [0x30]


@pytest.mark.parametrize(
    "nonsense", [b"\x30\xff\xff\xff\xff\xff", b"\x34\x05\x00\x01a\x00\x01", b"\x10\x00"]
)
async def test_nonsense_ends_the_connection_and_not_the_bus(meet: Meet, nonsense: bytes) -> None:
    async def mad(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_packet(reader)
        writer.write(CONNACK + nonsense)
        await reader.read()

    broker = meet(mad)
    peer = await broker.open()
    await peer.until(lambda: broker.visits == 2)
    assert any("broke the protocol" in state.detail for state in peer.states)


async def test_reading_pauses_while_too_many_handlers_work(meet: Meet) -> None:
    open_gate = asyncio.Event()

    async def flooding(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_packet(reader)
        writer.write(CONNACK)
        for number in range(100):
            writer.write(b"\x30\x05\x00\x01t\x00" + bytes([number]))
            await writer.drain()
            await asyncio.sleep(0)
        await reader.read()

    broker = meet(flooding)
    peer = await broker.open(receive_maximum=10)

    def slow(_message: Message) -> Awaitable[None]:
        async def wait() -> None:
            await open_gate.wait()

        return wait()

    peer.handle = slow
    await peer.received(10)
    await asyncio.sleep(0.2)  # nothing tells that reading has stopped
    assert len(peer.messages) < 100
    open_gate.set()
    bodies = await peer.received(100)
    assert bodies == [bytes([number]) for number in range(100)]


async def test_the_reason_of_a_disconnect_is_shown(meet: Meet) -> None:
    async def closing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_packet(reader)
        writer.write(CONNACK + b"\xe0\x02\x8e\x00")

    peer = await meet(closing).open()
    await peer.until(lambda: len(peer.states) >= 1 and not peer.states[-1].connected)
    assert "the broker closed the connection, reason 0x8e" in peer.states[-1].detail
