"""History: read executions in pages, and fold what is older than the kept number."""

import sqlite3

from alicia.adapters.sql.ledger_codec import decode_cursor, page_of, read_execution
from alicia.adapters.sql.ledger_rows import attempts_of
from alicia.scheduling.execution import Execution
from alicia.scheduling.ports import ExecutionFilter, Page


def open_executions(connection: sqlite3.Connection, limit: int) -> tuple[Execution, ...]:
    """Pending and running rows, oldest first."""
    rows = connection.execute(
        "SELECT * FROM execution WHERE status IN ('pending', 'running')"
        " ORDER BY due, execution_id LIMIT ?",
        (limit,),
    )
    return tuple(read_execution(row) for row in rows)


def page(
    connection: sqlite3.Connection, where: ExecutionFilter, limit: int, cursor: str
) -> Page[Execution]:
    """A page of executions with their attempts, newest due instant first."""
    conditions, values = _conditions(where)
    if cursor:
        conditions.append("(due, execution_id) < (?, ?)")
        values.extend(decode_cursor(cursor))
    rows = connection.execute(
        f"SELECT * FROM execution WHERE {' AND '.join(conditions) or '1'}"  # noqa: S608
        " ORDER BY due DESC, execution_id DESC LIMIT ?",
        (*values, limit + 1),
    ).fetchall()
    items = tuple(
        read_execution(row, attempts_of(connection, row["execution_id"])) for row in rows[:limit]
    )
    return page_of(items, more=len(rows) > limit, place=_place)


def prune(connection: sqlite3.Connection, keep: int, limit: int) -> int:
    """Fold final rows beyond the newest ``keep`` of each event into range rows.

    One range row stays per event, status and origin; at most ``limit`` rows go in one call.
    Returns how many went.
    """
    crowded = connection.execute(
        "SELECT event_id FROM execution GROUP BY event_id HAVING count(*) > ?", (keep,)
    ).fetchall()
    gone = 0
    for (event_id,) in crowded:
        if gone >= limit:
            break
        gone += _fold(connection, event_id, keep=keep, limit=limit - gone)
    return gone


def _fold(connection: sqlite3.Connection, event_id: str, *, keep: int, limit: int) -> int:
    old = connection.execute(
        "SELECT execution_id, due, due_to, count, status, origin FROM execution"
        " WHERE event_id = ? AND status NOT IN ('pending', 'running')"
        " ORDER BY due DESC, execution_id DESC LIMIT -1 OFFSET ?",
        (event_id, keep),
    ).fetchall()
    groups: dict[tuple[str, str], list[sqlite3.Row]] = {}
    for row in reversed(old):  # oldest first: the oldest row of a group becomes its range row
        groups.setdefault((row["status"], row["origin"]), []).append(row)
    gone = 0
    for rows in groups.values():
        folded = rows[: limit - gone + 1]
        if len(folded) > 1:
            _merge(connection, folded)
            gone += len(folded) - 1
    return gone


def _merge(connection: sqlite3.Connection, rows: list[sqlite3.Row]) -> None:
    last = max(row["due_to"] or row["due"] for row in rows)
    first, rest = rows[0], rows[1:]
    connection.executemany(
        "DELETE FROM execution WHERE execution_id = ?", [(row["execution_id"],) for row in rest]
    )
    connection.execute("DELETE FROM attempt WHERE execution_id = ?", (first["execution_id"],))
    connection.execute(
        "UPDATE execution SET due_to = ?, count = ?, result = NULL, payload = NULL, error = ''"
        " WHERE execution_id = ?",
        (last, sum(row["count"] for row in rows), first["execution_id"]),
    )


def _place(execution: Execution) -> tuple[int, str]:
    return execution.due_us, execution.execution_id


def _conditions(where: ExecutionFilter) -> tuple[list[str], list[object]]:
    wanted = (
        ("event_id = ?", where.event_id or None),
        ("status = ?", where.status.value if where.status else None),
        ("due >= ?", where.since_us),
        ("due <= ?", where.until_us),
    )
    given = [(condition, value) for condition, value in wanted if value is not None]
    return [condition for condition, _ in given], [value for _, value in given]
