"""What the two real services write of changes over HTTP; the doctor finds the chain whole."""

import json
from pathlib import Path
from typing import Any

import pytest
from tests.service.collector_decisions.conftest import World
from tests.service.scheduler.scheduler_harness import Harness

from alicia.cli.doctor.finding import Verdict
from alicia.cli.doctor.machine import audit_log

RULE = {"name": "hot", "condition": "temp > 30", "severity": "error"}


def lines_of(folder: Path, service: str) -> list[dict[str, Any]]:
    (file,) = (folder / "audit").glob(f"{service}-*.jsonl")
    return [json.loads(line) for line in file.read_text().splitlines()]


async def test_each_change_of_an_event_is_one_line(tmp_path: Path) -> None:
    harness = Harness(tmp_path)
    await harness.start()
    event = await harness.add(name="lamp")
    await harness.get("/events")
    path = f"/events/{event['event_id']}"
    await harness.post(f"{path}/pause")
    await harness.http.put(path, json={"description": "of the hall"})
    await harness.http.put(path, json={"cron_expression": "never"})
    await harness.http.delete(path)
    await harness.scheduler._guard.settled()
    lines = lines_of(harness.settings.data_dir, "scheduler")
    assert [(line["who"], line["action"], line["status"]) for line in lines] == [
        ("loopback", "POST /events", 201),
        ("loopback", "POST /events/{event_id}/pause", 200),
        ("loopback", "PUT /events/{event_id}", 200),
        ("loopback", "PUT /events/{event_id}", 422),
        ("loopback", "DELETE /events/{event_id}", 200),
    ]
    changes = [
        tuple(line.get(side, {}).get("description") for side in ("before", "after"))
        for line in lines
    ]
    assert changes == [
        (None, ""), (None, None), ("", "of the hall"), (None, None), ("of the hall", None),
    ]  # fmt: skip
    finding = audit_log(harness.settings)
    assert (finding.verdict, finding.detail) == (Verdict.OK, "5 lines, the chain is whole")
    await harness.stop()


async def test_rules_and_silences_are_kept_as_they_were_and_are(world: World) -> None:
    http = world.http
    await world.add_rule(**RULE)
    await http.put("/alerts/rules/hot", json={**RULE, "severity": "info"})
    await http.put("/alerts/rules/hot", json={**RULE, "condition": "temp >"})
    await http.delete("/alerts/rules/hot")
    await http.post("/alerts/rules/test", json=RULE)
    silence = {"matchers": [{"name": "service_name", "value": "x"}], "end": 1_795_430_000}
    added = (await http.post("/alerts/silences", json=silence)).json()
    await http.delete(f"/alerts/silences/{added['silence_id']}")
    await world.collector.guard.settled()
    lines = lines_of(world.data_dir, "collector")
    assert [(line["action"].split()[0], line["status"]) for line in lines] == [
        ("POST", 201), ("PUT", 200), ("PUT", 422), ("DELETE", 200), ("POST", 201), ("DELETE", 200),
    ]  # fmt: skip
    changes = [
        tuple(line.get(side, {}).get("severity") for side in ("before", "after"))
        for line in lines[:4]
    ]
    assert changes == [(None, "error"), ("error", "info"), (None, None), ("info", None)]
    assert lines[4]["after"]["state"] == lines[5]["before"]["state"] == "active"
    assert lines[5]["after"]["state"] == "expired"
    assert audit_log(world.collector.settings).detail == "6 lines, the chain is whole"


@pytest.fixture
async def world(tmp_path: Path) -> Any:
    made = World(tmp_path)
    await made.start()
    yield made
    await made.stop()
