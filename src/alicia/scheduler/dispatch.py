"""Firing: sleep to the next instant, plan, claim in one transaction, hand over what may run.

Source: scheduling.md §5 "Claim", §7.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Final

from alicia.base.clock import Clock
from alicia.base.counters import Counters
from alicia.base.errors import BadField, NotFound, Unavailable
from alicia.scheduler.clockwatch import ClockWatch
from alicia.scheduler.horizon import EVENTS_MAX, HORIZON_US, Horizon
from alicia.scheduler.leasing import Leasing
from alicia.scheduler.timings import Timings
from alicia.scheduling.event import EventRecord
from alicia.scheduling.plan import DuePlan, plan_due
from alicia.scheduling.ports import ClaimResult, Ledger

BATCH_MAX: Final = 500
LOOK_US: Final = 1_000_000  # clock steps are looked for at least this often
_REFILL_US: Final = HORIZON_US // 2
_AGAIN_SECONDS: Final = 0.5
_log = logging.getLogger(__name__)

ClaimTaker = Callable[[ClaimResult], Awaitable[None]]


class Dispatcher:
    """Claims what is due; belongs to one event loop."""

    def __init__(
        self,
        *,
        ledger: Ledger,
        leasing: Leasing,
        timings: Timings,
        take: ClaimTaker,
        clock: Clock,
        counters: Counters,
        check_interval_ms: int,
    ) -> None:
        self._ledger = ledger
        self._leasing = leasing
        self._timings = timings
        self._take = take
        self._clock = clock
        self._counters = counters
        self._look_us = min(LOOK_US, check_interval_ms * 1000)
        self._watch = ClockWatch(clock)
        self._horizon = Horizon()
        self._edited = asyncio.Event()
        self._takers: set[asyncio.Future[None]] = set()

    @property
    def clock_steps(self) -> int:
        """Steps of the wall clock since the start."""
        return self._watch.steps

    def changed(self, record: EventRecord) -> None:
        """An event was stored or edited; acts at once."""
        self._horizon.put(record)
        self._edited.set()

    def removed(self, event_id: str) -> None:
        """An event is gone."""
        self._horizon.drop(event_id)

    async def record_of(self, event_id: str) -> EventRecord:
        """An event's record, from memory where it is due soon.

        Raises:
            NotFound: there is none.
        """
        return self._horizon.get(event_id) or await self._ledger.get(event_id)

    async def fire_loop(self) -> None:
        """Fire for ever; what fails is counted and tried again."""
        while True:
            try:
                await self._leasing.acting()
                await self.fire_once()
                await self._sleep()
            except Unavailable as error:
                # Nothing was committed, so nothing was published; the records may be stale.
                self._counters.add("ledger_errors", error.code)
                self._horizon.clear()
                await asyncio.sleep(_AGAIN_SECONDS)
            except Exception:
                self._counters.add("dispatch_errors")
                _log.exception("firing failed; the events are read again")
                self._horizon.clear()
                await asyncio.sleep(_AGAIN_SECONDS)

    async def fire_once(self) -> int:
        """Claim everything that is due now, batch by batch; how many events were.

        Raises:
            Unavailable: the ledger does not answer.
        """
        self._look_at_clock()
        await self._refill()
        fired = 0
        while True:
            now_us = self._clock.now_us()
            batch = list(self._horizon.take_due(now_us, limit=BATCH_MAX))
            if not batch:
                return fired
            await self._claim(batch, now_us)
            fired += len(batch)

    def _look_at_clock(self) -> None:
        step_us = self._watch.look()
        if step_us:
            self._counters.add("clock_steps")
            _log.warning("the clock was set by %.3f s; the events are read again", step_us / 1e6)
            self._horizon.clear()

    async def _refill(self) -> None:
        """Read the events of the horizon, when half of it has passed."""
        now_us = self._clock.now_us()
        if self._horizon.until_us - now_us > HORIZON_US - _REFILL_US:
            return
        until_us = now_us + HORIZON_US
        records = await self._ledger.due(until_us, limit=EVENTS_MAX)
        if len(records) == EVENTS_MAX:  # the horizon ends where the memory does
            until_us = records[-1].next_due_us or until_us
        # From now on ``put`` takes edits of the wider horizon; the rows read are not newer.
        self._horizon.until_us = until_us
        for record in records:
            known = self._horizon.get(record.event.event_id)
            if known is None or known.rev < record.rev:
                self._horizon.put(record)

    async def _claim(self, batch: Sequence[EventRecord], now_us: int) -> None:
        planned = [(record, plan) for record in batch if (plan := self._plan(record, now_us))]
        result = await self._ledger.claim(
            [plan for _, plan in planned], lease=self._leasing.lease, now_us=now_us
        )
        stale, ended = frozenset(result.stale), frozenset(result.ended)
        for record, plan in planned:
            event_id = record.event.event_id
            known = self._horizon.get(event_id)
            if known is not None and known.rev == record.rev and event_id not in stale:
                due_us = None if event_id in ended else plan.next_due_us
                self._horizon.put(replace(known, next_due_us=due_us))
        self._hand_over(result)
        for event_id in stale:
            await self._reread(event_id)

    def _plan(self, record: EventRecord, now_us: int) -> DuePlan | None:
        """The plan of one event; an event that cannot be planned costs nobody else anything."""
        try:
            return plan_due(record, self._timings.trigger(record.event), now_us=now_us)
        except (BadField, ArithmeticError, ValueError, AssertionError):
            self._counters.add("plan_errors")
            _log.exception("event %s cannot be planned", record.event.event_id)
            self._horizon.drop(record.event.event_id)
            return None

    def _hand_over(self, result: ClaimResult) -> None:
        """Let publishing begin while the next batch is claimed."""
        task = asyncio.ensure_future(self._take(result))
        self._takers.add(task)
        task.add_done_callback(self._taken)

    def _taken(self, task: "asyncio.Future[None]") -> None:
        self._takers.discard(task)
        if not task.cancelled() and task.exception() is not None:
            self._counters.add("dispatch_errors")
            _log.error("claimed rows wait for a restart", exc_info=task.exception())

    async def _reread(self, event_id: str) -> None:
        try:
            self._horizon.put(await self._ledger.get(event_id))
        except NotFound:
            self._horizon.drop(event_id)

    async def _sleep(self) -> None:
        """Sleep to the next instant, the next look at the clock, or the next edit."""
        now_us = self._clock.now_us()
        due_us = self._horizon.next_due_us()
        wait_us = self._look_us if due_us is None else min(self._look_us, due_us - now_us)
        if wait_us > 0:
            # The loop's timer counts whole milliseconds; rounded up, it never wakes too early.
            wait_ms = -(-wait_us // 1000)
            try:
                async with asyncio.timeout(wait_ms / 1000):
                    await self._edited.wait()
            except TimeoutError:
                return
        self._edited.clear()
