"""One try of one execution: wait for its moment, record it, act, hear the target.

Failures are outcomes. What to make of an outcome is decided in ``track``.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from enum import Enum, auto
from typing import Final

from alicia.base.clock import Clock
from alicia.base.counters import Counters
from alicia.base.errors import Unavailable
from alicia.scheduler.lags import Lags
from alicia.scheduler.leasing import Leasing
from alicia.scheduler.opened import Opened, Phase
from alicia.scheduler.timings import Timings
from alicia.scheduling.event import Delivery, Event, HttpAction, MqttAction
from alicia.scheduling.execution import Execution, Origin, Reason, Signal
from alicia.scheduling.ports import Actor, Ledger, Outcome, Task

INTERRUPTED_WAIT_US: Final = 500_000  # a bus that just broke may still say that it is connected
_UNRECORDED: Final = Outcome(
    Signal.FAILED_RETRYABLE,
    "not_recorded",
    error="the start could not be recorded; as it may be sent once at most, nothing was sent",
)


class Unbegun(Enum):
    """Why the start of a try is not on record."""

    FENCED = auto()  # the row is final, or another node's: nothing may be done for it
    UNAVAILABLE = auto()  # the ledger did not take it


class Attempts:
    """Makes tries; ``workers`` bounds those that wait for somebody's answer."""

    def __init__(
        self,
        *,
        ledger: Ledger,
        actor: Actor,
        leasing: Leasing,
        timings: Timings,
        on_change: Callable[[Execution], None],
        clock: Clock,
        counters: Counters,
        workers: int,
    ) -> None:
        self._ledger = ledger
        self._actor = actor
        self._leasing = leasing
        self._timings = timings
        self._on_change = on_change
        self._clock = clock
        self._counters = counters
        self._workers = asyncio.Semaphore(workers)
        self._bus_up = asyncio.Event()
        self.lags = Lags()

    def bus_changed(self, *, connected: bool) -> None:
        """Let tries that publish go, or hold them back."""
        if connected:
            self._bus_up.set()
        else:
            self._bus_up.clear()

    async def make(self, item: Opened) -> Outcome | None:
        """One try; None where the row is not ours any more, so that there is nothing to settle.

        With ``published`` set already, only the target's word is awaited.
        """
        if item.execution.published_us is not None:
            async with self._workers:
                return await self._hear(item, since_us=item.execution.published_us)
        await self._until(item.execution.not_before_us)
        expires_us = self._timings.expires_us(item.event, item.execution)
        if not await self._bus_ready(item.event, expires_us):
            return Outcome(
                Signal.UNREACHABLE,
                "broker_unreachable",
                Reason.BROKER_UNREACHABLE,
                error="no broker was connected until the grace was over",
            )
        async with self._slot(item.event):
            await self._leasing.acting()
            outcome = await self._act(item, expires_us)
            if outcome is not None and outcome.signal is None:
                outcome = await self._hear(item, since_us=self._clock.now_us())
        return outcome

    async def _act(self, item: Opened, expires_us: int) -> Outcome | None:
        """Record the start and act; None where the record says that the row is not ours.

        Both run at once, since a crash between them costs a repetition at most; where a
        repetition is forbidden, the record comes first, and without it nothing is done.
        """
        item.phase = Phase.ACTING
        now_us = self._clock.now_us()
        execution = item.execution
        attempt = execution.attempt + 1
        begun = asyncio.ensure_future(self._begin(execution, attempt, now_us))
        if item.event.delivery is Delivery.AT_MOST_ONCE:
            match await begun:
                case Unbegun.FENCED:
                    return None
                case Unbegun.UNAVAILABLE:
                    return _UNRECORDED
        if execution.origin is Origin.NOMINAL and attempt == 1:
            self.lags.add(now_us - max(execution.due_us, execution.not_before_us))
        task = Task(
            event=item.event,
            execution=execution,
            attempt=attempt,
            scheduled_time=self._timings.local_time(item.event, execution.due_us),
            expires_us=max(expires_us, now_us + 1_000_000),
        )
        try:
            outcome = await self._actor.perform(task)
        finally:
            recorded = await begun
            if isinstance(recorded, Execution):
                item.execution = recorded
                self._on_change(recorded)
        if recorded is Unbegun.FENCED:
            return None
        if recorded is Unbegun.UNAVAILABLE:  # the settlement will tell the whole story
            item.execution = replace(execution, attempt=attempt)
        if outcome.signal is None:
            await self._note_published(item)
        return outcome

    async def _begin(self, execution: Execution, attempt: int, at_us: int) -> Execution | Unbegun:
        """Record the start; the row as it is then, or why there is no record."""
        try:
            begun = await self._ledger.begin(
                execution.execution_id, fence=execution.fence, attempt=attempt, at_us=at_us
            )
        except Unavailable as error:
            self._counters.add("ledger_errors", error.code)
            return Unbegun.UNAVAILABLE
        return begun or Unbegun.FENCED

    async def _note_published(self, item: Opened) -> None:
        now_us = self._clock.now_us()
        try:
            await self._ledger.published(
                item.execution.execution_id, fence=item.execution.fence, at_us=now_us
            )
        except Unavailable as error:  # after a crash it would be sent again, under the same id
            self._counters.add("ledger_errors", error.code)
        item.execution = replace(item.execution, published_us=now_us)

    async def _hear(self, item: Opened, *, since_us: int) -> Outcome:
        """Wait for the target; its verdict comes from elsewhere, so only silence ends this."""
        timeout_us = item.event.timeout_ms * 1000
        deadline_us = since_us + timeout_us
        item.phase = Phase.HEARING
        while True:
            item.progress.clear()
            wait_us = deadline_us - self._clock.now_us()
            try:
                async with asyncio.timeout(max(wait_us, 0) / 1_000_000):
                    await item.progress.wait()
            except TimeoutError:
                break
            deadline_us = self._clock.now_us() + timeout_us
        return Outcome(
            Signal.FAILED_RETRYABLE,
            "timeout",
            Reason.TIMEOUT,
            error=f"the target did not report within {item.event.timeout_ms / 1000:g} s",
        )

    async def _until(self, instant_us: int) -> None:
        """Sleep to an instant; in pieces, so that a step of the clock acts within a second."""
        while (wait_us := instant_us - self._clock.now_us()) > 0:  # noqa: ASYNC110 - no event
            await asyncio.sleep(min(wait_us / 1_000_000, 1.0))

    async def _bus_ready(self, event: Event, expires_us: int) -> bool:
        """Wait for a broker, if the action needs one, until the grace is over."""
        if not isinstance(event.action, MqttAction) or self._bus_up.is_set():
            return True
        wait_us = expires_us - self._clock.now_us()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(max(wait_us, 0) / 1_000_000):
                await self._bus_up.wait()
        return self._bus_up.is_set()

    def _slot(self, event: Event) -> AbstractAsyncContextManager[object]:
        """A worker for what waits for an answer; plain publishing is pipelined by the bus."""
        answers = event.require_ack or isinstance(event.action, HttpAction)
        return self._workers if answers else _no_slot()


@contextlib.asynccontextmanager
async def _no_slot() -> AsyncIterator[None]:
    yield
