"""The bus against a broker that takes its time: what changes while an answer is under way."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from tests.support.bus_worlds import Peer
from tests.support.scripted_broker import CONNACK, SlowBroker

from alicia.adapters.bus import packer
from alicia.wire.ports import BusUnavailable, Publication, PublishRefused


@pytest.fixture
async def broker() -> AsyncIterator[SlowBroker]:
    made = SlowBroker()
    yield made
    await made.close()


async def _connected(broker: SlowBroker) -> Peer:
    peer = await broker.open()
    (await broker.next("CONNECT")).answer()
    await peer.until(lambda: peer.bus.state.connected)
    return peer


async def test_a_filter_added_during_the_first_subscribe_is_asked_for_too(
    broker: SlowBroker,
) -> None:
    peer = await broker.open()
    await peer.bus.subscribe(["early"])
    (await broker.next("CONNECT")).answer()
    first = await broker.next("SUBSCRIBE")
    await peer.bus.subscribe(["late"])
    first.answer()
    second = await broker.next("SUBSCRIBE")
    assert (first.filters, second.filters) == (["early"], ["late"])
    assert not peer.bus.state.connected  # which says that all filters are known
    second.answer()
    await peer.until(lambda: peer.bus.state.connected)


async def test_a_filter_dropped_during_its_subscribe_is_given_back(broker: SlowBroker) -> None:
    peer = await _connected(broker)
    adding = asyncio.create_task(peer.bus.subscribe(["a"]))
    subscribe = await broker.next("SUBSCRIBE")
    dropping = asyncio.create_task(peer.bus.unsubscribe(["a"]))
    await asyncio.sleep(0)
    subscribe.answer()
    unsubscribe = await broker.next("UNSUBSCRIBE")
    assert unsubscribe.filters == ["a"]
    unsubscribe.answer()
    await asyncio.gather(adding, dropping)


async def test_a_filter_wanted_again_during_its_unsubscribe_is_asked_for_anew(
    broker: SlowBroker,
) -> None:
    peer = await _connected(broker)
    adding = asyncio.create_task(peer.bus.subscribe(["a"]))
    (await broker.next("SUBSCRIBE")).answer()
    await adding
    dropping = asyncio.create_task(peer.bus.unsubscribe(["a"]))
    unsubscribe = await broker.next("UNSUBSCRIBE")
    again = asyncio.create_task(peer.bus.subscribe(["a"]))
    await asyncio.sleep(0)
    unsubscribe.answer()
    anew = await broker.next("SUBSCRIBE")
    assert anew.filters == ["a"]
    assert not again.done()
    anew.answer()
    await asyncio.gather(dropping, again)


async def test_a_caller_that_gives_up_waiting_leaves_its_filters_behind(
    broker: SlowBroker,
) -> None:
    peer = await _connected(broker)
    names = [f"{number:02}" for number in range(20)]
    adding = asyncio.create_task(peer.bus.subscribe(["a"]))
    first = await broker.next("SUBSCRIBE")
    impatient = asyncio.create_task(peer.bus.subscribe(names))
    await asyncio.sleep(0)
    impatient.cancel()
    first.answer()
    second = await broker.next("SUBSCRIBE")
    assert second.filters == names
    second.answer()
    await adding


async def test_a_refused_filter_is_shown_until_it_is_dropped(broker: SlowBroker) -> None:
    peer = await _connected(broker)
    adding = asyncio.create_task(peer.bus.subscribe(["secret"]))
    (await broker.next("SUBSCRIBE")).answer(0x87)
    await adding
    assert peer.bus.state.detail.endswith("; not allowed to read secret")
    await peer.bus.unsubscribe(["secret"])
    assert "not allowed" not in peer.bus.state.detail


async def test_stop_during_the_handshake_says_good_bye_and_hangs_up(broker: SlowBroker) -> None:
    peer = await broker.open()
    connect = await broker.next("CONNECT")
    await peer.bus.stop()
    connect.answer()
    connect.send(b"\x30\x05\x00\x01t\x00x")
    await broker.next("DISCONNECT")
    async with asyncio.timeout(10):
        await broker.hung_up.wait()
    assert peer.messages == []
    assert not peer.bus.state.connected


async def test_a_subscribe_under_way_ends_with_the_bus(broker: SlowBroker) -> None:
    peer = await _connected(broker)
    adding = asyncio.create_task(peer.bus.subscribe(["a"]))
    await broker.next("SUBSCRIBE")
    await peer.bus.stop()
    await adding
    assert not peer.bus.state.connected


async def test_a_second_connack_ends_the_connection_and_no_sender_waits_for_ever(
    broker: SlowBroker,
) -> None:
    peer = await _connected(broker)
    sending = asyncio.create_task(peer.bus.publish(Publication("t", b"")))
    (await broker.next("PUBLISH")).send(CONNACK)
    with pytest.raises(BusUnavailable, match="broke the protocol: a second CONNACK"):
        await sending


async def test_messages_too_large_for_the_broker_use_up_no_packet_ids(
    broker: SlowBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packer, "_PACKET_IDS", 3)
    peer = await broker.open()
    (await broker.next("CONNECT")).send(b"\x20\x08\x00\x00\x05\x27\x00\x00\x00\x20")  # 32 bytes
    await peer.until(lambda: peer.bus.state.connected)
    for _ in range(3):
        with pytest.raises(PublishRefused, match="the broker at most 32"):
            await peer.bus.publish(Publication("t", bytes(32)))
    sending = asyncio.create_task(peer.bus.publish(Publication("t", b"")))
    small = await broker.next("PUBLISH")
    small.send(b"\x40\x02" + small.data[5:7])
    await sending
