"""What becomes a live event although it happens elsewhere: in the scheduler, in the store."""

from alicia.base.clock import Clock
from alicia.base.counters import Counters
from alicia.base.times import seconds
from alicia.collector.live import LiveHub
from alicia.wire.envelope import Unwrapped
from alicia.wire.names import SCHEDULER
from alicia.wire.ports import Message
from alicia.wire.topics import Topics


class LiveFeed:
    """Passes the scheduler's changes on, and says when new samples are there."""

    def __init__(self, live: LiveHub, topics: Topics, clock: Clock, counters: Counters) -> None:
        self._live = live
        self._topics = topics
        self._clock = clock
        self._counters = counters
        self._samples = 0

    def observe(self, message: Message, opened: Unwrapped) -> None:
        """Take in one message of a peer; never raises.

        Only the scheduler's own word counts: targets report on the same topic.
        """
        value = opened.value
        if opened.source != SCHEDULER or not isinstance(value, dict):
            return
        if message.topic == self._topics.scheduler_executions:
            self._live.publish("execution", _key(value, "execution_id"), value)
        elif message.topic == self._topics.scheduler_events_result:
            event = value.get("event")
            if isinstance(event, dict):
                self._live.publish("event", _key(event, "event_id"), event)

    def tick(self) -> None:
        """Tell up to when there are samples, where new ones came since the last call."""
        count = self._counters.total("samples")
        if count != self._samples:
            self._samples = count
            self._live.publish("tick", "tick", {"t": seconds(self._clock.now_ms())})


def _key(value: dict[str, object], name: str) -> str:
    key = value.get(name)
    return key if isinstance(key, str) else ""
