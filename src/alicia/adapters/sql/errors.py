"""What SQLite's failures mean to a caller."""

import sqlite3
from typing import ClassVar

from alicia.base.errors import AliciaError, Kind, Unavailable


class DatabaseUnavailable(Unavailable):
    """The database did not take the transaction; nothing of it was stored."""

    code: ClassVar[str] = "database_unavailable"


class DatabaseDamaged(AliciaError):
    """The database file fails its own checks."""

    code: ClassVar[str] = "database_damaged"
    kind: ClassVar[Kind] = Kind.CORRUPT


class SchemaTooNew(AliciaError):
    """The file was written by a newer version of the program."""

    code: ClassVar[str] = "schema_too_new"
    kind: ClassVar[Kind] = Kind.CORRUPT


class MigrationFailed(AliciaError):
    """A step to a newer schema failed; the file is as it was."""

    code: ClassVar[str] = "migration_failed"
    kind: ClassVar[Kind] = Kind.CORRUPT


def meaning_of(error: sqlite3.Error) -> AliciaError:
    """The typed error for a failure of the file itself (not of a statement of ours)."""
    if isinstance(error, sqlite3.OperationalError):
        return DatabaseUnavailable(f"the database cannot be written now: {error}")
    return DatabaseDamaged(f"the database file is damaged: {error}; restore a backup")
