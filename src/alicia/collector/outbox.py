"""Notices on their way to the broker: kept until it took them, sent again until it does.

Source: bus.md D2.
"""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Sequence
from typing import Final

from alicia.alerting.ports import AlertStore, Notice
from alicia.base.backoff import backoff_ms
from alicia.base.clock import Random
from alicia.base.counters import Counters
from alicia.wire.ports import Bus, BusUnavailable, Publication, PublishRefused

WAITING_MAX: Final = 10_000
RETRY_FIRST_MS: Final = 500
RETRY_MAX_MS: Final = 30_000
_log: Final = logging.getLogger(__name__)


class Outbox:
    """Sends notices oldest first, one at a time, under the same message id each time.

    They were stored with the change they tell of, so a kill loses none; one whose PUBACK was
    not yet noted is sent twice. Families counted: ``outbox`` by ``sent refused overflow``.
    """

    def __init__(self, bus: Bus, store: AlertStore, counters: Counters, random: Random) -> None:
        self._bus = bus
        self._store = store
        self._counters = counters
        self._random = random
        self._waiting: OrderedDict[str, Notice] = OrderedDict()
        self._settled: list[str] = []  # over and done with, but still in the store
        self._awake = asyncio.Event()
        self._failures = 0

    @property
    def waiting(self) -> int:
        """How many notices the broker has not taken yet."""
        return len(self._waiting)

    async def load(self) -> None:
        """Take up what an earlier process left."""
        self.add(await self._store.load_notices())

    def add(self, notices: Sequence[Notice]) -> None:
        """Queue notices that are stored already."""
        if not notices:
            return  # no reason to hurry those that wait
        for notice in notices:
            self._waiting[notice.message_id] = notice
        self.wake()

    def wake(self) -> None:
        """Try now: there is something to send, or the broker is back."""
        self._failures = 0
        self._awake.set()

    async def run(self) -> None:
        """Send for ever."""
        while True:
            await self._awake.wait()
            self._awake.clear()
            try:
                await self.flush()
            except Exception:  # the outermost frame of a long task
                self._counters.add("loop_errors", "outbox")
                _log.exception("sending notices failed; they are kept and tried again")
                self._failures += 1
            if self._waiting or self._settled:
                await self._pause()

    async def flush(self) -> None:
        """Send what waits, until all is gone or the broker cannot take it now.

        Raises:
            Unavailable: the store does not take down what is settled; the next call tries again.
        """
        self._drop_overflow()
        try:
            while self._waiting and await self._send(next(iter(self._waiting.values()))):
                self._settle_oldest()
        finally:
            await self._tell_store()

    async def _send(self, notice: Notice) -> bool:
        """Whether the notice is settled: taken by the broker, or refused for good."""
        try:
            await self._bus.publish(Publication(notice.topic, notice.body))
        except BusUnavailable:
            self._failures += 1
            return False
        except PublishRefused as error:
            self._counters.add("outbox", "refused")
            _log.warning("the broker refused a notice on %s: %s", notice.topic, error)
            return True
        self._failures = 0
        self._counters.add("outbox", "sent")
        return True

    def _drop_overflow(self) -> None:
        excess = len(self._waiting) - WAITING_MAX
        if excess <= 0:
            return
        self._counters.add("outbox", "overflow", excess)
        for _ in range(excess):
            self._settle_oldest()

    def _settle_oldest(self) -> None:
        message_id, _ = self._waiting.popitem(last=False)
        self._settled.append(message_id)

    async def _tell_store(self) -> None:
        """Take what is settled out of the store, so that no later process sends it again."""
        told = tuple(self._settled)
        if told:
            await self._store.settle_notices(told)
            del self._settled[: len(told)]

    async def _pause(self) -> None:
        """Wait for the next try, or until somebody says that there is a reason."""
        wait_ms = backoff_ms(
            max(self._failures, 1),
            first_ms=RETRY_FIRST_MS,
            max_ms=RETRY_MAX_MS,
            random=self._random,
        )
        try:
            async with asyncio.timeout(wait_ms / 1000):
                await self._awake.wait()
        except TimeoutError:
            self._awake.set()
