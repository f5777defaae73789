"""A broker inside the process, so that services are tested without one (same contract suite)."""

import asyncio
import logging
from collections import deque
from collections.abc import Iterable
from typing import Final

from alicia.base.clock import Clock
from alicia.wire.ports import (
    NO_MATCHING_SUBSCRIBERS,
    Ack,
    BusState,
    BusUnavailable,
    Handler,
    Message,
    Publication,
    PublishRefused,
    StateListener,
)
from alicia.wire.topics import check_filter, check_topic, filter_matches

_ADDRESS: Final = "memory"
_MQTT_5: Final = 5
_LOG: Final = logging.getLogger(__name__)


class MemoryBroker:
    """Topics, retained messages, sessions and wills of one process.

    Sessions live as long as the broker: what a client has not acknowledged is sent again when
    it comes back. ``refusals`` maps topics to the reason code that publishing there gets.
    """

    def __init__(self) -> None:
        self.refusals: dict[str, int] = {}
        self.running = True
        self._retained: dict[str, Message] = {}
        self._members: dict[str, MemoryBus] = {}

    def start(self) -> None:
        """Come back; every member connects again."""
        self.running = True
        for member in tuple(self._members.values()):
            member.connect()

    def stop(self) -> None:
        """Go away at once, as if killed; wills are lost with it."""
        self.running = False
        for member in tuple(self._members.values()):
            member.drop("the broker went away")

    def kill(self, client_id: str) -> None:
        """Cut one client off as if its process died: its will is sent, its session stays."""
        member = self._members[client_id]
        member.drop("killed")
        if member.will is not None:
            self.route(member.will, now_ms=0)

    def join(self, member: "MemoryBus") -> None:
        """Take a client, which replaces an older one of the same id."""
        self._members[member.client_id] = member

    def leave(self, member: "MemoryBus") -> None:
        """Forget a client that said good-bye; its session stays with the object."""
        if self._members.get(member.client_id) is member:
            del self._members[member.client_id]

    def retained(self, pattern: str) -> list[Message]:
        """What a new subscription is sent first."""
        return [kept for topic, kept in self._retained.items() if filter_matches(pattern, topic)]

    def route(self, publication: Publication, *, now_ms: int) -> int:
        """Hand a message to everyone who listens; returns the reason code of the PUBACK."""
        message = Message(
            topic=publication.topic,
            body=publication.body,
            received_ms=now_ms,
            qos=publication.qos,
            response_topic=publication.response_topic,
            correlation=publication.correlation,
            user_properties=publication.user_properties,
        )
        if publication.retain:
            self._retained.pop(publication.topic, None)
            if publication.body:
                self._retained[publication.topic] = message._replace(retained=True)
        takers = [m for m in self._members.values() if m.listens_to(publication.topic)]
        for member in takers:
            member.offer(message)
        return 0 if takers else NO_MATCHING_SUBSCRIBERS


class MemoryBus:
    """A client of a MemoryBroker; fits ``wire.ports.Bus``.

    Messages reach the handler one loop turn later, in order. One whose handler is not done when
    the connection drops is sent again on the next.
    """

    def __init__(
        self,
        broker: MemoryBroker,
        *,
        client_id: str,
        clock: Clock,
        will: Publication | None = None,
    ) -> None:
        self.client_id = client_id
        self.will = will
        self._broker = broker
        self._clock = clock
        self._filters: dict[str, None] = {}
        self._pending: deque[Message] = deque()  # unacknowledged, in order of arrival
        self._tasks: set[asyncio.Future[object]] = set()
        self._handler: Handler | None = None
        self._on_state: StateListener | None = None
        self._reconnects = -1  # the first connection is none
        self._state = BusState(False, _ADDRESS, 0, clock.now_ms(), 0, "not started")

    @property
    def state(self) -> BusState:
        """The connection as of now."""
        return self._state

    async def start(self, handler: Handler, on_state: StateListener) -> None:
        """Connect, if the broker runs; else as soon as it does."""
        self._handler, self._on_state = handler, on_state
        self._broker.join(self)
        self.connect()

    async def subscribe(self, filters: Iterable[str]) -> None:
        """Add filters; retained messages follow."""
        for pattern in filters:
            self._filters[check_filter(pattern, field="filter")] = None
            for kept in self._broker.retained(pattern):
                self.offer(kept)

    async def unsubscribe(self, filters: Iterable[str]) -> None:
        """Forget filters."""
        for pattern in filters:
            self._filters.pop(pattern, None)

    async def publish(self, publication: Publication) -> Ack:
        """Hand the message to the broker.

        Raises:
            BusUnavailable: the broker is stopped or this client cut off.
            PublishRefused: ``refusals`` of the broker names the topic.
        """
        check_topic(publication.topic, field="topic")
        await asyncio.sleep(0)  # a real bus never answers within the same turn
        if not self._state.connected:
            raise BusUnavailable("no broker is connected; the message was not sent")
        refusal = self._broker.refusals.get(publication.topic)
        if refusal is not None:
            raise PublishRefused("the broker refused the message", reason_code=refusal)
        reason = self._broker.route(publication, now_ms=self._clock.now_ms())
        return Ack(reason if publication.qos else 0)

    async def stop(self) -> None:
        """Leave without the will."""
        self._broker.leave(self)
        self.drop("stopped")

    def connect(self) -> None:
        """Become connected if the broker runs, and take up what was not acknowledged."""
        if self._state.connected or not self._broker.running or self._handler is None:
            return
        self._reconnects += 1
        self._turn(connected=True, detail="connected")
        waiting, self._pending = self._pending, deque()
        for message in waiting:
            self.offer(message)

    def drop(self, detail: str) -> None:
        """Lose the connection; running handlers go on, but their acknowledgement is void."""
        if self._state.connected:
            self._turn(connected=False, detail=detail)

    def listens_to(self, topic: str) -> bool:
        """Whether one of the filters covers the topic."""
        return any(filter_matches(pattern, topic) for pattern in self._filters)

    def offer(self, message: Message) -> None:
        """Queue a message, and deliver it on the next turn if connected."""
        if message.qos == 0 and not self._state.connected:
            return  # sessions hold nothing that needs no acknowledgement
        self._pending.append(message)
        if self._state.connected:
            asyncio.get_running_loop().call_soon(self._deliver, message, self._reconnects)

    def _deliver(self, message: Message, connection: int) -> None:
        if connection != self._reconnects or not self._state.connected:
            return  # it waits in the session
        assert self._handler is not None, "only a started bus is connected"
        try:
            outcome = self._handler(message)
        except Exception:
            _LOG.exception("a message handler failed")
            outcome = None
        if outcome is None:
            self._settle(message, connection)
            return
        task = asyncio.ensure_future(outcome)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        task.add_done_callback(lambda done: self._finished(done, message, connection))

    def _finished(self, task: asyncio.Future[object], message: Message, connection: int) -> None:
        if task.cancelled():
            return  # not handled, so not acknowledged
        if task.exception() is not None:
            _LOG.error("a message handler failed", exc_info=task.exception())
        self._settle(message, connection)

    def _settle(self, message: Message, connection: int) -> None:
        if connection == self._reconnects and self._state.connected:
            self._pending = deque(m for m in self._pending if m is not message)

    def _turn(self, *, connected: bool, detail: str) -> None:
        self._state = BusState(
            connected=connected,
            address=_ADDRESS,
            protocol=_MQTT_5,
            since_ms=self._clock.now_ms(),
            reconnects=max(self._reconnects, 0),
            detail=detail,
        )
        if self._on_state is not None:
            self._on_state(self._state)
