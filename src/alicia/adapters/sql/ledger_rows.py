"""Rows of executions: insert one, read one, and the two moves that follow from others' rows."""

import sqlite3
from dataclasses import replace

from alicia.adapters.sql.ledger_codec import execution_values, read_execution
from alicia.base.errors import NotFound
from alicia.scheduling.event import OverlapPolicy
from alicia.scheduling.execution import Attempt, Execution, ExecutionStatus, Reason
from alicia.scheduling.overlap import Admission, admit


def insert_execution(connection: sqlite3.Connection, execution: Execution, *, boot: str) -> bool:
    """Insert a row unless one with its key is there; says whether it was inserted."""
    values = execution_values(execution, boot=boot)
    columns, marks = ", ".join(values), ", ".join(f":{name}" for name in values)
    cursor = connection.execute(
        f"INSERT INTO execution ({columns}) VALUES ({marks})"  # noqa: S608 - our column names
        " ON CONFLICT (event_id, due, origin) DO NOTHING",
        values,
    )
    return cursor.rowcount > 0


def execution_row(connection: sqlite3.Connection, execution_id: str) -> sqlite3.Row:
    """The row of one execution.

    Raises:
        NotFound: there is none.
    """
    row: sqlite3.Row | None = connection.execute(
        "SELECT * FROM execution WHERE execution_id = ?", (execution_id,)
    ).fetchone()
    if row is None:
        raise NotFound(f"there is no execution {execution_id[:64]!r}")
    return row


def load_execution(connection: sqlite3.Connection, execution_id: str) -> Execution:
    """One execution with its attempts.

    Raises:
        NotFound: there is none.
    """
    row = execution_row(connection, execution_id)
    return read_execution(row, attempts_of(connection, execution_id))


def attempts_of(connection: sqlite3.Connection, execution_id: str) -> list[Attempt]:
    """The attempts of one execution, in order."""
    rows = connection.execute(
        "SELECT * FROM attempt WHERE execution_id = ? ORDER BY n", (execution_id,)
    )
    return [
        Attempt(
            n=row["n"],
            fence=row["fence"],
            started_us=row["started"],
            ended_us=row["ended"],
            outcome=row["outcome"],
            error=row["error"],
        )
        for row in rows
    ]


def open_rows(connection: sqlite3.Connection, event_id: str) -> tuple[Execution, ...]:
    """Pending and running executions of one event, oldest first."""
    rows = connection.execute(
        "SELECT * FROM execution WHERE event_id = ? AND status IN ('pending', 'running')"
        " ORDER BY due, execution_id",
        (event_id,),
    )
    return tuple(read_execution(row) for row in rows)


def admitted(
    execution: Execution, policy: OverlapPolicy, open_now: tuple[Execution, ...], *, late: bool
) -> tuple[Execution, Admission]:
    """A new execution in the state that the overlap policy gives it."""
    queued = sum(1 for other in open_now if waits(other))
    admission = admit(policy, running=len(open_now) - queued, queued=queued, catch_up=late)
    match admission:
        case Admission.START | Admission.REPLACE:
            return execution, admission
        case Admission.QUEUE:
            return replace(execution, reason=Reason.QUEUED), admission
        case Admission.SKIP:
            reason = Reason.OVERLAP
        case Admission.FULL:
            reason = Reason.QUEUE_FULL
    ended = execution.claimed_us
    return replace(
        execution, status=ExecutionStatus.SKIPPED, reason=reason, ended_us=ended
    ), admission


def waits(execution: Execution) -> bool:
    """Whether it is queued behind another execution of its event."""
    return execution.status is ExecutionStatus.PENDING and execution.reason is Reason.QUEUED


def release_next(connection: sqlite3.Connection, event_id: str) -> tuple[Execution, ...]:
    """Let the oldest queued execution go when nothing else of its event is open."""
    open_now = open_rows(connection, event_id)
    if not open_now or not all(waits(execution) for execution in open_now):
        return ()
    first = replace(open_now[0], reason=None)
    connection.execute(
        "UPDATE execution SET reason = NULL WHERE execution_id = ?", (first.execution_id,)
    )
    return (first,)
