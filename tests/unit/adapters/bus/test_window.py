"""Flow control: acknowledgements in order, and a send window that nobody overruns."""

import asyncio

import pytest

from alicia.adapters.bus.window import Acknowledgements, SendWindow
from alicia.wire.ports import Ack, BusUnavailable, PublishRefused


def _ids(*numbers: int) -> bytes:
    return b"".join(b"\x40\x02" + number.to_bytes(2, "big") for number in numbers)


def _two(number: int) -> bytes:
    return number.to_bytes(2, "big")


def test_what_is_done_at_once_leaves_in_one_write() -> None:
    written: list[bytes] = []
    acks = Acknowledgements(written.append)
    for number in (1, 2, 3):
        acks.done(_two(number))
    acks.flush()
    acks.flush()
    assert written == [_ids(1, 2, 3)]


def test_acknowledgements_keep_the_order_of_arrival() -> None:
    written: list[bytes] = []
    acks = Acknowledgements(written.append)
    first, second = acks.hold(_two(1)), acks.hold(_two(2))
    acks.done(_two(3))
    acks.release(second)
    acks.flush()
    assert written == []
    assert len(acks) == 3
    acks.release(first)
    acks.done(_two(4))
    acks.flush()
    assert written == [_ids(1, 2, 3, 4)]
    assert len(acks) == 0


async def test_the_window_holds_back_what_exceeds_it() -> None:
    window = SendWindow(1)
    await window.enter()
    first = window.sent(1, at=5.0)
    waiting = asyncio.ensure_future(window.enter())
    await asyncio.sleep(0)
    assert not waiting.done()
    assert window.oldest() == 5.0
    assert window.settle(1, 0x10)
    await waiting
    assert await first == Ack(0x10)
    assert window.oldest() is None


async def test_a_caller_that_gives_up_keeps_its_place_until_the_puback() -> None:
    window = SendWindow(1)
    await window.enter()
    window.sent(1, at=0).cancel()
    waiting = asyncio.ensure_future(window.enter())
    await asyncio.sleep(0)
    assert not waiting.done()
    assert window.settle(1, 0)
    await waiting


async def test_refusals_and_unknown_ids() -> None:
    window = SendWindow(2)
    await window.enter()
    sent = window.sent(1, at=0)
    assert not window.settle(9, 0)
    window.settle(1, 0x80)
    with pytest.raises(PublishRefused) as caught:
        await sent
    assert caught.value.reason_code == 0x80


async def test_the_end_of_the_connection_fails_all_who_wait() -> None:
    window = SendWindow(1)
    await window.enter()
    sent = window.sent(1, at=0)
    waiting = [asyncio.ensure_future(window.enter()) for _ in range(3)]
    await asyncio.sleep(0)
    window.close("gone")
    results = await asyncio.gather(sent, *waiting, window.enter(), return_exceptions=True)
    assert [type(result) for result in results] == [BusUnavailable] * 5
