"""The writer thread: grouped transactions, isolated failures, answers after the commit."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from alicia.adapters.sql.errors import DatabaseDamaged, DatabaseUnavailable
from alicia.adapters.sql.readers import Readers
from alicia.adapters.sql.writer import Command, Writer
from alicia.base.errors import Conflict


@pytest.fixture
async def writer(tmp_path: Path) -> AsyncIterator[Writer]:
    writer = Writer(tmp_path / "x.db")
    await writer.start()
    await writer.run(lambda c: c.execute("CREATE TABLE t (x INTEGER PRIMARY KEY)") and None)
    yield writer
    await writer.close()


def insert(x: int) -> Command[int]:
    def command(connection: sqlite3.Connection) -> int:
        connection.execute("INSERT INTO t VALUES (?)", (x,))
        return x

    return command


def stored(path: Path) -> list[int]:
    connection = sqlite3.connect(path)
    try:
        return [row[0] for row in connection.execute("SELECT x FROM t ORDER BY x")]
    finally:
        connection.close()


async def test_an_answer_means_that_the_row_is_committed(writer: Writer, tmp_path: Path) -> None:
    assert await writer.run(insert(1)) == 1
    assert stored(tmp_path / "x.db") == [1]


async def test_a_failing_command_undoes_only_itself(writer: Writer, tmp_path: Path) -> None:
    def half_done(connection: sqlite3.Connection) -> None:
        connection.execute("INSERT INTO t VALUES (99)")
        raise Conflict("someone was first")

    results = await asyncio.gather(
        writer.run(insert(1)), writer.run(half_done), writer.run(insert(2)), return_exceptions=True
    )
    assert results[0] == 1
    assert isinstance(results[1], Conflict)
    assert results[2] == 2
    assert stored(tmp_path / "x.db") == [1, 2]


async def test_a_file_that_refuses_a_command_is_named(writer: Writer, tmp_path: Path) -> None:
    def refused(connection: sqlite3.Connection) -> None:
        connection.execute("PRAGMA query_only=ON")
        try:
            connection.execute("INSERT INTO t VALUES (1)")
        finally:
            connection.execute("PRAGMA query_only=OFF")

    with pytest.raises(DatabaseUnavailable, match=r"^x\.db cannot be used now: attempt to write"):
        await writer.run(refused)
    with pytest.raises(sqlite3.OperationalError, match="no such table"):  # our mistake, not its
        await writer.run(lambda c: c.execute("SELECT * FROM nowhere") and None)
    assert await writer.run(insert(1)) == 1


async def test_commands_that_wait_share_a_transaction(writer: Writer, tmp_path: Path) -> None:
    # While one command holds the thread, the others queue behind it, in the same transaction:
    # none of them may be visible from outside before the last has run.
    seen: list[list[int]] = []

    def look(connection: sqlite3.Connection) -> None:
        seen.append(stored(tmp_path / "x.db"))

    await asyncio.gather(*(writer.run(insert(i)) for i in range(20)), writer.run(look))
    assert seen == [[]]
    assert stored(tmp_path / "x.db") == list(range(20))


async def test_a_failed_commit_fails_the_whole_group(writer: Writer, tmp_path: Path) -> None:
    await writer.run(
        lambda c: (
            c.execute("CREATE TABLE child (x REFERENCES t (x) DEFERRABLE INITIALLY DEFERRED)")
            and None
        )
    )

    def orphan(connection: sqlite3.Connection) -> None:
        connection.execute("INSERT INTO child VALUES (12345)")

    results = await asyncio.gather(
        writer.run(insert(7)), writer.run(orphan), return_exceptions=True
    )
    assert all(isinstance(result, Exception) for result in results)
    assert stored(tmp_path / "x.db") == []
    assert await writer.run(insert(8)) == 8  # and the writer goes on


async def test_a_cancelled_caller_does_not_stop_the_writer(writer: Writer) -> None:
    task = asyncio.ensure_future(writer.run(insert(1)))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await writer.run(insert(2)) == 2


async def test_what_is_queued_at_the_close_is_still_stored(tmp_path: Path) -> None:
    writer = Writer(tmp_path / "x.db")
    await writer.start()
    await writer.run(lambda c: c.execute("CREATE TABLE t (x INTEGER PRIMARY KEY)") and None)
    late = asyncio.gather(*(writer.run(insert(i)) for i in range(10)))
    await asyncio.sleep(0)
    await writer.close()
    await late
    assert stored(tmp_path / "x.db") == list(range(10))


async def test_after_the_close_commands_are_refused(tmp_path: Path) -> None:
    writer = Writer(tmp_path / "x.db")
    await writer.start()
    await writer.close()
    await writer.close()
    with pytest.raises(DatabaseUnavailable):
        await writer.run(insert(1))


async def test_a_file_that_is_no_database_is_named_as_damaged(tmp_path: Path) -> None:
    (tmp_path / "x.db").write_bytes(b"this is no database, it only pretends to be one" * 30)
    with pytest.raises(DatabaseDamaged, match=r"/x\.db is damaged: .*; put a backup in its"):
        await Writer(tmp_path / "x.db").start()


async def test_the_pragmas_of_durability_hold(writer: Writer) -> None:
    def pragmas(connection: sqlite3.Connection) -> tuple[object, ...]:
        names = ("synchronous", "foreign_keys", "busy_timeout", "journal_size_limit")
        return tuple(connection.execute(f"PRAGMA {name}").fetchone()[0] for name in names)

    assert await writer.run(pragmas) == (2, 1, 5000, 64 * 1024 * 1024)


async def test_readers_see_commits_and_cannot_write(writer: Writer, tmp_path: Path) -> None:
    readers = Readers(tmp_path / "x.db")
    await writer.run(insert(5))

    def count(connection: sqlite3.Connection) -> int:
        return int(connection.execute("SELECT count(*) FROM t").fetchone()[0])

    assert await asyncio.gather(*(readers.run(count) for _ in range(8))) == [1] * 8
    with pytest.raises(DatabaseUnavailable, match="readonly"):
        await readers.run(insert(6))
    assert await readers.run(count) == 1
    await readers.close()
    await readers.close()
    with pytest.raises(DatabaseUnavailable):
        await readers.run(count)


async def test_a_read_that_ends_its_transaction_tells_why_and_costs_no_connection(
    writer: Writer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = 0
    connect = sqlite3.connect

    def counted(*args: object, **kwargs: object) -> sqlite3.Connection:
        nonlocal opened
        opened += 1
        return connect(*args, **kwargs)  # type: ignore[call-overload,no-any-return]

    def broken(connection: sqlite3.Connection) -> None:
        connection.execute("ROLLBACK")  # as SQLite does by itself after a failed read
        raise sqlite3.OperationalError("disk I/O error")

    readers = Readers(tmp_path / "x.db")
    monkeypatch.setattr(sqlite3, "connect", counted)
    for _ in range(5):
        with pytest.raises(DatabaseUnavailable, match="disk I/O error"):
            await readers.run(broken)
    assert opened == 1
    await readers.close()
