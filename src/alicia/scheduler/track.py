"""Open executions: driven try by try to a final status, whatever the target says in between.

Source: scheduling.md §6.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, Final

from alicia.base.clock import Clock, Random, uuid7
from alicia.base.counters import Counters
from alicia.base.errors import NotFound, Unavailable
from alicia.scheduler.attempts import INTERRUPTED_WAIT_US, Attempts
from alicia.scheduler.opened import Opened, Phase, Verdict
from alicia.scheduling.event import Event, EventRecord, MqttAction
from alicia.scheduling.execution import Execution, Origin, Reason, Signal
from alicia.scheduling.ports import Ledger, Outcome, Settled, Settlement, Start
from alicia.scheduling.retry import retry_at
from alicia.wire.commands import Outcome as Word
from alicia.wire.commands import Report
from alicia.wire.envelope import HOPS_MAX

_AGAIN_SECONDS: Final = 0.5
_log = logging.getLogger(__name__)

ExecutionListener = Callable[[Execution], None]
CancelSender = Callable[[str, str], None]  # topic of the action, execution id
EventFinder = Callable[[str], Awaitable[EventRecord]]


class Tracker:
    """All open executions of this node; belongs to one event loop.

    Whatever acts on an execution claims its id in the one registry before it first waits for
    anything, so that two of them never work beside each other.
    """

    def __init__(
        self,
        *,
        ledger: Ledger,
        attempts: Attempts,
        event_of: EventFinder,
        event_named: EventFinder,
        on_change: ExecutionListener,
        send_cancel: CancelSender,
        clock: Clock,
        random: Random,
        counters: Counters,
    ) -> None:
        self._ledger = ledger
        self._attempts = attempts
        self._event_of = event_of
        self._event_named = event_named
        self._on_change = on_change
        self._send_cancel = send_cancel
        self._clock = clock
        self._random = random
        self._counters = counters
        self._opened: dict[str, Opened] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._stopping = False

    def __len__(self) -> int:
        return len(self._opened)

    async def start(self, executions: Iterable[Execution]) -> None:
        """Take over committed open rows, each once; each is driven by a task of its own."""
        items = []
        for execution in executions:
            if execution.execution_id in self._opened:
                continue
            self._on_change(execution)
            if not (execution.status.final or self._stopping):
                items.append(self._open(execution))
        for item in items:
            await self._drive(item)

    async def cancel(self, execution: Execution, *, reason: Reason) -> Execution:
        """End an execution; a target that was asked to act is told to stop.

        Returns the row as it is afterwards: a final one stays what it was.
        """
        outcome = Outcome(Signal.CANCEL, "cancelled", reason)
        item = self._opened.get(execution.execution_id)
        if item is None:  # queued behind another one: it comes up only to be ended
            item = self._open(execution)
            verdict = _decide(item, outcome)
            await self._drive(item)
        else:
            if item.phase is Phase.HEARING and isinstance(item.event.action, MqttAction):
                self._send_cancel(item.event.action.topic, execution.execution_id)
            verdict = _decide(item, outcome)
        await verdict.answered()
        return await self._ledger.execution(execution.execution_id)

    async def report(self, report: Report) -> bool:
        """Take a target's word; False where it was not stored, as for what is not open (any more).

        Failure is a word on one try, so it counts only while one is under way; success ends the
        execution whichever try it speaks of.
        """
        item = self._opened.get(report.execution_id)
        failed = report.outcome is Word.FAILED
        if item is None or (failed and not item.under_way):
            self._counters.add("reports_late")
            return False
        if report.outcome is Word.PROGRESS:
            item.progress.set()
            return True
        return await _decide(item, _reported(report, failed=failed)).answered()

    async def stop(self, grace_seconds: float) -> None:
        """Begin no more tries and give those under way a moment; the rest is taken up again."""
        self._stopping = True
        ending: dict[Phase, list[asyncio.Task[None]]] = {phase: [] for phase in Phase}
        for item in self._opened.values():
            if item.task is not None:
                ending[item.phase].append(item.task)
        for task in ending[Phase.WAITING]:
            task.cancel()
        if busy := ending[Phase.ACTING] + ending[Phase.SETTLING]:
            await asyncio.wait(busy, timeout=grace_seconds)
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for item in tuple(self._opened.values()):  # whose tasks had not even begun
            self._let_go(item)

    def _open(self, execution: Execution) -> Opened:
        """Claim the id of an execution."""
        item = Opened(execution)
        self._opened[execution.execution_id] = item
        return item

    def _let_go(self, item: Opened) -> None:
        self._opened.pop(item.execution.execution_id, None)
        if verdict := item.take_verdict():
            verdict.answer(stored=False)

    async def _drive(self, item: Opened) -> None:
        """Read the event and begin the execution's task.

        A row whose event was purged meanwhile has no history to write, and is let go.
        """
        while not self._stopping:
            try:
                item.definition = (await self._event_of(item.execution.event_id)).event
                break
            except NotFound:
                break
            except Unavailable as error:
                self._counters.add("ledger_errors", error.code)
                await asyncio.sleep(_AGAIN_SECONDS)
            except Exception:
                self._counters.add("execution_errors")
                _log.exception("execution %s cannot begin", item.execution.execution_id)
                break
        if item.definition is None or self._stopping:
            self._let_go(item)
            return
        item.task = asyncio.create_task(self._live(item))
        self._tasks.add(item.task)
        item.task.add_done_callback(self._tasks.discard)

    async def _live(self, item: Opened) -> None:
        """Try until the execution is final; at a stop, until the present try is judged."""
        verdict: Verdict | None = None
        try:
            while not (item.execution.status.final or self._stopping):
                outcome, verdict = await self._first_word(item)
                if outcome is None:
                    self._counters.add("fenced")
                    break
                item.phase = Phase.SETTLING
                settled = await self._settle_row(item.execution, outcome, item.event)
                if verdict is not None:
                    verdict.answer(stored=settled.applied)
                await self._follow(settled)
                if not settled.applied:
                    break
                item.execution, item.phase = settled.execution, Phase.WAITING
        except Exception:
            self._counters.add("execution_errors")
            _log.exception("execution %s cannot go on", item.execution.execution_id)
        finally:
            # At a stop this is a cancelled task: the row is taken up again at the next start.
            if verdict is not None:
                verdict.answer(stored=False)
            self._let_go(item)

    async def _first_word(self, item: Opened) -> tuple[Outcome | None, Verdict | None]:
        """The outcome of a try, or a verdict from outside where that comes first.

        When both are there, only the success of the try stands against the verdict. No outcome:
        the row is not ours any more.
        """
        if verdict := item.take_verdict():
            return verdict.outcome, verdict
        attempt = asyncio.create_task(self._try(item))
        try:
            either: set[asyncio.Future[Any]] = {attempt, item.verdict}
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            done = attempt.result() if attempt.done() else None
            if done is not None and done.signal is Signal.SUCCEEDED:
                return done, None
            verdict = item.take_verdict()
            if verdict is not None:
                return verdict.outcome, verdict
            return done, None
        finally:
            if not attempt.done():
                attempt.cancel()
                await asyncio.gather(attempt, return_exceptions=True)

    async def _try(self, item: Opened) -> Outcome | None:
        """One try; where our own code fails in the middle of it, it has failed as any other."""
        try:
            return await self._attempts.make(item)
        except Exception:
            if not item.under_way:
                raise
            self._counters.add("execution_errors")
            _log.exception("a try of execution %s broke off", item.execution.execution_id)
            return Outcome(
                Signal.FAILED_RETRYABLE,
                "internal_error",
                error="a fault of Alicia's own; the scheduler's log has it",
            )

    async def _settle_row(self, execution: Execution, outcome: Outcome, event: Event) -> Settled:
        """Store an outcome, as often as it takes."""
        settlement = await self._settlement(execution, outcome, event)
        while True:
            try:
                (settled,) = await self._ledger.settle([settlement])
                break
            except Unavailable as error:
                self._counters.add("ledger_errors", error.code)
                await asyncio.sleep(_AGAIN_SECONDS)
        if settled.applied:
            self._on_change(settled.execution)
        else:
            self._counters.add("fenced")
        return settled

    async def _follow(self, settled: Settled) -> None:
        await self.start(settled.released)
        for other in settled.cancel:
            await self.cancel(other, reason=Reason.CANCEL_RUNNING)

    async def _settlement(self, execution: Execution, outcome: Outcome, event: Event) -> Settlement:
        assert outcome.signal is not None, "only what is decided is settled"
        now_us = self._clock.now_us()
        signal, not_before_us = outcome.signal, 0
        if signal is Signal.INTERRUPTED:
            not_before_us = now_us + INTERRUPTED_WAIT_US
        if signal is Signal.FAILED_RETRYABLE:
            again = retry_at(
                event.retry, retries=execution.retries, failed_us=now_us, random=self._random
            )
            signal = Signal.FAILED_FINAL if again is None else signal
            not_before_us = again or 0
        return Settlement(
            execution_id=execution.execution_id,
            fence=execution.fence,
            signal=signal,
            at_us=now_us,
            reason=outcome.reason,
            result=outcome.result,
            error=outcome.error,
            outcome=outcome.code,
            not_before_us=not_before_us,
            chained=await self._chained(execution, signal, event, now_us),
        )

    async def _chained(
        self, execution: Execution, signal: Signal, event: Event, now_us: int
    ) -> tuple[Start, ...]:
        """The starts that follow from a final status; past HOPS_MAX a chain ends, counted."""
        succeeded = signal is Signal.SUCCEEDED
        failed = signal in (Signal.FAILED_FINAL, Signal.UNREACHABLE)
        names = event.on_success if succeeded else event.on_failure if failed else ()
        if names and execution.hops + 1 >= HOPS_MAX:
            self._counters.add("chain_ended", "hops", len(names))
            return ()
        starts = []
        for name in names:
            try:
                record = await self._event_named(name)
            except NotFound:
                self._counters.add("chain_ended", "not_found")
                continue
            starts.append(
                Start(
                    event_id=record.event.event_id,
                    execution_id=uuid7(now_ms=now_us // 1000, random=self._random),
                    due_us=now_us,
                    origin=Origin.CHAINED,
                    dedupe=execution.execution_id,
                    hops=execution.hops + 1,
                )
            )
        return tuple(starts)


def _decide(item: Opened, outcome: Outcome) -> Verdict:
    """Hand a verdict to the execution's own task; an earlier one that waits stands instead."""
    if not item.verdict.done():
        item.verdict.set_result(Verdict(outcome))
    return item.verdict.result()


def _reported(report: Report, *, failed: bool) -> Outcome:
    if not failed:
        return Outcome(Signal.SUCCEEDED, "reported", result=report.result)
    return Outcome(
        Signal.FAILED_RETRYABLE,
        "reported",
        Reason.REPORTED,
        result=report.result,
        error=report.error or "the target reported failure",
    )
