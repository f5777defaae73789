"""What the collector says on the bus about itself: summary, host."""

from collections.abc import Callable
from typing import Final

from alicia.adapters.bus.speaker import Payload, Speaker
from alicia.base.clock import Clock
from alicia.collector.canary import Canary
from alicia.collector.store_thread import Writer
from alicia.series.labels import INSTANCE, NAME, SERVICE, LabelSet
from alicia.series.samples import Sample
from alicia.tsdb.store import Batch
from alicia.wire.envelope import Unwrapped
from alicia.wire.names import COLLECTOR
from alicia.wire.ports import Bus, BusState

CAPABILITIES: Final = ("metrics", "alerting", "monitoring")
_ROUNDTRIP: Final = LabelSet(
    {NAME: "bus_roundtrip_seconds", SERVICE: COLLECTOR, INSTANCE: COLLECTOR}
)


class Reports:
    """The periodic messages, and the round trip of the summary."""

    def __init__(
        self, speaker: Speaker, bus: Bus, writer: Writer, clock: Clock, canary: Canary
    ) -> None:
        self._speaker = speaker
        self._bus = bus
        self._writer = writer
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
            self._writer.post(Batch((Sample(_ROUNDTRIP, now_ms, took),), now_ms))

    def on_state(self, state: BusState) -> None:
        """The connection came or went."""
        if not state.connected:
            self._canary.forget()
