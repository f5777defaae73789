"""The collector's alerting state in SQLite; fits ``alerting.ports.AlertStore``."""

import sqlite3
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from typing import Final

from alicia.adapters.sql.bodies import decode_body, encode_body
from alicia.adapters.sql.database import Database
from alicia.alerting.memory import AlertRecord, RuleMemory
from alicia.alerting.ports import Notice
from alicia.alerting.rule import Rule
from alicia.alerting.silence import Recurrence, Silence
from alicia.base.errors import Conflict
from alicia.series.labels import LabelSet
from alicia.series.matchers import Matcher, MatchOp

_DEFAULTS_MARK: Final = "default_rules"


class SqlAlertStore:
    """Rules, memories, silences and notices of one collector."""

    def __init__(self, database: Database, *, zones: Callable[[str], tzinfo]) -> None:
        self._database = database
        self._zones = zones

    async def load_rules(self) -> dict[str, Rule]:
        """All rules by name."""
        rows = await self._database.read(lambda db: db.execute("SELECT * FROM rules").fetchall())
        return {
            row["name"]: decode_body(Rule, row["body"], what=f"rule {row['name']}") for row in rows
        }

    async def load_memories(self) -> dict[str, RuleMemory]:
        """What every rule remembers."""
        query = "SELECT * FROM rule_memories"
        rows = await self._database.read(lambda db: db.execute(query).fetchall())
        return {
            row["name"]: _memory(
                decode_body(_StoredMemory, row["body"], what=f"memory of rule {row['name']}")
            )
            for row in rows
        }

    async def load_silences(self) -> dict[str, Silence]:
        """All silences by id."""
        rows = await self._database.read(lambda db: db.execute("SELECT * FROM silences").fetchall())
        stored = (
            decode_body(_StoredSilence, row["body"], what=f"silence {row['silence_id']}")
            for row in rows
        )
        return {each.silence_id: _silence(each, self._zones) for each in stored}

    async def load_notices(self) -> list[Notice]:
        """All notices, oldest first."""
        query = "SELECT * FROM outbox ORDER BY position"
        rows = await self._database.read(lambda db: db.execute(query).fetchall())
        return [Notice(row["message_id"], row["topic"], row["body"]) for row in rows]

    async def add_defaults(self, rules: Sequence[Rule]) -> bool:
        """Store the default rules once in the life of the data."""

        def run(db: sqlite3.Connection) -> bool:
            marked = db.execute("INSERT OR IGNORE INTO marks VALUES (?)", (_DEFAULTS_MARK,))
            if marked.rowcount == 0:
                return False
            rows = [(rule.name, encode_body(rule)) for rule in rules]
            db.executemany("INSERT OR IGNORE INTO rules VALUES (?, ?)", rows)
            return True

        return await self._database.write(run)

    async def add_rule(self, rule: Rule) -> None:
        """Store a new rule."""

        def run(db: sqlite3.Connection) -> None:
            try:
                db.execute("INSERT INTO rules VALUES (?, ?)", (rule.name, encode_body(rule)))
            except sqlite3.IntegrityError:
                raise Conflict(
                    f"name: there is a rule {rule.name!r} already; PUT changes it", loc=("name",)
                ) from None

        await self._database.write(run)

    async def replace_rule(self, rule: Rule, memory: RuleMemory, notices: Sequence[Notice]) -> None:
        """Store a rule over the one of its name, with what it remembers from now on."""

        def run(db: sqlite3.Connection) -> None:
            db.execute("REPLACE INTO rules VALUES (?, ?)", (rule.name, encode_body(rule)))
            _save(db, rule.name, memory, notices)

        await self._database.write(run)

    async def delete_rule(self, name: str, memory: RuleMemory, notices: Sequence[Notice]) -> None:
        """Remove a rule and store how its alerts ended."""

        def run(db: sqlite3.Connection) -> None:
            db.execute("DELETE FROM rules WHERE name = ?", (name,))
            _save(db, name, memory, notices)

        await self._database.write(run)

    async def save(self, name: str, memory: RuleMemory, notices: Sequence[Notice]) -> None:
        """Store what a rule remembers and the notices of its changes."""
        await self._database.write(lambda db: _save(db, name, memory, notices))

    async def settle_notices(self, message_ids: Sequence[str]) -> None:
        """Forget notices."""
        await self._database.write(
            lambda db: _delete(db, "DELETE FROM outbox WHERE message_id = ?", message_ids)
        )

    async def save_silence(self, silence: Silence) -> None:
        """Store a silence, new or changed."""
        row = (silence.silence_id, encode_body(_stored(silence)))
        await self._database.write(lambda db: _run(db, "REPLACE INTO silences VALUES (?, ?)", row))

    async def delete_silences(self, silence_ids: Sequence[str]) -> None:
        """Remove silences."""
        await self._database.write(
            lambda db: _delete(db, "DELETE FROM silences WHERE silence_id = ?", silence_ids)
        )


@dataclass(frozen=True, slots=True)
class _StoredMemory:
    records: list[AlertRecord]
    seen: list[tuple[LabelSet, int]]
    evaluated_ms: int | None


@dataclass(frozen=True, slots=True)
class _StoredSilence:
    silence_id: str
    matchers: list[tuple[str, str, str]]
    start_ms: int
    end_ms: int
    comment: str
    author: str
    created_ms: int
    recurrence: Recurrence | None = None
    until_ms: int | None = None
    zone_name: str = "UTC"


def _save(db: sqlite3.Connection, name: str, memory: RuleMemory, notices: Sequence[Notice]) -> None:
    if memory.alerts or memory.seen:
        stored = _StoredMemory(
            list(memory.alerts.values()), list(memory.seen.items()), memory.evaluated_ms
        )
        db.execute("REPLACE INTO rule_memories VALUES (?, ?)", (name, encode_body(stored)))
    else:
        db.execute("DELETE FROM rule_memories WHERE name = ?", (name,))
    rows = [(each.message_id, each.topic, each.body) for each in notices]
    db.executemany("INSERT INTO outbox (message_id, topic, body) VALUES (?, ?, ?)", rows)


def _memory(stored: _StoredMemory) -> RuleMemory:
    return RuleMemory(
        {record.labels: record for record in stored.records},
        dict(stored.seen),
        stored.evaluated_ms,
    )


def _stored(silence: Silence) -> _StoredSilence:
    return _StoredSilence(
        silence_id=silence.silence_id,
        matchers=[(each.name, each.op.value, each.value) for each in silence.matchers],
        start_ms=silence.start_ms,
        end_ms=silence.end_ms,
        comment=silence.comment,
        author=silence.author,
        created_ms=silence.created_ms,
        recurrence=silence.recurrence,
        until_ms=silence.until_ms,
        zone_name=silence.zone_name,
    )


def _silence(stored: _StoredSilence, zones: Callable[[str], tzinfo]) -> Silence:
    return Silence(
        silence_id=stored.silence_id,
        matchers=tuple(Matcher(name, MatchOp(op), value) for name, op, value in stored.matchers),
        start_ms=stored.start_ms,
        end_ms=stored.end_ms,
        comment=stored.comment,
        author=stored.author,
        created_ms=stored.created_ms,
        recurrence=stored.recurrence,
        until_ms=stored.until_ms,
        zone_name=stored.zone_name,
        zone=zones(stored.zone_name),
    )


def _run(db: sqlite3.Connection, sql: str, row: tuple[str, bytes]) -> None:
    db.execute(sql, row)


def _delete(db: sqlite3.Connection, sql: str, keys: Iterable[str]) -> None:
    db.executemany(sql, [(key,) for key in keys])
