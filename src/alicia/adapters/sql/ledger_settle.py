"""What happens to an execution after its claim; only the owner with the newest fence may say.

Source: scheduling.md §5 "Settle", §6.
"""

import sqlite3
from dataclasses import replace
from typing import Final

from alicia.adapters.sql.ledger_claims import trigger
from alicia.adapters.sql.ledger_codec import encode_json, read_execution
from alicia.adapters.sql.ledger_rows import execution_row, load_execution, release_next
from alicia.base.errors import NotFound
from alicia.scheduling.execution import Execution, ExecutionStatus, Signal, transition
from alicia.scheduling.lease import Lease
from alicia.scheduling.ports import Settled, Settlement

# These end the current try; the others move the row without judging it.
_COUNTED: Final = {
    ExecutionStatus.COMPLETED: "success_count",
    ExecutionStatus.FAILED: "failure_count",
}


def begin(
    connection: sqlite3.Connection, execution_id: str, fence: int, attempt: int, at_us: int
) -> Execution | None:
    """A try starts: the row is running and has an attempt more."""
    moved = connection.execute(
        "UPDATE execution SET status = 'running', reason = NULL, published = NULL, attempt = ?,"
        " started = coalesce(started, ?)"
        " WHERE execution_id = ? AND fence = ? AND status = 'pending'",
        (attempt, at_us, execution_id, fence),
    ).rowcount
    if not moved:
        return None
    connection.execute(
        "INSERT INTO attempt VALUES (?, ?, ?, ?, NULL, '', '')",
        (execution_id, attempt, fence, at_us),
    )
    return load_execution(connection, execution_id)


def published(connection: sqlite3.Connection, execution_id: str, fence: int, at_us: int) -> bool:
    """The broker has the message; the target's word is awaited."""
    moved = connection.execute(
        "UPDATE execution SET published = ?"
        " WHERE execution_id = ? AND fence = ? AND status = 'running'",
        (at_us, execution_id, fence),
    ).rowcount
    return moved > 0


def settle(connection: sqlite3.Connection, settlement: Settlement, lease: Lease) -> Settled:
    """Apply one outcome, where the fence is the row's and the row is open."""
    row = execution_row(connection, settlement.execution_id)
    before = read_execution(row)
    if before.fence != settlement.fence or before.status.final:
        return Settled(before, applied=False)
    after = _moved(before, settlement)
    _close_attempt(connection, before, settlement)
    _write(connection, after)
    if not after.status.final:
        return Settled(after, applied=True)
    _count_final(connection, after)
    released = list(release_next(connection, after.event_id))
    cancel: list[Execution] = []
    for start in settlement.chained:
        try:
            child = trigger(connection, start, lease, settlement.at_us)
        except NotFound:
            continue  # the named event was purged meanwhile; there is nothing to start
        released.extend(child.released)
        cancel.extend(child.cancel)
    return Settled(after, applied=True, released=tuple(released), cancel=tuple(cancel))


def _moved(before: Execution, settlement: Settlement) -> Execution:
    """The row after a signal."""
    status = transition(before.status, settlement.signal)
    retried = settlement.signal is Signal.FAILED_RETRYABLE
    at_us = settlement.at_us
    if not status.final:
        return replace(
            before,
            status=status,
            reason=settlement.reason,
            not_before_us=settlement.not_before_us or before.not_before_us,
            retries=before.retries + int(retried),
            published_us=before.published_us if status is ExecutionStatus.RUNNING else None,
            error=settlement.error or before.error,
        )
    succeeded = status is ExecutionStatus.COMPLETED
    return replace(
        before,
        status=status,
        reason=settlement.reason,
        started_us=before.started_us or (at_us if succeeded else None),
        ended_us=at_us,
        result=settlement.result,
        error=settlement.error,
    )


def _write(connection: sqlite3.Connection, execution: Execution) -> None:
    connection.execute(
        "UPDATE execution SET status = ?, reason = ?, not_before = ?, retries = ?, attempt = ?,"
        " fence = ?, owner = ?, published = ?, started = ?, ended = ?, result = ?, error = ?"
        " WHERE execution_id = ?",
        (
            execution.status.value,
            execution.reason.value if execution.reason else None,
            execution.not_before_us,
            execution.retries,
            execution.attempt,
            execution.fence,
            execution.owner,
            execution.published_us,
            execution.started_us,
            execution.ended_us,
            encode_json(execution.result) if execution.result is not None else None,
            execution.error,
            execution.execution_id,
        ),
    )


def _close_attempt(
    connection: sqlite3.Connection, execution: Execution, settlement: Settlement
) -> None:
    connection.execute(
        "UPDATE attempt SET ended = ?, outcome = ?, error = ?"
        " WHERE execution_id = ? AND n = ? AND ended IS NULL",
        (
            settlement.at_us,
            settlement.outcome or settlement.signal.value,
            settlement.error,
            execution.execution_id,
            execution.attempt,
        ),
    )


def _count_final(connection: sqlite3.Connection, execution: Execution) -> None:
    counter = _COUNTED.get(execution.status)
    extra = f", {counter} = {counter} + 1" if counter else ""
    connection.execute(
        f"UPDATE event SET last_status = ?, last_run = coalesce(?, last_run){extra}"  # noqa: S608
        " WHERE event_id = ?",
        (execution.status.value, execution.started_us, execution.event_id),
    )
