"""Cases a calendar expert can review: ``triggers/*.txt``, one trigger and its instants a line."""

import json
from pathlib import Path
from typing import Any

import pytest

from alicia.adapters.zones import load_zone
from alicia.scheduling.event import Dialect, Dst, ScheduleType, Timing
from alicia.scheduling.instants import format_instant, read_instant
from alicia.scheduling.triggers.cron import CronRule
from alicia.scheduling.triggers.cron_fields import CronError
from alicia.scheduling.triggers.cron_parse import parse_cron
from alicia.scheduling.triggers.kinds import Key, build

FOLDER = Path(__file__).parent / "triggers"


def rows(*names: str) -> list[Any]:
    found = []
    for name in names:
        for number, line in enumerate((FOLDER / name).read_text().splitlines(), start=1):
            if line and not line.startswith("#"):
                cells = [cell.strip() for cell in line.split(" | ")]
                found.append(pytest.param([name, *cells], id=f"{name}:{number}"))
    return found


def options(text: str) -> dict[str, str]:
    return {} if text == "-" else dict(item.split("=") for item in text.split())


def timing(kind: str, spec: str, chosen: dict[str, str]) -> Timing:
    zone = load_zone(chosen.get("zone", "UTC"))
    anchor, start, end = (
        read_instant(chosen[key], zone, field=key)[0] if key in chosen else None
        for key in ("anchor", "start", "end")
    )
    fields: dict[str, Any] = {
        "cron": {"cron_expression": spec},
        "once": {"run_at": spec},
        "interval": {"interval_us": round(float(spec) * 1e6) if kind == "interval" else 0},
        "recurring": {"recurrence": json.loads(spec) if spec.startswith("{") else spec},
    }[kind]
    return Timing(
        schedule_type=ScheduleType(kind),
        timezone=chosen.get("zone", "UTC"),
        anchor_us=start or anchor or 0,
        dialect=Dialect(chosen.get("dialect", "debian")),
        dst=Dst(chosen.get("dst", "debian")),
        start_us=start,
        end_us=end,
        **fields,
    )


@pytest.mark.parametrize("row", rows("cron.txt", "once.txt", "interval.txt", "recurring.txt"))
def test_instants_and_words(row: list[str]) -> None:
    name, spec, chosen, after, expected, words = row
    read = timing(name.removesuffix(".txt"), spec, options(chosen))
    zone = load_zone(read.timezone)
    trigger = build(read, key=Key("event"), zones=load_zone).trigger
    start, _ = read_instant(after, zone, field="after")
    due: int | None = start
    found = []
    for _ in expected.split():
        due = trigger.next_after(due) if due is not None else None
        found.append("-" if due is None else format_instant(due, zone))
    assert found == expected.split()
    assert trigger.words() == words
    if due is not None:
        assert trigger.count(start, due) == len(found)


@pytest.mark.parametrize("row", rows("cron_refused.txt"))
def test_refusals_say_where_and_why(row: list[str]) -> None:
    _, expression, chosen, reason, position, hint = row
    dialect = Dialect(options(chosen).get("dialect", "debian"))
    with pytest.raises(CronError) as caught:
        CronRule(parse_cron(expression, key="event", dialect=dialect))
    assert (caught.value.reason, caught.value.position) == (reason, int(position))
    assert caught.value.hint == ("" if hint == "-" else hint)
