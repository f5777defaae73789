"""What an ``AlertStore`` and a ``Registry`` keep, they keep over a restart."""

import math
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from alicia.adapters.sql.alerts import SqlAlertStore
from alicia.adapters.sql.database import Database, open_database
from alicia.adapters.sql.errors import DatabaseDamaged
from alicia.adapters.sql.registry import SqlRegistry
from alicia.adapters.zones import load_zone
from alicia.alerting.memory import AlertRecord, RuleMemory
from alicia.alerting.ports import Notice
from alicia.alerting.rule import Rule, Severity, parse_rule
from alicia.alerting.silence import parse_silence
from alicia.alerting.state import Alert, Phase
from alicia.base.errors import Conflict
from alicia.base.sighting import Sight, Sighting
from alicia.fleet.record import ServiceRecord, observe
from alicia.fleet.words import Word
from alicia.promql.condition import read_condition
from alicia.series.labels import LabelSet


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    opened = await open_database(tmp_path / "collector.db", service="collector")
    yield opened
    await opened.close()


@pytest.fixture
def store(database: Database) -> SqlAlertStore:
    return SqlAlertStore(database, zones=load_zone)


def rule(name: str = "r", **fields: Any) -> Rule:
    body = {"name": name, "condition": "cpu > 90", "severity": "error", **fields}
    return parse_rule(body, read=read_condition, interval_ms=30_000)


def memory(value: float = 95.0) -> RuleMemory:
    labels = LabelSet({"service": "a", "alertname": "r"})
    record = AlertRecord(
        "r", Severity.ERROR, labels, Alert(Phase.FIRING, 1, fired_ms=2), value, 90.0, "text",
        {"summary": "s"}, 3, announced=True,
    )  # fmt: skip
    return RuleMemory({labels: record}, {labels: 7}, 9)


async def test_rules_are_kept_whole(store: SqlAlertStore) -> None:
    full = rule(
        "full", labels={"a": "b"}, missing_for="10s", resolve_threshold=80, depends_on=["x"],
        **{"for": "1m"},
    )  # fmt: skip
    await store.add_rule(full)
    await store.add_rule(rule())
    assert await store.load_rules() == {"full": full, "r": rule()}


async def test_a_name_in_use_is_a_conflict_and_changes_nothing(store: SqlAlertStore) -> None:
    await store.add_rule(rule())
    with pytest.raises(Conflict, match="there is a rule 'r' already"):
        await store.add_rule(rule(severity="info"))
    assert (await store.load_rules())["r"].severity is Severity.ERROR


async def test_memory_and_notices_are_kept_together(store: SqlAlertStore) -> None:
    notice = Notice("01", "alicia/alerts/new", b"{}")
    await store.save("r", memory(), [notice])
    assert await store.load_memories() == {"r": memory()}
    assert await store.load_notices() == [notice]
    with pytest.raises(Exception, match="UNIQUE"):
        await store.save("r", memory(1.0), [notice])
    assert await store.load_memories() == {"r": memory()}


async def test_a_nan_is_kept(store: SqlAlertStore) -> None:
    await store.save("r", memory(math.nan), [])
    [record] = (await store.load_memories())["r"].alerts.values()
    assert math.isnan(record.value)


async def test_an_empty_memory_leaves_no_row(store: SqlAlertStore) -> None:
    await store.save("r", memory(), [])
    await store.save("r", RuleMemory(evaluated_ms=5), [])
    assert await store.load_memories() == {}


async def test_replacing_and_deleting(store: SqlAlertStore) -> None:
    await store.add_rule(rule())
    await store.replace_rule(rule(severity="info"), memory(), [])
    assert (await store.load_rules())["r"].severity is Severity.INFO
    await store.delete_rule("r", memory(), [Notice("1", "t", b"")])
    assert await store.load_rules() == {}
    assert await store.load_memories() == {"r": memory()}


async def test_notices_come_oldest_first_until_they_are_settled(store: SqlAlertStore) -> None:
    notices = [Notice(message_id, "t", b"x") for message_id in ("c", "a", "b")]
    await store.save("r", memory(), notices[:2])
    await store.save("r", memory(), notices[2:])
    assert await store.load_notices() == notices
    await store.settle_notices(["c", "b", "none"])
    assert await store.load_notices() == [notices[1]]


async def test_defaults_are_stored_once_for_ever(store: SqlAlertStore) -> None:
    await store.add_rule(rule("kept", severity="info"))
    assert await store.add_defaults([rule("kept"), rule("new")])
    await store.delete_rule("new", RuleMemory(), [])
    assert not await store.add_defaults([rule("kept"), rule("new")])
    assert await store.load_rules() == {"kept": rule("kept", severity="info")}


async def test_silences(store: SqlAlertStore) -> None:
    silence = parse_silence(
        {
            "matchers": [{"name": "service", "op": "=~", "value": "a|b"}], "start": 5,
            "duration": "1h", "recurrence": "daily", "timezone": "Europe/Riga", "comment": "c",
        },
        silence_id="s", now_ms=1, default_author="me", zones=load_zone,
    )  # fmt: skip
    await store.save_silence(silence)
    assert await store.load_silences() == {"s": silence}
    await store.delete_silences(["s"])
    assert await store.load_silences() == {}


async def test_a_record_of_another_kind_is_named_as_damaged(
    store: SqlAlertStore, database: Database
) -> None:
    await database.write(
        lambda db: db.execute("INSERT INTO rules VALUES ('odd', x'ff')").fetchall()
    )
    with pytest.raises(DatabaseDamaged, match="rule odd cannot be read"):
        await store.load_rules()


async def test_service_records(database: Database) -> None:
    registry = SqlRegistry(database)
    record = observe(
        None,
        Sighting(Sight.HEALTH, "a", "i", 5, status="ok", started_ms=1, capabilities=("x",)),
        bus_up_since_ms=1,
        default_cadence_ms=30_000,
    )
    other = ServiceRecord("b", 7, history=((7, Word.UP), (9, Word.DOWN)), word=Word.DOWN)
    await registry.save([record, other])
    assert await registry.load() == {"a": record, "b": other}
    await registry.forget("a")
    assert await registry.load() == {"b": other}
