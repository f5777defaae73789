"""From a bus message to the part that it concerns; peer data never raises here."""

import asyncio
import re
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import Final, NamedTuple

from alicia.base.clock import Clock
from alicia.base.counters import Counters
from alicia.base.limits import BODY_BYTES_MAX, BUS_PARSE_BYTES_MAX
from alicia.collector.device_states import DeviceStates
from alicia.collector.ingest import Ingest, IngestBusy
from alicia.collector.places import Meaning, Place, place_of
from alicia.collector.rejects import RejectLog
from alicia.wire.envelope import Unwrapped, unwrap
from alicia.wire.gauges import metric_body, numeric_leaves
from alicia.wire.names import COLLECTOR, SeriesNames
from alicia.wire.ports import Message
from alicia.wire.rejects import Reject
from alicia.wire.samples import MetricBody
from alicia.wire.topics import Topics

IDS_KEPT: Final = 10_000
TOPICS_KEPT: Final = 10_000
TOPICS_COUNTED: Final = 1000
_PEEK_BYTES: Final = 4096
_SOURCE: Final = re.compile(rb'"source"\s*:\s*"([^"\\]{1,256})"')

Observer = Callable[[Message, Unwrapped], None]


class RouteParts(NamedTuple):
    """What the router hands messages to.

    ``observe`` gets every message of a peer that was read, ``on_summary`` the echo of our own
    summary, ``on_broker`` what the broker tells of itself; none of them may raise.
    """

    ingest: Ingest
    rejects: RejectLog
    counters: Counters
    observe: Observer
    on_summary: Callable[[Unwrapped], None]
    on_broker: Callable[[Message], None]


class Router:
    """The one handler of all messages. Synchronous unless a body is large.

    Families counted: ``messages`` by meaning, ``topics`` by topic where a topic means nothing
    to us, ``ignored`` by reason, ``rejected`` by code.
    """

    def __init__(self, topics: Topics, names: SeriesNames, clock: Clock, parts: RouteParts) -> None:
        self._topics = topics
        self._names = names
        self._clock = clock
        self._parts = parts
        self._places: OrderedDict[str, Place] = OrderedDict()
        self._devices = DeviceStates()
        self._recent: OrderedDict[tuple[str, str], None] = OrderedDict()
        self._topics_counted: set[str] = set()

    def handle(self, message: Message) -> Awaitable[object] | None:
        """Treat one message; None means done, an awaitable withholds its acknowledgement."""
        place = self._places.get(message.topic) or self._learn(message.topic)
        self._parts.counters.add("messages", place.meaning)
        if place.meaning is Meaning.SENSITIVE:
            return None
        if len(message.body) > (BODY_BYTES_MAX if place.large else BUS_PARSE_BYTES_MAX):
            self._oversized(message, place)
            return None
        if not message.body:
            self._ignore("retained_cleared")
            return None
        if place.meaning is Meaning.BROKER:
            self._parts.on_broker(message)
            return None
        if len(message.body) > BUS_PARSE_BYTES_MAX:
            return self._large(message, place)
        return self._take(message, place, unwrap(message.body, odd_numbers=True))

    async def _large(self, message: Message, place: Place) -> None:
        """A body that takes long to read is read by a thread, since everybody needs the loop."""
        opened = await asyncio.to_thread(unwrap, message.body, odd_numbers=True, in_parts=True)
        writing = self._take(message, place, opened)
        if writing is not None:
            await writing

    def _take(
        self, message: Message, place: Place, opened: Unwrapped | Reject
    ) -> Awaitable[object] | None:
        if isinstance(opened, Reject):
            self._refuse(message, place, opened)
            return None
        if opened.source == COLLECTOR:
            self._own(place, opened)
            return None
        if opened.message_id and self._repeated(opened.message_id, message.topic):
            self._ignore("repeated_message_id")
            return None
        self._parts.observe(message, opened)
        if place.meaning is Meaning.METRICS or place.meaning is Meaning.STATUS:
            return self._metrics(message, place, opened)
        if place.meaning is Meaning.OTHER:
            self._count_topic(message.topic)
        return None

    def _metrics(
        self, message: Message, place: Place, opened: Unwrapped
    ) -> Awaitable[object] | None:
        value = opened.value
        if place.meaning is Meaning.STATUS:
            found = self._told(place, value)
            if not found:
                return None
            value = metric_body(value, found)
        elif place.service and not _is_body(value):
            # A flat mapping or a bare number says enough where the topic names the service.
            found = numeric_leaves(value, texts=True)
            value = metric_body(value, found) if found else value
        received_ms = message.received_ms or self._clock.now_ms()
        metrics = MetricBody(
            value,
            received_ms=received_ms,
            default_service=place.service or opened.source or place.usual,
            names=self._names,
            mend_clocks=True,
        )
        waiting = self._parts.ingest.gather(
            metrics, received_ms=received_ms, entry=message.topic, payload=value
        )
        if waiting is None or isinstance(waiting, asyncio.Future):
            return waiting  # a future is shared, so it must be handed on as it is
        return self._finish(waiting)

    def _told(self, place: Place, value: object) -> list[dict[str, object]]:
        if not place.devices:
            return numeric_leaves(value, labels=place.labels)
        labels = place.labels
        if not labels and isinstance(value, dict) and isinstance(value.get("device_id"), str):
            labels = {"device": value["device_id"]}
        states = self._devices.turn(labels.get("device", ""), value)
        return numeric_leaves(value, labels=labels, texts=True) + states

    async def _finish(self, writing: Awaitable[object]) -> None:
        try:
            await writing
        except IngestBusy as busy:
            self._parts.counters.add("rejected", busy.code)

    def _own(self, place: Place, opened: Unwrapped) -> None:
        if place.meaning is Meaning.SUMMARY:
            self._parts.on_summary(opened)
        else:
            self._ignore("own_message")

    def _refuse(self, message: Message, place: Place, reject: Reject) -> None:
        # Devices may publish raw bytes; only where a body was promised is that a fault.
        if place.meaning is Meaning.OTHER or place.devices:
            self._count_topic(message.topic)
        else:
            self._parts.rejects.add(message.topic, (reject,))

    def _oversized(self, message: Message, place: Place) -> None:
        if place.large:
            size = len(message.body)
            detail = f"{size} bytes are more than {BODY_BYTES_MAX}; send several messages"
            self._parts.rejects.add(message.topic, (Reject(0, "body_too_large", detail),))
            return
        self._ignore("large_message")
        found = _SOURCE.search(message.body[:_PEEK_BYTES])
        if found is not None:
            source = found.group(1).decode(errors="replace")
            self._parts.observe(message, Unwrapped(None, source=source))

    def _repeated(self, message_id: str, topic: str) -> bool:
        key = (message_id, topic)
        if key in self._recent:
            return True
        if len(self._recent) >= IDS_KEPT:
            self._recent.popitem(last=False)
        self._recent[key] = None
        return False

    def _learn(self, topic: str) -> Place:
        place = place_of(topic, self._topics)
        if len(self._places) >= TOPICS_KEPT:
            self._places.popitem(last=False)
        self._places[topic] = place
        return place

    def _ignore(self, reason: str) -> None:
        self._parts.counters.add("ignored", reason)

    def _count_topic(self, topic: str) -> None:
        # Topics are chosen by strangers, so the number of names we count under is bounded.
        if topic not in self._topics_counted:
            if len(self._topics_counted) >= TOPICS_COUNTED:
                topic = "(other)"
            self._topics_counted.add(topic)
        self._parts.counters.add("topics", topic)


def _is_body(value: object) -> bool:
    return isinstance(value, list) or (
        isinstance(value, dict) and ("metrics" in value or "name" in value)
    )
