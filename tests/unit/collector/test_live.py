from collections.abc import Callable

from alicia.base.counters import Counters
from alicia.collector.live import (
    CLIENT_BYTES_MAX,
    CLIENTS_MAX,
    EVENT_BYTES_MAX,
    RING_BYTES_MAX,
    RING_EVENTS,
    Client,
    LiveHub,
)


class Timers:
    def __init__(self) -> None:
        self.waiting: list[Callable[[], None]] = []

    def later(self, seconds: float, call: Callable[[], None]) -> None:
        assert seconds == 0.25
        self.waiting.append(call)

    def fire(self) -> None:
        waiting, self.waiting = self.waiting, []
        for call in waiting:
            call()


class World:
    def __init__(self) -> None:
        self.timers, self.counters = Timers(), Counters()
        self.hub = LiveHub(epoch="e", later=self.timers.later, counters=self.counters)
        self.wakes = 0

    def attach(self, last_id: str = "") -> Client:
        client = self.hub.attach(self.wake, last_id=last_id)
        assert client is not None
        return client

    def wake(self) -> None:
        self.wakes += 1


HELLO = b"retry: 1000\n\n"


def test_an_event_has_id_kind_and_data() -> None:
    world = World()
    client = world.attach()
    world.hub.publish("alert", "a", {"x": "line\nbreak"})
    assert client.take() == HELLO + b'id: e-1\nevent: alert\ndata: {"x":"line\\nbreak"}\n\n'
    assert client.take() == b""
    assert world.wakes == 2


def test_changes_of_one_key_within_a_quarter_second_are_merged() -> None:
    world = World()
    client = world.attach()
    client.take()
    for i in range(5):
        world.hub.publish("service", "a", {"n": i})
    world.hub.publish("service", "b", {"n": 9})
    world.hub.publish("alert", "a", {"n": 8})
    assert client.take().count(b"event:") == 3  # the first of each key at once
    world.timers.fire()
    assert client.take() == b'id: e-4\nevent: service\ndata: {"n":4}\n\n'
    world.timers.fire()
    assert client.take() == b""
    world.hub.publish("service", "a", {"n": 7})
    assert b'{"n":7}' in client.take()


def test_a_reader_resumes_behind_the_last_id_it_saw() -> None:
    world = World()
    for i in range(3):
        world.hub.publish("stats", str(i), {"n": i})
    assert world.attach("e-3").take() == HELLO
    assert world.attach("e-2").take().count(b"event: stats") == 1
    assert world.attach("e-0").take().count(b"event: stats") == 3


def test_foreign_old_and_nonsensical_ids_are_told_to_start_again() -> None:
    world = World()
    for i in range(RING_EVENTS + 2):
        world.hub.publish("stats", str(i), {})
    for last_id in ("other-1", "e-1", "e-99999999", "e-x", "x", "e-" + "9" * 50, "e--1"):
        assert b"event: reset\n" in world.attach(last_id).take(), last_id
    assert b"event: reset\n" not in world.attach("e-2").take()


def test_who_missed_more_than_is_kept_starts_again_and_stays() -> None:
    world = World()
    big = {"x": "y" * 100_000}
    for i in range(CLIENT_BYTES_MAX // 100_000 + 1):
        world.hub.publish("stats", str(i), big)
    back = world.attach("e-1")
    assert back.take().endswith(b"event: reset\ndata: {}\n\n")
    world.hub.publish("alert", "a", {})
    assert b"event: alert\n" in back.take()
    assert not back.closed
    assert RING_BYTES_MAX // 100_100 == 5
    assert world.attach("e-8").take().count(b"event: ") == 4
    assert b"event: reset\n" in world.attach("e-5").take()


def test_a_change_too_large_to_send_tells_everybody_to_fetch() -> None:
    world = World()
    clients = [world.attach() for _ in range(5)]
    for size in (EVENT_BYTES_MAX, CLIENT_BYTES_MAX + 100_000, 5_000_000):
        world.hub.publish("execution", str(size), {"x": "y" * size})
    assert {client.take() for client in clients} == {HELLO + b"id: e-1\nevent: reset\ndata: {}\n\n"}
    world.timers.fire()  # the second reset stands for all that came within a quarter second
    assert clients[0].take() == b"id: e-2\nevent: reset\ndata: {}\n\n"
    assert world.hub.readers == 5
    assert world.attach("e-0").take().count(b"event: reset\n") == 2
    assert world.counters.by_label("live") == {"oversized": 3}


def test_a_reader_who_does_not_read_is_closed_and_harms_nobody() -> None:
    world = World()
    slow, fast = world.attach(), world.attach()
    big = {"x": "y" * 100_000}
    for i in range(CLIENT_BYTES_MAX // 100_000 + 1):
        world.hub.publish("stats", str(i), big)
        fast.take()
    assert (slow.closed, fast.closed) == (True, False)
    assert slow.take() == b""
    assert world.hub.readers == 1
    assert world.counters.by_label("live") == {"too_slow": 1}


def test_readers_are_bounded_and_all_streams_end() -> None:
    world = World()
    clients = [world.attach() for _ in range(CLIENTS_MAX)]
    assert world.hub.attach(world.wake) is None
    world.hub.detach(clients[0])
    world.attach()
    world.hub.close()
    assert all(client.closed for client in clients[1:])
    assert world.hub.readers == 0
