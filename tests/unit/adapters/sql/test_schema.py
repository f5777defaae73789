"""Migrations: all or nothing, refused from the future, the old file kept."""

import sqlite3
from pathlib import Path

import pytest

from alicia.adapters.sql.errors import (
    DatabaseDamaged,
    DatabaseUnavailable,
    MigrationFailed,
    SchemaTooNew,
)
from alicia.adapters.sql.schema import Migration, migrate, migrations_of

ONE = Migration(1, "0001_a.sql", "CREATE TABLE a (x);\nINSERT INTO a VALUES ('; not an end');")
TWO = Migration(2, "0002_b.sql", "CREATE TABLE b (x);\n-- the end\n")
TRIGGER = Migration(
    2,
    "0002_t.sql",
    "CREATE TRIGGER t AFTER INSERT ON a BEGIN\n DELETE FROM a;\n SELECT 1;\nEND;\n",
)


def tables(path: Path) -> list[str]:
    connection = sqlite3.connect(path)
    try:
        rows = connection.execute("SELECT name FROM sqlite_master WHERE type='table'")
        return sorted(row[0] for row in rows)
    finally:
        connection.close()


def test_a_new_file_gets_every_step(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    assert migrate(path, (ONE, TWO)) == 2
    assert tables(path) == ["a", "b"]
    assert migrate(path, (ONE, TWO)) == 2


def test_an_older_file_gets_the_missing_steps_and_leaves_a_copy(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    migrate(path, (ONE,))
    assert migrate(path, (ONE, TRIGGER)) == 2
    assert tables(tmp_path / "x.db.before-1") == ["a"]


def test_a_failed_step_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    migrate(path, (ONE,))
    broken = Migration(3, "0003_bad.sql", "CREATE TABLE c (x);\nCREATE TABLE a (x);\n")
    with pytest.raises(MigrationFailed, match=r"0003_bad\.sql.*nothing was changed"):
        migrate(path, (ONE, TWO, broken))
    assert tables(path) == ["a"]
    assert migrate(path, (ONE, TWO)) == 2


def test_a_newer_file_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    migrate(path, (ONE, TWO))
    with pytest.raises(SchemaTooNew, match=r"x\.db has schema 2, this program knows up to 1"):
        migrate(path, (ONE,))


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    path.write_bytes(b"not a database at all, but long enough to have a header" * 10)
    with pytest.raises(DatabaseDamaged, match=rf"{path} is damaged: .*; put a backup"):
        migrate(path, (ONE,))


def test_a_file_that_cannot_be_opened_is_named_with_what_to_look_at(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    path.mkdir()
    with pytest.raises(DatabaseUnavailable, match=rf"{path} cannot be used now: .*; look at the"):
        migrate(path, (ONE,))


def test_a_file_that_is_only_readable_is_refused_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "x.db"
    migrate(path, (ONE,))

    def open_readable(file: Path) -> sqlite3.Connection:  # as for another user's file
        return sqlite3.connect(f"file:{file}?mode=ro", uri=True, isolation_level=None)

    monkeypatch.setattr("alicia.adapters.sql.schema.open_for_writing", open_readable)
    with pytest.raises(DatabaseUnavailable, match="attempt to write a readonly database; look at"):
        migrate(path, (ONE,))


def test_the_shipped_steps_apply(tmp_path: Path) -> None:
    steps = migrations_of("scheduler")
    assert steps
    assert migrate(tmp_path / "x.db", steps) == len(steps)


def test_the_events_of_the_first_ledger_are_kept(tmp_path: Path) -> None:
    path, steps = tmp_path / "x.db", migrations_of("scheduler")
    migrate(path, steps[:1])
    connection = sqlite3.connect(path)
    values = {"edit": 7, "next_due": 9} | dict.fromkeys(
        ("event_id", "name", "description", "spec", "lifecycle", "overlap", "tz_version"), "x"
    )
    values |= dict.fromkeys(("rev", "enabled", "listens", "created", "updated"), 1)
    marks = ", ".join(f":{name}" for name in values)
    connection.execute(f"INSERT INTO event ({', '.join(values)}) VALUES ({marks})", values)
    connection.commit()
    connection.close()
    migrate(path, steps)
    connection = sqlite3.connect(path)
    assert connection.execute("SELECT event_id, next_due FROM event").fetchall() == [("x", 9)]
    assert "edit" not in [row[1] for row in connection.execute("PRAGMA table_info(event)")]
    connection.close()
