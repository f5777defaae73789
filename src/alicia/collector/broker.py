"""The broker's own numbers as series, so that its load and losses can be alerted on."""

from typing import Final

from alicia.base.clock import Clock
from alicia.collector.store_thread import Writer
from alicia.series.labels import INSTANCE, NAME, SERVICE, LabelSet
from alicia.series.samples import Sample
from alicia.tsdb.store import Batch
from alicia.wire.broker import decode_broker
from alicia.wire.ports import Message

# No service of the fleet; its series stand under a name of their own, as the host's do.
BROKER_SERVICE: Final = "broker"


class BrokerMetrics:
    """Stores what is heard below ``$SYS``. Belongs to the event loop."""

    def __init__(self, writer: Writer, clock: Clock) -> None:
        self._writer = writer
        self._clock = clock

    def take(self, message: Message) -> None:
        """Store one message, unless it holds no number; never raises."""
        reading = decode_broker(message.topic, message.body)
        if reading is None:
            return
        labels = LabelSet({NAME: reading.name, SERVICE: BROKER_SERVICE, INSTANCE: BROKER_SERVICE})
        now_ms = message.received_ms or self._clock.now_ms()
        known = {(BROKER_SERVICE, reading.name): reading.metadata}
        self._writer.post(Batch((Sample(labels, now_ms, reading.value),), now_ms, known))
