"""Recorded messages of the fleet, and what the collector makes of each."""

import json
from pathlib import Path

import pytest
from tests.service.collector.collector_harness import Harness

GOLDEN = {
    path.stem: json.loads(path.read_text(encoding="utf-8"))
    for path in sorted((Path(__file__).parents[2] / "golden" / "bus").glob("*.json"))
}


@pytest.mark.parametrize("name", GOLDEN)
async def test_recorded_messages_mean_what_stands_beside_them(harness: Harness, name: str) -> None:
    case = GOLDEN[name]
    harness.tell(case["topic"], case["body"].encode())
    store = harness.collector.store
    found = {str(labels): store.newest(labels).value for labels in store.series(())}
    assert found == case["samples"]
    reply = (await harness.http.get("/api/v1/rejects")).json()
    assert [[row["index"], row["reason"]] for row in reply["rejects"]] == case["rejects"]


def test_there_are_samples() -> None:
    assert len(GOLDEN) >= 9
