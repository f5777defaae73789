"""Notices are sent once, and what was sent leaves the store, whatever fails meanwhile."""

import asyncio
from collections.abc import Sequence

import pytest

from alicia.alerting.ports import Notice
from alicia.base.counters import Counters
from alicia.base.errors import Unavailable
from alicia.collector.outbox import WAITING_MAX, Outbox
from alicia.wire.ports import BusUnavailable, Publication


class Broker:
    """Takes what is published, or is away."""

    def __init__(self) -> None:
        self.taken: list[bytes] = []
        self.tries = 0
        self.away = False

    async def publish(self, publication: Publication) -> None:
        self.tries += 1
        if self.away:
            raise BusUnavailable("away")
        self.taken.append(publication.body)


class Notes:
    """The stored notices; fails as often as it is told to."""

    def __init__(self) -> None:
        self.rows: dict[str, Notice] = {}
        self.failures = 0
        self.settled = asyncio.Event()

    def put(self, *ids: str) -> list[Notice]:
        notices = [Notice(each, "t", each.encode()) for each in ids]
        self.rows |= {notice.message_id: notice for notice in notices}
        return notices

    async def load_notices(self) -> list[Notice]:
        return list(self.rows.values())

    async def settle_notices(self, message_ids: Sequence[str]) -> None:
        if self.failures:
            self.failures -= 1
            raise Unavailable("the disk is full")
        for each in message_ids:
            del self.rows[each]
        self.settled.set()


class Shortest:
    """Fits ``base.clock.Random``: every wait is as short as it may be."""

    def uniform(self, low: float, _high: float) -> float:
        return low


class World:
    def __init__(self) -> None:
        self.broker, self.notes, self.counters = Broker(), Notes(), Counters()
        self.outbox = Outbox(self.broker, self.notes, self.counters, Shortest())  # type: ignore[arg-type]  # as far as an outbox needs them


async def test_what_the_store_did_not_note_is_noted_later_and_sent_once() -> None:
    world = World()
    world.outbox.add(world.notes.put("a", "b"))
    world.notes.failures = 1
    with pytest.raises(Unavailable):
        await world.outbox.flush()
    assert (world.outbox.waiting, list(world.notes.rows)) == (0, ["a", "b"])
    await world.outbox.flush()
    assert (world.broker.taken, world.notes.rows) == ([b"a", b"b"], {})


async def test_the_loop_keeps_trying_until_the_store_has_it() -> None:
    world = World()
    world.outbox.add(world.notes.put("a"))
    world.notes.failures = 2
    task = asyncio.create_task(world.outbox.run())
    async with asyncio.timeout(30):
        await world.notes.settled.wait()
    task.cancel()
    assert (world.broker.taken, world.notes.rows) == ([b"a"], {})
    assert world.counters.by_label("loop_errors") == {"outbox": 2}


async def test_what_is_too_much_leaves_the_store_too() -> None:
    world = World()
    world.outbox.add(world.notes.put(*map(str, range(WAITING_MAX + 2))))
    world.broker.away, world.notes.failures = True, 1
    with pytest.raises(Unavailable):
        await world.outbox.flush()
    await world.outbox.flush()
    assert world.outbox.waiting == len(world.notes.rows) == WAITING_MAX
    assert not {"0", "1"} & world.notes.rows.keys()


async def test_an_evaluation_without_notices_hurries_nobody() -> None:
    world = World()
    world.broker.away = True
    world.outbox.add(world.notes.put("a"))
    task = asyncio.create_task(world.outbox.run())
    for _ in range(200):
        world.outbox.add(())
        await asyncio.sleep(0)
    assert 1 <= world.broker.tries < 5
    world.outbox.wake()  # as a new connection does
    before = world.broker.tries
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert world.broker.tries == before + 1
    task.cancel()
