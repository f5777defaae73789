"""New executions: claims of due instants, and starts that no trigger made.

What is inserted here may be published once the transaction is committed, and nothing else.
Source: scheduling.md §5, "Claim".
"""

import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from alicia.adapters.sql.ledger_codec import read_execution
from alicia.adapters.sql.ledger_rows import (
    admitted,
    insert_execution,
    open_rows,
    waits,
)
from alicia.base.errors import NotFound
from alicia.scheduling.event import OverlapPolicy
from alicia.scheduling.execution import Execution, ExecutionStatus, Reason
from alicia.scheduling.lease import Lease
from alicia.scheduling.overlap import Admission
from alicia.scheduling.plan import Closed, DuePlan, Run
from alicia.scheduling.ports import ClaimResult, Settled, Start


def claim(
    connection: sqlite3.Connection,
    plans: Sequence[DuePlan],
    lease: Lease,
    now_us: int,
    new_id: Callable[[], str],
) -> ClaimResult:
    """Insert the rows of all plans that are not stale, and move their events on."""
    batch = _Batch(connection, lease, now_us, new_id)
    for plan in plans:
        batch.add(plan)
    return ClaimResult(
        runnable=tuple(batch.runnable),
        cancel=tuple(batch.cancel),
        closed=tuple(batch.closed),
        stale=tuple(batch.stale),
        ended=tuple(batch.ended),
    )


def trigger(connection: sqlite3.Connection, start: Start, lease: Lease, now_us: int) -> Settled:
    """Insert one start; the same ``dedupe`` gives the row that is there."""
    row = connection.execute(
        "SELECT overlap FROM event WHERE event_id = ?", (start.event_id,)
    ).fetchone()
    if row is None:
        raise NotFound(f"there is no event {start.event_id[:64]!r}")
    known = _same_start(connection, start)
    if known is not None:
        return Settled(known, applied=False)
    execution = Execution(
        execution_id=start.execution_id,
        event_id=start.event_id,
        due_us=start.due_us,
        origin=start.origin,
        claimed_us=now_us,
        not_before_us=now_us,
        owner=lease.node_id,
        payload=start.payload,
        dedupe=start.dedupe,
        hops=start.hops,
    )
    open_now = open_rows(connection, start.event_id)
    execution, admission = admitted(execution, OverlapPolicy(row["overlap"]), open_now, late=False)
    while not insert_execution(connection, execution, boot=lease.boot):
        execution = replace(execution, due_us=execution.due_us + 1)
    _count(connection, start.event_id, runs=int(not execution.status.final), missed=0)
    if execution.status.final:
        _set_last_status(connection, start.event_id, execution.status)
    startable = () if execution.status.final or waits(execution) else (execution,)
    cancel = open_now if admission is Admission.REPLACE else ()
    return Settled(execution, applied=True, released=startable, cancel=cancel)


@dataclass(slots=True)
class _Batch:
    """One claim in the making, and what it has inserted so far."""

    connection: sqlite3.Connection
    lease: Lease
    now_us: int
    new_id: Callable[[], str]
    runnable: list[Execution] = field(default_factory=list)
    cancel: list[Execution] = field(default_factory=list)
    closed: list[Execution] = field(default_factory=list)
    stale: list[str] = field(default_factory=list)
    ended: list[str] = field(default_factory=list)

    def add(self, plan: DuePlan) -> None:
        """Insert one plan's rows, unless the event has changed since it was made."""
        event = self._event_if_current(plan)
        if event is None:
            self.stale.append(plan.event_id)
            return
        passed = self._pass_over(plan, (*plan.missed, *plan.skipped))
        runs, beyond = 0, []
        for run in plan.run:
            if plan.max_runs is None or event["run_count"] + runs < plan.max_runs:
                runs += self._run(plan, run, OverlapPolicy(event["overlap"]))
            else:
                beyond.append(_beyond(run))
        passed += self._pass_over(plan, beyond)
        next_due_us = plan.next_due_us
        if plan.max_runs is not None and event["run_count"] + runs >= plan.max_runs:
            next_due_us = None
            self.ended.append(plan.event_id)
        self.connection.execute(
            "UPDATE event SET next_due = ? WHERE event_id = ?", (next_due_us, plan.event_id)
        )
        missed = sum(row.count for row in passed if row.status is ExecutionStatus.MISSED)
        _count(self.connection, plan.event_id, runs=runs, missed=missed)
        if passed and not runs:
            newest = max(passed, key=lambda row: row.due_us)
            _set_last_status(self.connection, plan.event_id, newest.status)

    def _event_if_current(self, plan: DuePlan) -> sqlite3.Row | None:
        row: sqlite3.Row | None = self.connection.execute(
            "SELECT overlap, run_count FROM event WHERE event_id = ? AND rev = ? AND next_due = ?",
            (plan.event_id, plan.rev, plan.seen_due_us),
        ).fetchone()
        return row

    def _pass_over(self, plan: DuePlan, items: Sequence[Closed]) -> list[Execution]:
        """Record instants that are not executed; returns the rows that were not there yet."""
        rows = [
            row
            for row in map(partial(self._closed_row, plan), items)
            if insert_execution(self.connection, row, boot=self.lease.boot)
        ]
        self.closed.extend(rows)
        return rows

    def _run(self, plan: DuePlan, run: Run, overlap: OverlapPolicy) -> int:
        """Insert one run as its event's overlap policy wants it; 1 where it will be executed."""
        open_now = open_rows(self.connection, plan.event_id)
        row, admission = admitted(self._run_row(plan, run), overlap, open_now, late=run.late)
        if not insert_execution(self.connection, row, boot=self.lease.boot):
            return 0
        if row.status.final:
            self.closed.append(row)
            return 0
        if admission is Admission.REPLACE:
            self.cancel.extend(open_now)
        if not waits(row):
            self.runnable.append(row)
        return 1

    def _run_row(self, plan: DuePlan, run: Run) -> Execution:
        return Execution(
            execution_id=self.new_id(),
            event_id=plan.event_id,
            due_us=run.due_us,
            claimed_us=self.now_us,
            not_before_us=run.not_before_us,
            owner=self.lease.node_id,
        )

    def _closed_row(self, plan: DuePlan, item: Closed) -> Execution:
        return Execution(
            execution_id=self.new_id(),
            event_id=plan.event_id,
            due_us=item.due_us,
            due_to_us=item.due_to_us if item.count > 1 else None,
            count=item.count,
            status=item.status,
            reason=item.reason,
            claimed_us=self.now_us,
            not_before_us=self.now_us,
            ended_us=self.now_us,
            owner=self.lease.node_id,
        )


def _beyond(run: Run) -> Closed:
    """An instant after the last execution that the event was allowed."""
    return Closed(ExecutionStatus.SKIPPED, Reason.MAX_RUNS, run.due_us, run.due_us)


def _same_start(connection: sqlite3.Connection, start: Start) -> Execution | None:
    if start.dedupe is None:
        return None
    row = connection.execute(
        "SELECT * FROM execution WHERE event_id = ? AND dedupe = ?",
        (start.event_id, start.dedupe),
    ).fetchone()
    return None if row is None else read_execution(row)


def _count(connection: sqlite3.Connection, event_id: str, *, runs: int, missed: int) -> None:
    if runs or missed:
        connection.execute(
            "UPDATE event SET run_count = run_count + ?, missed_count = missed_count + ?"
            " WHERE event_id = ?",
            (runs, missed, event_id),
        )


def _set_last_status(
    connection: sqlite3.Connection, event_id: str, status: ExecutionStatus
) -> None:
    """Say that something became of an event; what was passed over hides no result of a run."""
    connection.execute(
        "UPDATE event SET last_status = ?"
        " WHERE event_id = ? AND (last_status IS NULL OR ? = 'missed')",
        (status.value, event_id, status.value),
    )
