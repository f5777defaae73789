"""What every bus promises (``wire.ports.Bus``), over each adapter and broker."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable
from pathlib import Path

import pytest
from tests.support.brokers import MOSQUITTO, amqtt, mosquitto
from tests.support.bus_worlds import MemoryWorld, MqttWorld, World

from alicia.base.errors import BadField
from alicia.wire.ports import BusUnavailable, Message, Publication, PublishRefused

NAMES = ["memory", "mosquitto-5", "mosquitto-3.1.1", "amqtt"]


def _world(name: str, folder: Path) -> World:
    if name == "memory":
        return MemoryWorld()
    if name == "amqtt":
        world = MqttWorld(
            amqtt(folder, "pass word"), login="alicia:pass%20word@", option="?version=3.1.1"
        )
        world.redelivers = False
        return world
    if MOSQUITTO is None:
        pytest.skip("needs the mosquitto program")
    return MqttWorld(mosquitto(folder), option="" if name.endswith("5") else "?version=3.1.1")


@pytest.fixture(params=NAMES)
async def world(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[World]:
    made = _world(request.param, tmp_path)
    made.start_broker()
    yield made
    await made.close()
    made.kill_broker()


def _say(text: str, *, topic: str = "alicia/t", **more: object) -> Publication:
    return Publication(topic, text.encode(), **more)  # type: ignore[arg-type]


async def test_a_message_reaches_its_reader_and_the_sender_too(world: World) -> None:
    reader, sender = world.peer("reader"), world.peer("sender")
    await reader.start("alicia/#")
    await sender.start("alicia/t")
    await sender.bus.publish(_say("hello"))
    assert await reader.received(1) == [b"hello"]
    assert await sender.received(1) == [b"hello"]  # canaries need the echo (bus.md §9)
    message = reader.messages[0]
    assert (message.topic, message.qos, message.retained) == ("alicia/t", 1, False)
    assert message.received_ms > 1_700_000_000_000


async def test_what_only_version_5_carries(world: World) -> None:
    peer = world.peer("p")
    await peer.start("alicia/t")
    await peer.bus.publish(
        _say(
            "x",
            expiry_seconds=60,
            response_topic="alicia/reply",
            correlation=b"\x00\xff",
            user_properties=(("fence", "7"), ("fence", "8")),
        )
    )
    await peer.received(1)
    got = peer.messages[0]
    carried = (got.response_topic, got.correlation, got.user_properties)
    if world.version_5:
        assert carried == ("alicia/reply", b"\x00\xff", (("fence", "7"), ("fence", "8")))
    else:
        assert carried == ("", b"", ())


async def test_retained_state_is_told_from_news(world: World) -> None:
    peer = world.peer("p")
    await peer.start()
    await peer.bus.publish(_say("old", retain=True))
    await peer.bus.subscribe(["alicia/#"])
    await peer.received(1)
    await peer.bus.publish(_say("new", retain=True))
    await peer.received(2)
    assert [(m.body, m.retained) for m in peer.messages] == [(b"old", True), (b"new", False)]


async def test_after_unsubscribe_nothing_comes(world: World) -> None:
    peer = world.peer("p")
    await peer.start("alicia/a", "alicia/b")
    await peer.bus.unsubscribe(["alicia/a", "alicia/never"])
    await peer.bus.publish(_say("a", topic="alicia/a"))
    await peer.bus.publish(_say("b", topic="alicia/b"))
    assert await peer.received(1) == [b"b"]


async def test_what_was_unsubscribed_while_away_stays_so(world: World) -> None:
    peer = world.peer("p")
    await peer.start("alicia/a", "alicia/b")
    world.kill_broker()
    await peer.until(lambda: not peer.bus.state.connected)
    await peer.bus.unsubscribe(["alicia/a"])
    world.start_broker()
    await peer.until(lambda: peer.bus.state.connected)
    await peer.bus.publish(_say("a", topic="alicia/a"))
    await peer.bus.publish(_say("b", topic="alicia/b"))
    assert await peer.received(1) == [b"b"]


async def test_two_thousand_at_once_arrive_once_and_in_order(world: World) -> None:
    peer = world.peer("p")
    await peer.start("alicia/#")
    texts = [str(number) for number in range(2000)]
    acks = await asyncio.gather(*(peer.bus.publish(_say(text)) for text in texts))
    assert {ack.reason_code for ack in acks} == {0}
    assert await peer.received(2000) == [text.encode() for text in texts]


@pytest.mark.parametrize("size", [0, 127, 128, 20_000, 3_000_000])
async def test_bodies_of_any_size(world: World, size: int) -> None:
    peer = world.peer("p")
    await peer.start("alicia/#")
    body = bytes(range(256)) * (size // 256) + bytes(size % 256)
    await peer.bus.publish(Publication("alicia/t", body))
    assert await peer.received(1) == [body]


async def test_nobody_listening_is_told_where_the_protocol_can(world: World) -> None:
    peer = world.peer("p")
    await peer.start()
    ack = await peer.bus.publish(_say("x", topic="alicia/nobody"))
    assert ack.no_subscribers is world.version_5


async def test_qos_0_waits_for_no_acknowledgement(world: World) -> None:
    peer = world.peer("p")
    await peer.start("alicia/#")
    assert (await peer.bus.publish(_say("x", qos=0))).reason_code == 0
    assert await peer.received(1) == [b"x"]


async def test_a_refused_message_says_why(world: World) -> None:
    if not world.version_5:
        pytest.skip("MQTT 3.1.1 cannot tell")
    peer = world.peer("p")
    await peer.start()
    with pytest.raises(PublishRefused) as caught:
        await peer.bus.publish(_say("x", topic="forbidden/x"))
    assert caught.value.reason_code == 0x87
    # Mosquitto 2.0.11 hangs up on the packet that follows; then a retry succeeds.
    for _ in range(3):
        with contextlib.suppress(BusUnavailable):
            await peer.bus.publish(_say("again"))
            return
        await peer.until(lambda: not peer.bus.state.connected)
        await peer.until(lambda: peer.bus.state.connected)
    pytest.fail("the bus did not come back")


@pytest.mark.parametrize("topic", ["", "a/+/b", "a/#", "a\x00b"])
async def test_an_impossible_topic_is_refused_here(world: World, topic: str) -> None:
    peer = world.peer("p")
    await peer.start()
    with pytest.raises(BadField, match="topic"):
        await peer.bus.publish(_say("x", topic=topic))
    assert peer.bus.state.connected


async def test_starts_without_a_broker_and_finds_it_later(world: World) -> None:
    world.kill_broker()
    peer = world.peer("p")
    await peer.bus.start(peer._receive, peer._on_state)
    await peer.bus.subscribe(["alicia/#"])
    with pytest.raises(BusUnavailable):
        await peer.bus.publish(_say("x"))
    world.start_broker()
    await peer.until(lambda: peer.bus.state.connected)
    assert peer.bus.state.reconnects == 0
    await peer.bus.publish(_say("y"))
    assert await peer.received(1) == [b"y"]


async def test_reconnects_and_subscribes_again_after_a_killed_broker(world: World) -> None:
    peer = world.peer("p")
    await peer.start("alicia/#")
    world.kill_broker()
    await peer.until(lambda: not peer.bus.state.connected)
    with pytest.raises(BusUnavailable):
        await peer.bus.publish(_say("lost"))
    world.start_broker()
    await peer.until(lambda: peer.bus.state.connected)
    await peer.bus.publish(_say("back"))
    assert await peer.received(1) == [b"back"]
    assert peer.bus.state.reconnects == 1
    assert [s.connected for s in peer.states if s.connected] == [True, True]


async def test_the_will_is_sent_for_the_dead_and_not_for_those_who_leave(world: World) -> None:
    watcher = world.peer("watcher")
    await watcher.start("alicia/will/#")
    dying = world.peer("dying", will=_say("gone", topic="alicia/will/dying"))
    await dying.start()
    await world.cut(dying)
    assert await watcher.received(1) == [b"gone"]
    await dying.until(lambda: dying.bus.state.connected)
    await dying.bus.stop()
    await watcher.bus.publish(_say("end", topic="alicia/will/end"))
    assert await watcher.received(2) == [b"gone", b"end"]


async def test_no_acknowledgement_before_the_handler_is_done(world: World) -> None:
    if not world.redelivers:
        pytest.skip("amqtt sends nothing again: a trial broker, and announced as one")
    peer, sender = world.peer("p"), world.peer("sender")
    gates: list[asyncio.Event] = []

    def slow(_message: Message) -> Awaitable[None]:
        gate = asyncio.Event()
        gates.append(gate)

        async def wait() -> None:
            await gate.wait()

        return wait()

    peer.handle = slow
    await peer.start("alicia/#")
    await sender.start()
    await sender.bus.publish(_say("one"))
    await peer.received(1)
    await world.cut(peer)
    assert await peer.received(2) == [b"one", b"one"]  # the broker still had it
    gates[0].set()  # the first connection is gone: this acknowledges nothing
    gates[1].set()
    await sender.bus.publish(_say("two"))
    await peer.received(3)
    gates[2].set()
    await asyncio.sleep(0.1)  # the PUBACK is on its way to the broker
    await world.cut(peer)
    await peer.until(lambda: peer.bus.state.connected)
    await sender.bus.publish(_say("three"))
    assert await peer.received(4) == [b"one", b"one", b"two", b"three"]


async def test_a_handler_that_raises_loses_only_its_message(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    peer = world.peer("p")

    def fragile(message: Message) -> None:
        if message.body == b"bad":
            raise RuntimeError("a fault of ours")

    peer.handle = fragile
    await peer.start("alicia/#")
    await peer.bus.publish(_say("bad"))
    await peer.bus.publish(_say("good"))
    assert await peer.received(2) == [b"bad", b"good"]
    assert "a message handler failed" in caplog.text


async def test_what_came_meanwhile_is_kept_for_the_session(world: World) -> None:
    peer, sender = world.peer("p"), world.peer("sender")
    await peer.start("alicia/#")
    await sender.start()
    await world.cut(peer)
    if not peer.bus.state.connected:
        await sender.bus.publish(_say("while you were out"))
    await peer.until(lambda: peer.bus.state.connected)
    await sender.bus.publish(_say("now"))
    bodies = await peer.received(1 if isinstance(world, MemoryWorld) else 2)
    assert bodies[-1] == b"now"


async def test_stop_is_safe_twice_and_ends_publishing(world: World) -> None:
    peer = world.peer("p")
    await peer.start()
    await peer.bus.stop()
    await peer.bus.stop()
    assert not peer.bus.state.connected
    with pytest.raises(BusUnavailable):
        await peer.bus.publish(_say("x"))


async def test_the_state_shows_no_password(world: World) -> None:
    peer = world.peer("p")
    await peer.start()
    shown = [f"{state.address} {state.detail}" for state in (*peer.states, peer.bus.state)]
    assert not any("pass" in text for text in shown)
    assert all(state.address == shown[0].split(" ", 1)[0] for state in peer.states)
