"""Service records in SQLite; fits ``fleet.ports.Registry``."""

import sqlite3
from collections.abc import Sequence

from alicia.adapters.sql.bodies import decode_body, encode_body
from alicia.adapters.sql.database import Database
from alicia.fleet.record import ServiceRecord


class SqlRegistry:
    """The known services of one collector."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def load(self) -> dict[str, ServiceRecord]:
        """All records by service."""
        rows = await self._database.read(lambda db: db.execute("SELECT * FROM services").fetchall())
        return {
            row["service"]: decode_body(
                ServiceRecord, row["body"], what=f"service {row['service']}"
            )
            for row in rows
        }

    async def save(self, records: Sequence[ServiceRecord]) -> None:
        """Store records, new or changed, in one transaction."""
        rows = [(record.service, encode_body(record)) for record in records]

        def run(db: sqlite3.Connection) -> None:
            db.executemany("REPLACE INTO services VALUES (?, ?)", rows)

        await self._database.write(run)

    async def forget(self, service: str) -> None:
        """Remove a record."""

        def run(db: sqlite3.Connection) -> None:
            db.execute("DELETE FROM services WHERE service = ?", (service,))

        await self._database.write(run)
