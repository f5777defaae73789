"""Read-only connections beside the writer: short reads, each on one snapshot."""

import asyncio
import queue
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final
from urllib.parse import quote

from alicia.adapters.sql.errors import DatabaseUnavailable, meaning_of
from alicia.adapters.sql.writer import Command, T

READERS: Final = 2


class Readers:
    """A few read-only connections to a file that exists; they never block the writer."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._pool: ThreadPoolExecutor | None = ThreadPoolExecutor(READERS, "sql-read")
        self._idle: queue.SimpleQueue[sqlite3.Connection] = queue.SimpleQueue()
        self._opened: list[sqlite3.Connection] = []

    async def run(self, query: Command[T]) -> T:
        """Run a query on one snapshot, in a thread; it must be short and bounded.

        A reader that stays open keeps the log from being folded into the file.

        Raises:
            DatabaseUnavailable: the file cannot be read now, or the readers are closed.
        """
        if self._pool is None:
            raise DatabaseUnavailable("the database is closed; the service is stopping")
        return await asyncio.get_running_loop().run_in_executor(self._pool, self._read, query)

    async def close(self) -> None:
        """End all reads and close the connections; safe to call twice."""
        pool, self._pool = self._pool, None
        if pool is not None:
            await asyncio.to_thread(pool.shutdown)
            for connection in self._opened:
                connection.close()

    def _read(self, query: Command[T]) -> T:
        try:
            connection = self._borrow()
            try:
                connection.execute("BEGIN")
                return query(connection)
            finally:
                self._give_back(connection)
        except sqlite3.Error as error:
            raise meaning_of(error, self._path.name) from error

    def _give_back(self, connection: sqlite3.Connection) -> None:
        try:
            if connection.in_transaction:  # some errors have ended it already
                connection.execute("ROLLBACK")
        finally:
            self._idle.put(connection)

    def _borrow(self) -> sqlite3.Connection:
        try:
            return self._idle.get_nowait()
        except queue.Empty:
            # At most one connection per thread of the pool is ever open. They pass from thread
            # to thread, but only through the queue.
            connection = sqlite3.connect(
                f"file:{quote(str(self._path))}?mode=ro",
                uri=True,
                isolation_level=None,
                check_same_thread=False,
            )
            connection.execute("PRAGMA busy_timeout=5000").fetchone()
            connection.row_factory = sqlite3.Row
            self._opened.append(connection)
            return connection
