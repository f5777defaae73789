"""Messages that tell the bus what became of executions: in order, each until its PUBACK.

They wait in memory, bounded; what overflows or is refused is counted. Source: bus.md D2.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from alicia.base.clock import Clock, Random, uuid7
from alicia.base.counters import Counters
from alicia.wire.envelope import seal
from alicia.wire.ports import Bus, BusUnavailable, Publication, PublishRefused

WAITING_MAX: Final = 10_000
_IN_FLIGHT_MAX: Final = 16
_AFTER_ACTIONS_SECONDS: Final = 0.02  # what a claim starts is published first
_AGAIN_SECONDS: Final = 0.5
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Notice:
    """One message that waits for its PUBACK; its ``message_id`` stays the same when repeated."""

    topic: str
    payload: Mapping[str, object]
    message_id: str
    message_type: str = "event"
    correlation: bytes = b""


class Notices:
    """Sends what is put into it; belongs to one event loop."""

    def __init__(
        self,
        bus: Bus,
        *,
        source: str,
        node: str,
        clock: Clock,
        random: Random,
        counters: Counters,
    ) -> None:
        self._bus = bus
        self._source = source
        self._node = node
        self._clock = clock
        self._random = random
        self._counters = counters
        self._waiting: deque[Notice] = deque()
        self._filled = asyncio.Event()

    def __len__(self) -> int:
        return len(self._waiting)

    def put(
        self,
        topic: str,
        payload: Mapping[str, object],
        *,
        message_type: str = "event",
        correlation: bytes = b"",
    ) -> None:
        """Queue one message; the oldest goes when the queue is full."""
        if len(self._waiting) >= WAITING_MAX:
            self._waiting.popleft()
            self._counters.add("notices_dropped", "overflow")
        message_id = uuid7(now_ms=self._clock.now_ms(), random=self._random)
        self._waiting.append(Notice(topic, payload, message_id, message_type, correlation))
        self._filled.set()

    async def send_loop(self) -> None:
        """Send for ever, a window at a time, oldest first; what fails is counted."""
        while True:
            await self._filled.wait()
            await asyncio.sleep(_AFTER_ACTIONS_SECONDS)
            try:
                await self.send_waiting()
            except Exception:  # the outermost frame of a long task
                self._counters.add("loop_errors", "notices")
                _log.exception("telling the bus failed; it is tried again")
            if self._waiting:  # the broker is away; it is asked again, the bus itself reconnects
                await asyncio.sleep(_AGAIN_SECONDS)

    async def send_waiting(self) -> None:
        """Send all that waits, until the queue is empty or the broker away.

        Cancelled in the middle, it leaves what has no PUBACK at the head of the queue.
        """
        while self._waiting:
            window = [
                self._waiting.popleft() for _ in range(min(_IN_FLIGHT_MAX, len(self._waiting)))
            ]
            done: set[str] = set()
            try:
                await asyncio.gather(*(self._send(notice, done) for notice in window))
            finally:
                again = [notice for notice in window if notice.message_id not in done]
                self._waiting.extendleft(reversed(again))
            if again:
                return
        self._filled.clear()

    async def _send(self, notice: Notice, done: set[str]) -> None:
        """Send one; its id joins ``done`` once it is acknowledged, or lost for good."""
        try:
            await self._publish(notice)
        except BusUnavailable:
            return
        except PublishRefused as error:
            self._counters.add("notices_dropped", error.code)
            _log.warning("the broker refused a message on %s: %s", notice.topic, error)
        except Exception:  # it would fail again, and all others wait behind it
            self._counters.add("notices_dropped", "internal_error")
            _log.exception("a message on %s cannot be sent", notice.topic)
        done.add(notice.message_id)

    async def _publish(self, notice: Notice) -> None:
        body = seal(
            {"node": self._node, **notice.payload},
            source=self._source,
            message_id=notice.message_id,
            now_ms=self._clock.now_ms(),
            message_type=notice.message_type,
        )
        await self._bus.publish(Publication(notice.topic, body, correlation=notice.correlation))
