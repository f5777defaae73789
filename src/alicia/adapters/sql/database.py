"""One SQLite file of a service: migrated, then written by one thread and read beside it."""

import asyncio
from pathlib import Path

from alicia.adapters.sql.readers import Readers
from alicia.adapters.sql.schema import migrate, migrations_of
from alicia.adapters.sql.writer import Command, T, Writer


class Database:
    """An open database; made by ``open_database``."""

    def __init__(self, writer: Writer, readers: Readers) -> None:
        self._writer = writer
        self._readers = readers

    async def write(self, command: Command[T]) -> T:
        """See ``Writer.run``: inside a transaction, answered after the COMMIT."""
        return await self._writer.run(command)

    async def read(self, query: Command[T]) -> T:
        """See ``Readers.run``: on one snapshot, beside the writer."""
        return await self._readers.run(query)

    async def close(self) -> None:
        """Finish what is queued and close; safe to call twice."""
        await self._readers.close()
        await self._writer.close()


async def open_database(path: Path, *, service: str) -> Database:
    """Migrate the file to the newest schema of a service and open it.

    Raises:
        SchemaTooNew: a newer program wrote the file.
        MigrationFailed: a step failed; the file is as it was.
        DatabaseDamaged: the file is no database, or fails its check.
        DatabaseUnavailable: the file cannot be opened or written.
    """
    await asyncio.to_thread(migrate, path, migrations_of(service))
    writer = Writer(path)
    await writer.start()
    return Database(writer, Readers(path))
