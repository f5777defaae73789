"""Pushed groups in SQLite, so that they outlive the process."""

import sqlite3

from alicia.adapters.sql.bodies import decode_body, encode_body
from alicia.adapters.sql.database import Database
from alicia.wire.push import PushGroup
from alicia.wire.read_series import Pairs


class SqlPushGroups:
    """The pushed groups of one collector."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def load(self) -> dict[Pairs, PushGroup]:
        """All groups by their grouping labels."""
        rows = await self._database.read(
            lambda db: db.execute("SELECT body FROM push_groups").fetchall()
        )
        groups = [decode_body(PushGroup, row["body"], what="a pushed group") for row in rows]
        return {group.grouping: group for group in groups}

    async def save(self, group: PushGroup) -> None:
        """Store a group, new or changed."""
        row = (encode_body(group.grouping), encode_body(group))

        def run(db: sqlite3.Connection) -> None:
            db.execute("REPLACE INTO push_groups VALUES (?, ?)", row)

        await self._database.write(run)

    async def forget(self, grouping: Pairs) -> None:
        """Remove a group."""
        key = (encode_body(grouping),)

        def run(db: sqlite3.Connection) -> None:
            db.execute("DELETE FROM push_groups WHERE grouping = ?", key)

        await self._database.write(run)
