"""Leases of nodes, and what becomes of the open executions of a dead one.

Source: scheduling.md §5 "Lease", the crash table.
"""

import sqlite3
from dataclasses import replace
from typing import Final

from alicia.adapters.sql.ledger_codec import read_execution
from alicia.adapters.sql.ledger_rows import waits
from alicia.adapters.sql.ledger_settle import settle
from alicia.scheduling.event import Delivery
from alicia.scheduling.execution import Execution, ExecutionStatus, Reason, Signal
from alicia.scheduling.lease import LEASE_MS, Lease
from alicia.scheduling.ports import Settlement

# The database's own clock, so that nodes with different clocks agree.
_NOW_MS: Final = "CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)"


def renew(connection: sqlite3.Connection, lease: Lease) -> None:
    """Hold the lease for LEASE_MS more."""
    connection.execute(
        f"INSERT INTO node VALUES (?, ?, {_NOW_MS} + ?)"  # noqa: S608 - a constant
        " ON CONFLICT (node_id) DO UPDATE"
        " SET boot = excluded.boot, lease_until = excluded.lease_until",
        (lease.node_id, lease.boot, LEASE_MS),
    )


def release(connection: sqlite3.Connection, lease: Lease) -> None:
    """End the lease of this boot of this node."""
    connection.execute(
        "DELETE FROM node WHERE node_id = ? AND boot = ?", (lease.node_id, lease.boot)
    )


def takeover(
    connection: sqlite3.Connection, lease: Lease, now_us: int, limit: int
) -> tuple[Execution, ...]:
    """Make open rows of dead nodes and of earlier boots of this node ours."""
    rows = connection.execute(
        "SELECT execution.*, json_extract(event.spec, '$.delivery') AS delivery"  # noqa: S608
        " FROM execution JOIN event USING (event_id)"
        " LEFT JOIN node ON node.node_id = execution.owner AND node.boot = execution.boot"
        " WHERE execution.status IN ('pending', 'running')"
        " AND NOT (execution.owner = :node AND execution.boot = :boot)"
        " AND (execution.owner = :node OR node.node_id IS NULL"
        f" OR node.lease_until < {_NOW_MS})"
        " ORDER BY execution.due LIMIT :limit",
        {"node": lease.node_id, "boot": lease.boot, "limit": limit},
    ).fetchall()
    return tuple(_adopt(connection, row, lease, now_us) for row in rows)


def _adopt(
    connection: sqlite3.Connection, row: sqlite3.Row, lease: Lease, now_us: int
) -> Execution:
    found = read_execution(row)
    signal = _signal(found, Delivery(row["delivery"]))
    # A message that surely went out is not sent again, so its attempt goes on; one that surely
    # did not keeps the number of its attempt too. All others may have gone out under it.
    never_sent = waits(found) or found.not_before_us > now_us
    sent_again = signal is Signal.ADOPTED and not never_sent
    mine = replace(
        found,
        fence=found.fence + 1,
        owner=lease.node_id,
        attempt=found.attempt + int(sent_again),
    )
    if signal is not Signal.ADOPTED_PUBLISHED:
        _end_attempt(connection, found, now_us)
    connection.execute(
        "UPDATE execution SET fence = ?, owner = ?, boot = ?, attempt = ? WHERE execution_id = ?",
        (mine.fence, mine.owner, lease.boot, mine.attempt, mine.execution_id),
    )
    unknown = signal is Signal.ADOPTED_UNKNOWN
    settlement = Settlement(
        execution_id=mine.execution_id,
        fence=mine.fence,
        signal=signal,
        at_us=now_us,
        reason=Reason.UNKNOWN_OUTCOME if unknown else mine.reason,
        error="the scheduler ended after sending and before the answer" if unknown else "",
    )
    return settle(connection, settlement, lease).execution


def _signal(execution: Execution, delivery: Delivery) -> Signal:
    if execution.status is ExecutionStatus.PENDING:
        return Signal.ADOPTED
    if execution.published_us is not None:
        return Signal.ADOPTED_PUBLISHED
    at_most_once = delivery is Delivery.AT_MOST_ONCE
    return Signal.ADOPTED_UNKNOWN if at_most_once else Signal.ADOPTED


def _end_attempt(connection: sqlite3.Connection, execution: Execution, now_us: int) -> None:
    connection.execute(
        "UPDATE attempt SET ended = ?, outcome = 'interrupted'"
        " WHERE execution_id = ? AND ended IS NULL",
        (now_us, execution.execution_id),
    )
