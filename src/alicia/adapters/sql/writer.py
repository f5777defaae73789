"""The one thread that writes a SQLite file: commands in, grouped transactions, answers out.

SQLite allows one writer, and every commit costs an fsync. So commands wait in a queue, and all
that are there share one transaction; while one fsync runs, the next group gathers by itself. A
lone command never waits for company.

Source: architecture.md §4, reliability.md §2.
"""

import asyncio
import queue
import sqlite3
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

from alicia.adapters.sql.errors import DatabaseUnavailable, is_of_the_file, meaning_of

T = TypeVar("T")
Command = Callable[[sqlite3.Connection], T]

GROUP_COMMANDS_MAX: Final = 500
GROUP_SECONDS_MAX: Final = 0.005
_PRAGMAS: Final = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",
    "PRAGMA busy_timeout=5000",
    "PRAGMA foreign_keys=ON",
    "PRAGMA journal_size_limit=67108864",
)


@dataclass(frozen=True, slots=True)
class _Job:
    command: Command[Any]
    loop: asyncio.AbstractEventLoop
    answer: "asyncio.Future[Any]"


@dataclass(frozen=True, slots=True)
class _Outcome:
    job: _Job
    value: object = None
    error: BaseException | None = None


class Writer:
    """Sole writer of one SQLite file; ``run`` may be called from any event loop."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._queue: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None

    async def start(self) -> None:
        """Open the file in the writer's thread, creating it where it is absent.

        Raises:
            DatabaseUnavailable: the file cannot be opened.
            DatabaseDamaged: the file is no database.
        """
        assert self._thread is None, "a writer starts once"
        opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._thread = threading.Thread(
            target=self._serve, args=(asyncio.get_running_loop(), opened), name="sql", daemon=True
        )
        self._thread.start()
        await opened

    async def run(self, command: Command[T]) -> T:
        """Run a command inside a transaction; returns after the COMMIT.

        An exception of the command undoes what it did, goes to the caller, and leaves the rest
        of its group alone. The command runs in another thread: it gets values and returns
        values.

        Raises:
            DatabaseUnavailable: the transaction failed or the writer has stopped; nothing of
                the command was stored.
        """
        if self._thread is None:
            raise DatabaseUnavailable("the database is closed; the service is stopping")
        loop = asyncio.get_running_loop()
        job = _Job(command, loop, loop.create_future())
        self._queue.put(job)
        result: T = await job.answer
        return result

    async def close(self) -> None:
        """Finish what is queued, then close the file; safe to call twice."""
        thread, self._thread = self._thread, None
        if thread is not None:
            self._queue.put(None)
            await asyncio.to_thread(thread.join)

    def _serve(self, loop: asyncio.AbstractEventLoop, opened: "asyncio.Future[None]") -> None:
        try:
            connection = open_for_writing(self._path)
        except sqlite3.Error as error:
            loop.call_soon_threadsafe(opened.set_exception, meaning_of(error, self._path))
            return
        loop.call_soon_threadsafe(opened.set_result, None)
        while (job := self._queue.get()) is not None:
            _answer(self._group(connection, job))
        connection.close()

    def _group(self, connection: sqlite3.Connection, first: _Job) -> list[_Outcome]:
        """One transaction over all that is queued, within the bounds of a group."""
        jobs: list[_Job] = []
        outcomes: list[_Outcome] = []
        job: _Job | None = first
        deadline = time.monotonic() + GROUP_SECONDS_MAX
        try:
            connection.execute("BEGIN IMMEDIATE")
            while job is not None:
                jobs.append(job)
                outcomes.append(_attempt(connection, job, self._path.name))
                full = len(jobs) >= GROUP_COMMANDS_MAX or time.monotonic() >= deadline
                job = None if full else self._waiting_job()
            connection.execute("COMMIT")
        except sqlite3.Error as error:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            return [
                _Outcome(job, error=meaning_of(error, self._path.name)) for job in jobs or [first]
            ]
        return outcomes

    def _waiting_job(self) -> _Job | None:
        try:
            job = self._queue.get_nowait()
        except queue.Empty:
            return None
        if job is None:
            self._queue.put(None)  # the end; it belongs to the loop outside the transaction
        return job


def open_for_writing(path: Path) -> sqlite3.Connection:
    """A connection in autocommit mode with every pragma that durability needs.

    Raises:
        sqlite3.Error: the file cannot be opened or is no database.
    """
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        for pragma in _PRAGMAS:
            connection.execute(pragma).fetchone()
    except sqlite3.Error:
        connection.close()
        raise
    connection.row_factory = sqlite3.Row
    return connection


def _attempt(connection: sqlite3.Connection, job: _Job, file: str) -> _Outcome:
    """One command behind a savepoint; ``file`` is named where it is to blame.

    Raises:
        sqlite3.Error: SQLite gave up the whole transaction (full disk, I/O error).
    """
    connection.execute("SAVEPOINT command")
    try:
        value = job.command(connection)
    except Exception as error:
        if not connection.in_transaction:
            raise sqlite3.OperationalError(f"the transaction was lost: {error}") from error
        connection.execute("ROLLBACK TO command")
        connection.execute("RELEASE command")
        if isinstance(error, sqlite3.Error) and is_of_the_file(error):
            return _Outcome(job, error=meaning_of(error, file))
        return _Outcome(job, error=error)
    connection.execute("RELEASE command")
    return _Outcome(job, value=value)


def _answer(outcomes: list[_Outcome]) -> None:
    """Hand results to their loops, with one wake-up per loop."""
    by_loop: dict[asyncio.AbstractEventLoop, list[_Outcome]] = {}
    for outcome in outcomes:
        by_loop.setdefault(outcome.job.loop, []).append(outcome)
    for loop, own in by_loop.items():
        if not loop.is_closed():
            loop.call_soon_threadsafe(_settle, own)


def _settle(outcomes: list[_Outcome]) -> None:
    for outcome in outcomes:
        if outcome.job.answer.done():  # the caller was cancelled; its command counts all the same
            continue
        if outcome.error is not None:
            outcome.job.answer.set_exception(outcome.error)
        else:
            outcome.job.answer.set_result(outcome.value)
