"""What the collector says on the bus about itself: presence, summary, host."""

from collections.abc import Callable, Mapping
from typing import Final

from alicia.base.clock import Clock, Random, uuid7
from alicia.base.counters import Counters
from alicia.base.version import __version__
from alicia.collector.canary import Canary
from alicia.collector.route import OURS
from alicia.series.labels import INSTANCE, NAME, SERVICE, LabelSet
from alicia.series.samples import Sample
from alicia.tsdb.head import Batch
from alicia.tsdb.store import Store
from alicia.wire.envelope import Unwrapped, seal
from alicia.wire.ports import Bus, BusState, BusUnavailable, Publication, PublishRefused
from alicia.wire.topics import Topics

_CAPABILITIES: Final = ("metrics", "alerting", "monitoring")
_ROUNDTRIP: Final = LabelSet({NAME: "bus_roundtrip_seconds", SERVICE: OURS, INSTANCE: OURS})
Payload = Mapping[str, object]


class Speaker:
    """Seals payloads under our name, and sends them where a broker is connected."""

    def __init__(
        self, topics: Topics, clock: Clock, random: Random, counters: Counters, *, node: str
    ) -> None:
        self.topics = topics
        self._clock = clock
        self._random = random
        self._counters = counters
        self._node = node

    def publication(self, topic: str, payload: Payload, *, message_id: str = "") -> Publication:
        """A sealed message; every payload of ours carries the node that sent it."""
        now_ms = self._clock.now_ms()
        body = seal(
            {**payload, "node": self._node},
            source=OURS,
            message_id=message_id or self.new_id(),
            now_ms=now_ms,
            destination="broadcast",
        )
        return Publication(topic, body)

    def new_id(self) -> str:
        """A fresh message id."""
        return uuid7(now_ms=self._clock.now_ms(), random=self._random)

    async def say(self, bus: Bus, publication: Publication) -> bool:
        """Send once; what cannot be sent is counted and given up, since a newer one follows."""
        try:
            await bus.publish(publication)
        except (BusUnavailable, PublishRefused) as error:
            self._counters.add("unsent", error.code)
            return False
        return True


class Presence:
    """Register on connect, unregister on a clean stop, and the will in between (bus.md L8)."""

    def __init__(self, speaker: Speaker, clock: Clock) -> None:
        self._speaker = speaker
        self._started = clock.now_ms() / 1000

    def will(self) -> Publication:
        """What the broker says for us when we vanish."""
        topic = self._speaker.topics.health_of(OURS)
        return self._speaker.publication(topic, {"service_name": OURS, "status": "offline"})

    async def arrive(self, bus: Bus, *, port: int) -> None:
        """Say that we are there."""
        await self._say(bus, self._speaker.topics.register, "online", port)

    async def leave(self, bus: Bus, *, port: int) -> None:
        """Say good-bye."""
        await self._say(bus, self._speaker.topics.unregister, "offline", port)

    async def _say(self, bus: Bus, topic: str, status: str, port: int) -> None:
        payload = {
            "service_name": OURS,
            "instance_id": OURS,
            "status": status,
            "timestamp": self._started,
            "capabilities": _CAPABILITIES,
            "version": __version__,
            "port": port,
        }
        await self._speaker.say(bus, self._speaker.publication(topic, payload))


class Reports:
    """The periodic messages, and the round trip of the summary."""

    def __init__(
        self, speaker: Speaker, bus: Bus, store: Store, clock: Clock, canary: Canary
    ) -> None:
        self._speaker = speaker
        self._bus = bus
        self._store = store
        self._clock = clock
        self._canary = canary

    async def summary(self, payload: Callable[[], Payload]) -> None:
        """Publish the summary, and wait for its return elsewhere."""
        if not self._bus.state.connected:
            return
        message_id = self._speaker.new_id()
        topic = self._speaker.topics.metrics_summary
        publication = self._speaker.publication(topic, payload(), message_id=message_id)
        self._canary.sent(message_id, monotonic_ms=self._clock.monotonic_ms())
        if not await self._speaker.say(self._bus, publication):
            self._canary.forget()

    async def host(self, payload: Payload) -> None:
        """Publish the metrics of the host."""
        if self._bus.state.connected:
            topic = self._speaker.topics.metrics_system
            await self._speaker.say(self._bus, self._speaker.publication(topic, payload))

    def on_summary(self, opened: Unwrapped) -> None:
        """A summary of ours came in, perhaps of another node."""
        took = self._canary.seen(opened.message_id, monotonic_ms=self._clock.monotonic_ms())
        if took is not None:
            now_ms = self._clock.now_ms()
            self._store.write(Batch((Sample(_ROUNDTRIP, now_ms, took),), now_ms))

    def on_state(self, state: BusState) -> None:
        """The connection came or went."""
        if not state.connected:
            self._canary.forget()
