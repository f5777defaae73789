"""What SQLite's failures mean to a caller."""

import sqlite3
from pathlib import Path
from typing import ClassVar, Final

from alicia.base.errors import AliciaError, Kind, Unavailable

_FILE_CODES: Final = frozenset(
    {
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_CORRUPT,
        sqlite3.SQLITE_NOTADB,
    }
)


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


def meaning_of(error: sqlite3.Error, file: Path | str) -> AliciaError:
    """The typed error for a failure of the file itself (not of a statement of ours).

    ``file`` is its path for the owner at the start, and its bare name for whoever asks later.
    """
    if isinstance(error, sqlite3.OperationalError):
        return DatabaseUnavailable(
            f"{file} cannot be used now: {error}; look at the rights and the space of its folder"
        )
    return damaged(file, str(error))


def is_of_the_file(error: sqlite3.Error) -> bool:
    """Whether a statement failed by the state of the file or the disk, not by our mistake."""
    primary = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_OK) & 0xFF
    return primary in _FILE_CODES


def damaged(file: Path | str, verdict: str) -> DatabaseDamaged:
    """The error for a file that SQLite cannot read, with both ways out."""
    return DatabaseDamaged(
        f"{file} is damaged: {verdict}; put a backup in its place, or move it aside to begin empty"
    )
