"""Events in the ledger: store, edit, list. Every function runs inside the caller's transaction."""

import sqlite3
from collections.abc import Sequence
from typing import Final

from alicia.adapters.sql.ledger_codec import (
    decode_cursor,
    decode_event,
    encode_event,
    page_of,
    read_record,
)
from alicia.adapters.sql.ledger_rows import insert_execution
from alicia.base.errors import Conflict, NotFound
from alicia.scheduling.event import EventRecord, EventStatus, Lifecycle
from alicia.scheduling.execution import Execution
from alicia.scheduling.ports import EventFilter, Page, Remembered, Revision, Totals, id_taken

_OPEN_COUNT: Final = (
    "(SELECT count(*) FROM execution WHERE execution.event_id = event.event_id"
    " AND execution.status IN ('pending', 'running')) AS open_count"
)
SELECT_EVENT: Final = f"SELECT event.*, {_OPEN_COUNT} FROM event"  # noqa: S608 - constants only

# The same rule as EventRecord.status; the contract suite holds both against each other.
_STATUS: Final = """CASE
    WHEN lifecycle = 'cancelled' THEN 'cancelled'
    WHEN lifecycle = 'paused' OR NOT enabled THEN 'paused'
    WHEN open_count > 0 THEN 'running'
    WHEN next_due IS NOT NULL OR (run_count = 0 AND last_status IS NULL) THEN 'pending'
    WHEN last_status = 'failed' THEN 'failed'
    ELSE 'completed' END"""
_ACTIVE: Final = (EventStatus.PENDING.value, EventStatus.RUNNING.value)


def add(
    connection: sqlite3.Connection, record: EventRecord, remember: Remembered | None
) -> EventRecord:
    """Insert an event, its first revision and the answer to its key."""
    event = record.event
    if remember is not None:
        _remember(connection, remember, at_us=event.created_us)
    values = _event_values(record)
    values |= {"event_id": event.event_id, "created": event.created_us}
    columns, marks = ", ".join(values), ", ".join(f":{name}" for name in values)
    try:
        connection.execute(
            f"INSERT INTO event ({columns}) VALUES ({marks})",  # noqa: S608 - our column names
            values,
        )
    except sqlite3.IntegrityError:
        raise id_taken(event.event_id) from None
    _write_tags(connection, record)
    _open_revision(connection, record, from_us=_first_us(record, event.created_us))
    return get(connection, event.event_id)


def replace(
    connection: sqlite3.Connection,
    record: EventRecord,
    expected_rev: int,
    closed: Sequence[Execution],
) -> EventRecord:
    """Store the next revision of an event where ``expected_rev`` still stands."""
    event_id = record.event.event_id
    values = _event_values(record) | {"rev": expected_rev + 1}
    settings = ", ".join(f"{name} = :{name}" for name in values)
    changed = connection.execute(
        f"UPDATE event SET {settings}"  # noqa: S608 - our column names
        " WHERE event_id = :event_id AND rev = :expected_rev",
        values | {"event_id": event_id, "expected_rev": expected_rev},
    ).rowcount
    if not changed:
        stored = get(connection, event_id)
        raise Conflict(f"the event is at revision {stored.rev}, not {expected_rev}; read it again")
    connection.execute("DELETE FROM event_tag WHERE event_id = ?", (event_id,))
    _write_tags(connection, record)
    connection.execute(
        "UPDATE event_rev SET valid_to = ? WHERE event_id = ? AND valid_to IS NULL",
        (record.event.updated_us, event_id),
    )
    for execution in closed:
        insert_execution(connection, execution, boot="")
    stored = get(connection, event_id)
    _open_revision(connection, stored, from_us=_first_us(record, record.event.updated_us))
    return stored


def get(connection: sqlite3.Connection, event_id: str) -> EventRecord:
    """One event."""
    row = connection.execute(SELECT_EVENT + " WHERE event_id = ?", (event_id,)).fetchone()
    if row is None:
        raise NotFound(f"there is no event {event_id[:64]!r}")
    return read_record(row)


def find(connection: sqlite3.Connection, name: str) -> EventRecord:
    """The newest event of a name that is not cancelled."""
    row = connection.execute(
        f"{SELECT_EVENT} WHERE name = ? AND lifecycle <> 'cancelled'"
        " ORDER BY created DESC, event_id DESC LIMIT 1",
        (name,),
    ).fetchone()
    if row is None:
        raise NotFound(f"there is no event named {name[:64]!r}")
    return read_record(row)


def page(
    connection: sqlite3.Connection, where: EventFilter, limit: int, cursor: str
) -> Page[EventRecord]:
    """A page of events in order of creation."""
    conditions, values = _conditions(where)
    if cursor:
        conditions.append("(created, event_id) > (?, ?)")
        values.extend(decode_cursor(cursor))
    rows = connection.execute(
        f"SELECT * FROM ({SELECT_EVENT}) WHERE {' AND '.join(conditions) or '1'}"  # noqa: S608
        " ORDER BY created, event_id LIMIT ?",
        (*values, limit + 1),
    ).fetchall()
    items = tuple(read_record(row) for row in rows[:limit])
    return page_of(items, more=len(rows) > limit, place=_place)


def purge(connection: sqlite3.Connection, event_id: str) -> None:
    """Delete an event; its history follows by the foreign keys."""
    if not connection.execute("DELETE FROM event WHERE event_id = ?", (event_id,)).rowcount:
        raise NotFound(f"there is no event {event_id[:64]!r}")


def due(connection: sqlite3.Connection, until_us: int, limit: int) -> tuple[EventRecord, ...]:
    """Events with an instant up to ``until_us``, oldest first."""
    rows = connection.execute(
        f"{SELECT_EVENT} WHERE next_due IS NOT NULL AND next_due <= ? ORDER BY next_due LIMIT ?",
        (until_us, limit),
    )
    return tuple(read_record(row) for row in rows)


def resumable(connection: sqlite3.Connection, now_us: int, limit: int) -> tuple[EventRecord, ...]:
    """Paused events whose pause has ended."""
    rows = connection.execute(
        f"{SELECT_EVENT} WHERE paused_until IS NOT NULL AND paused_until <= ? LIMIT ?",
        (now_us, limit),
    )
    return tuple(read_record(row) for row in rows)


def listening(connection: sqlite3.Connection, limit: int) -> tuple[EventRecord, ...]:
    """Events that messages of their own topics start."""
    rows = connection.execute(
        f"{SELECT_EVENT} WHERE listens = 1 AND lifecycle <> 'cancelled' LIMIT ?", (limit,)
    )
    return tuple(read_record(row) for row in rows)


def revisions(
    connection: sqlite3.Connection, event_id: str, start_us: int, end_us: int
) -> tuple[Revision, ...]:
    """What an event was within a window."""
    rows = connection.execute(
        "SELECT * FROM event_rev WHERE event_id = ? AND valid_from <= ?"
        " AND (valid_to IS NULL OR valid_to > ?) ORDER BY rev",
        (event_id, end_us, start_us),
    )
    return tuple(
        Revision(
            event=decode_event(row["spec"]),
            rev=row["rev"],
            valid_from_us=row["valid_from"],
            valid_to_us=row["valid_to"],
            active=bool(row["active"]),
        )
        for row in rows
    )


def totals(connection: sqlite3.Connection) -> Totals:
    """Counts over all events."""
    by_status = {
        row["status"]: row["events"]
        for row in connection.execute(
            f"SELECT {_STATUS} AS status, count(*) AS events"  # noqa: S608 - constants only
            f" FROM ({SELECT_EVENT}) GROUP BY 1"
        )
    }
    sums = connection.execute(
        "SELECT total(run_count), total(success_count), total(failure_count), total(missed_count)"
        " FROM event"
    ).fetchone()
    return Totals(by_status, *(int(value) for value in sums))


def remembered(connection: sqlite3.Connection, key: str) -> Remembered | None:
    """The first answer to an Idempotency-Key."""
    row = connection.execute("SELECT * FROM idempotency WHERE key = ?", (key,)).fetchone()
    return None if row is None else Remembered(row["key"], row["body_hash"], row["answer"])


def forget(connection: sqlite3.Connection, before_us: int) -> int:
    """Drop answers given before an instant; returns how many."""
    return connection.execute("DELETE FROM idempotency WHERE created < ?", (before_us,)).rowcount


def _remember(connection: sqlite3.Connection, remember: Remembered, *, at_us: int) -> None:
    try:
        connection.execute(
            "INSERT INTO idempotency VALUES (?, ?, ?, ?)",
            (remember.key, remember.body_hash, remember.answer, at_us),
        )
    except sqlite3.IntegrityError:
        raise Conflict("the Idempotency-Key was used at the same moment; send it again") from None


def _event_values(record: EventRecord) -> dict[str, object]:
    """The columns that an edit sets; counters are not among them."""
    event = record.event
    return {
        "rev": record.rev,
        "name": event.name,
        "description": event.description,
        "spec": encode_event(event),
        "lifecycle": record.lifecycle.value,
        "enabled": int(event.enabled),
        "overlap": event.overlap.value,
        "listens": int(bool(event.triggers)),
        "paused_until": record.paused_until_us,
        "next_due": record.next_due_us,
        "tz_version": record.tz_version,
        "updated": event.updated_us,
    }


def _write_tags(connection: sqlite3.Connection, record: EventRecord) -> None:
    connection.executemany(
        "INSERT OR IGNORE INTO event_tag VALUES (?, ?)",
        [(tag, record.event.event_id) for tag in record.event.tags],
    )


def _open_revision(connection: sqlite3.Connection, record: EventRecord, *, from_us: int) -> None:
    active = record.lifecycle is Lifecycle.ACTIVE and record.event.enabled
    connection.execute(
        "INSERT INTO event_rev VALUES (?, ?, ?, ?, ?, NULL)",
        (
            record.event.event_id,
            record.rev,
            encode_event(record.event),
            int(active),
            from_us,
        ),
    )


def _first_us(record: EventRecord, stored_us: int) -> int:
    """When a revision comes into force; a fresh ``once`` may be due just before it is stored."""
    return stored_us if record.next_due_us is None else min(stored_us, record.next_due_us)


def _place(record: EventRecord) -> tuple[int, str]:
    return record.event.created_us, record.event.event_id


def _conditions(where: EventFilter) -> tuple[list[str], list[object]]:
    conditions: list[str] = []
    values: list[object] = []
    if where.active_only:
        conditions.append(f"{_STATUS} IN (?, ?)")
        values.extend(_ACTIVE)
    if where.status is not None:
        conditions.append(f"{_STATUS} = ?")
        values.append(where.status.value)
    if where.tag:
        conditions.append("event_id IN (SELECT event_id FROM event_tag WHERE tag = ?)")
        values.append(where.tag)
    if where.search:
        conditions.append("instr(lower(name || char(10) || description), lower(?)) > 0")
        values.append(where.search)
    return conditions, values
