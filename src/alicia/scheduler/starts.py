"""From committed rows to running executions: claims, and starts that no trigger made."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from alicia.base.clock import Clock, Random, uuid7
from alicia.scheduler.leasing import Leasing
from alicia.scheduler.track import Tracker
from alicia.scheduling.execution import Execution, Origin, Reason
from alicia.scheduling.ports import ClaimResult, Ledger, Start

_BATCH: Final = 500
_OPEN_MAX: Final = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """The wish that an event runs now: who utters it, and what it brings.

    ``payload`` None: the event's own. With a ``dedupe`` seen before, the first run is the answer.
    ``hops`` is the length of the chain of our own messages that led here.
    """

    origin: Origin
    payload: Mapping[str, object] | None = None
    dedupe: str | None = None
    hops: int = 0


class Starts:
    """Hands committed rows to the tracker; what may be published was stored before."""

    def __init__(
        self,
        *,
        ledger: Ledger,
        leasing: Leasing,
        tracker: Tracker,
        on_change: Callable[[Execution], None],
        clock: Clock,
        random: Random,
    ) -> None:
        self._ledger = ledger
        self._leasing = leasing
        self._tracker = tracker
        self._on_change = on_change
        self._clock = clock
        self._random = random

    async def claimed(self, result: ClaimResult) -> None:
        """Run what a claim inserted."""
        await self._tracker.start(result.runnable)
        for execution in result.cancel:
            await self._tracker.cancel(execution, reason=Reason.CANCEL_RUNNING)
        for execution in result.closed:
            self._on_change(execution)

    async def now(self, event_id: str, order: Order) -> Execution:
        """Run an event now.

        Raises:
            NotFound: there is no such event.
            Unavailable: the ledger does not answer; nothing was started.
        """
        now_us = self._clock.now_us()
        settled = await self._ledger.trigger(
            Start(
                event_id=event_id,
                execution_id=uuid7(now_ms=now_us // 1000, random=self._random),
                due_us=now_us,
                origin=order.origin,
                payload=order.payload,
                dedupe=order.dedupe,
                hops=order.hops,
            ),
            lease=self._leasing.lease,
            now_us=now_us,
        )
        if settled.applied:
            await self._tracker.start(settled.released)
            for execution in settled.cancel:
                await self._tracker.cancel(execution, reason=Reason.CANCEL_RUNNING)
            if not settled.released:
                self._on_change(settled.execution)
        return settled.execution

    async def take_over(self) -> int:
        """Take up the open rows that an earlier life, or a dead node, left behind.

        Called before anything is claimed, so every open row of ours is one of these.
        """
        taken = 0
        while rows := await self._ledger.takeover(
            self._leasing.lease, now_us=self._clock.now_us(), limit=_BATCH
        ):
            taken += len(rows)
            for row in rows:
                if row.status.final:  # sent before the crash, and never to be sent again
                    self._on_change(row)
        rows = await self._ledger.open_executions(limit=_OPEN_MAX)
        await self._tracker.start(row for row in rows if row.reason is not Reason.QUEUED)
        return taken
