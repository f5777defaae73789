"""Numbered migrations in plain SQL; ``PRAGMA user_version`` says which are applied.

A service's steps are ``migrations/<service>/NNNN_<what>.sql``, numbered from 1 without gaps. All
missing steps run in one transaction, so a file is at its old version or at the newest, never
between. Before an existing file changes, a copy is kept as ``<name>.before-<version>``.
"""

import re
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Final

from alicia.adapters.sql.errors import MigrationFailed, SchemaTooNew, damaged, meaning_of
from alicia.adapters.sql.writer import open_for_writing

_FILE_NAME: Final = re.compile(r"(\d{4})_[a-z0-9_]+\.sql")


@dataclass(frozen=True, slots=True)
class Migration:
    """One step: the version it leads to, its file's name and its statements."""

    version: int
    name: str
    sql: str


def migrations_of(service: str) -> tuple[Migration, ...]:
    """The steps of a service that ship with the program, in order."""
    folder = resources.files("alicia.adapters.sql") / "migrations" / service
    steps = []
    for entry in folder.iterdir():
        match = _FILE_NAME.fullmatch(entry.name)
        if match:
            text = entry.read_text(encoding="utf-8")
            steps.append(Migration(int(match.group(1)), entry.name, text))
    steps.sort(key=lambda step: step.version)
    assert [step.version for step in steps] == list(range(1, len(steps) + 1)), "numbered from 1"
    return tuple(steps)


def migrate(path: Path, steps: Sequence[Migration]) -> int:
    """Bring the file to the newest version, creating it where it is absent; returns the version.

    Raises:
        SchemaTooNew: a newer program wrote the file.
        MigrationFailed: a step failed; the file is as it was.
        DatabaseDamaged: the file is no database, or fails its check after an unclean stop.
        DatabaseUnavailable: the file cannot be opened or written.
    """
    unclean = _wal_of(path).exists() and _wal_of(path).stat().st_size > 0
    try:
        connection = open_for_writing(path)
        try:
            _try_writing(connection)
            if unclean:
                _check(connection, path)
            return _advance(connection, path, steps)
        finally:
            connection.close()
    except sqlite3.Error as error:
        raise meaning_of(error, path) from error


def _advance(connection: sqlite3.Connection, path: Path, steps: Sequence[Migration]) -> int:
    newest = len(steps)
    version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    if version > newest:
        raise SchemaTooNew(
            f"{path} has schema {version}, this program knows up to {newest};"
            " start the newer version again or restore a backup"
        )
    if version == newest:
        return version
    if version > 0:
        _keep_copy(connection, path.with_name(f"{path.name}.before-{version}"))
    connection.execute("BEGIN IMMEDIATE")
    try:
        for step in steps[version:]:
            _apply(connection, step)
        # A pragma takes no parameter; the number is a count of our own files.
        connection.execute("PRAGMA user_version=" + str(newest))
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    return newest


def _apply(connection: sqlite3.Connection, step: Migration) -> None:
    try:
        for statement in _statements(step.sql):
            connection.execute(statement)
    except sqlite3.Error as error:
        raise MigrationFailed(f"{step.name}: {error}; nothing was changed") from error


def _statements(sql: str) -> Iterator[str]:
    """Whole statements, one by one: ``executescript`` would commit behind our back."""
    pending = ""
    for line in sql.splitlines(keepends=True):
        pending += line
        if sqlite3.complete_statement(pending):
            yield pending
            pending = ""
    if pending.strip():
        yield pending


def _keep_copy(connection: sqlite3.Connection, target: Path) -> None:
    target.unlink(missing_ok=True)
    copy = sqlite3.connect(target)
    try:
        connection.backup(copy)
    finally:
        copy.close()


def _try_writing(connection: sqlite3.Connection) -> None:
    """End here with a file that is only readable: BEGIN takes it, and the first change fails."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        connection.execute("PRAGMA user_version=0")
    finally:
        connection.execute("ROLLBACK")


def _check(connection: sqlite3.Connection, path: Path) -> None:
    verdict = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    if verdict != "ok":
        raise damaged(path, verdict)


def _wal_of(path: Path) -> Path:
    return path.with_name(path.name + "-wal")
