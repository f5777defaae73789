"""What waits to be told: nothing of it is lost by a stop, and one bad message costs no other."""

import asyncio
import json
from collections.abc import Callable

import pytest

from alicia.adapters.clock import SystemClock, SystemRandom
from alicia.base.counters import Counters
from alicia.base.errors import BadField
from alicia.scheduler.notices import Notices
from alicia.wire.ports import Ack, BusUnavailable, Publication, PublishRefused


class SlowBus:
    """Acknowledges only what ``lets`` through, and keeps it; the rest waits for its PUBACK."""

    def __init__(self) -> None:
        self.lets: Callable[[str], bool] = lambda _topic: True
        self.fails: dict[str, Exception] = {}
        self.tried: list[Publication] = []
        self.sent: list[Publication] = []
        self.waiting = 0

    async def publish(self, publication: Publication) -> Ack:
        self.tried.append(publication)
        if error := self.fails.pop(publication.topic, None):
            raise error
        if not self.lets(publication.topic):
            self.waiting += 1
            await asyncio.get_running_loop().create_future()
        self.sent.append(publication)
        return Ack()

    @property
    def topics(self) -> list[str]:
        return [publication.topic for publication in self.sent]


@pytest.fixture
def bus() -> SlowBus:
    return SlowBus()


@pytest.fixture
def counters() -> Counters:
    return Counters()


@pytest.fixture
def notices(bus: SlowBus, counters: Counters) -> Notices:
    notices = Notices(
        bus,  # type: ignore[arg-type]  # only publishing is needed
        source="event_scheduler",
        node="n1",
        clock=SystemClock(),
        random=SystemRandom(),
        counters=counters,
    )
    for n in range(20):
        notices.put(f"t/{n}", {"n": n})
    return notices


async def turns(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not true():  # noqa: ASYNC110 - it is looked at each turn
            await asyncio.sleep(0)


async def test_a_stop_in_mid_window_loses_nothing(bus: SlowBus, notices: Notices) -> None:
    bus.lets = lambda topic: topic in ("t/1", "t/3")
    sending = asyncio.create_task(notices.send_waiting())
    await turns(lambda: bus.waiting == 14)
    sending.cancel()
    await asyncio.gather(sending, return_exceptions=True)
    assert len(notices) == 18
    bus.lets = lambda _topic: True
    await notices.send_waiting()
    rest = [f"t/{n}" for n in range(20) if n not in (1, 3)]
    assert (bus.topics, len(notices)) == (["t/1", "t/3", *rest], 0)


async def test_what_is_sent_again_keeps_its_id(bus: SlowBus, notices: Notices) -> None:
    bus.fails["t/0"] = BusUnavailable("away")
    await notices.send_waiting()
    assert len(notices) == 5  # the one, and those behind its window
    await notices.send_waiting()
    ids = [json.loads(p.body)["message_id"] for p in bus.tried if p.topic == "t/0"]
    assert (len(ids), len(set(ids)), len(bus.sent)) == (2, 1, 20)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (PublishRefused("no", reason_code=0x87), "publish_refused"),
        (BadField("topic", "topic: bad", reason="bad_topic"), "internal_error"),
        (RuntimeError("a fault of ours"), "internal_error"),
    ],
)
async def test_one_that_cannot_be_sent_is_counted_and_costs_no_other(
    bus: SlowBus, notices: Notices, counters: Counters, error: Exception, code: str
) -> None:
    bus.fails["t/0"] = error
    await notices.send_waiting()
    assert bus.topics == [f"t/{n}" for n in range(1, 20)]
    assert counters.by_label("notices_dropped") == {code: 1}


async def test_the_loop_outlives_a_fault_of_ours(
    bus: SlowBus, notices: Notices, counters: Counters, monkeypatch: pytest.MonkeyPatch
) -> None:
    send = notices.send_waiting
    faults = [RuntimeError("a fault of ours")]

    async def send_waiting() -> None:
        if faults:
            raise faults.pop()
        await send()

    async def no_wait(_seconds: float) -> None:
        await turn(0)

    turn = asyncio.sleep
    monkeypatch.setattr(notices, "send_waiting", send_waiting)
    monkeypatch.setattr(asyncio, "sleep", no_wait)
    loop = asyncio.create_task(notices.send_loop())
    await turns(lambda: len(bus.sent) == 20)
    loop.cancel()
    await asyncio.gather(loop, return_exceptions=True)
    assert counters.by_label("loop_errors") == {"notices": 1}
