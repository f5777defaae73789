"""Every vector of Debian's own cron, through the core and through a preview request.

The data belong to the shared folder beside the repository; they are never copied here.
"""

import hashlib
import json
from datetime import datetime
from pathlib import Path

import pytest

from alicia.adapters.zones import load_zone
from alicia.scheduling.event import ScheduleType, Timing
from alicia.scheduling.preview import preview
from alicia.scheduling.triggers.kinds import Key, build

VECTORS = Path(__file__).parents[3] / "shared" / "conformance" / "cron" / "examples.jsonl"


def cases() -> list[object]:
    if not VECTORS.exists():
        reason = f"the cron vectors are not at {VECTORS}"
        return [pytest.param({}, marks=pytest.mark.skip(reason=reason), id="absent")]
    lines = VECTORS.read_text().splitlines()
    return [pytest.param(json.loads(line), id=f"{VECTORS.name}:{i + 1}")
            for i, line in enumerate(lines)]  # fmt: skip


def agrees(case: dict[str, object], runs: list[int]) -> bool:
    if "fires" in case:
        fires = case["fires"]
        assert isinstance(fires, list)
        return runs == sorted(set(fires))
    digest = hashlib.sha1(",".join(map(str, runs)).encode()).hexdigest()
    return digest == case.get("sha1_set", case["sha1"])


@pytest.mark.parametrize("case", cases())
def test_core_fires_when_debian_cron_does(case: dict[str, str]) -> None:
    timing = Timing(
        schedule_type=ScheduleType.CRON,
        timezone=case["tz"],
        anchor_us=0,
        cron_expression=case["expr"],
    )
    trigger = build(timing, key=Key("e"), zones=load_zone).trigger
    start, end = (
        int(datetime.fromisoformat(case[key]).timestamp()) * 1_000_000 for key in ("start", "end")
    )
    runs, due = [], trigger.next_after(start)
    while due is not None and due <= end:
        runs.append(due // 1_000_000)
        due = trigger.next_after(due)
    assert agrees(case, runs)
    assert trigger.count(start, end) == len(runs)


@pytest.mark.parametrize("case", cases())
def test_preview_shows_what_debian_cron_does(case: dict[str, str]) -> None:
    body = {
        "schedule_type": "cron",
        "cron_expression": case["expr"],
        "timezone": case["tz"],
        "after": case["start"],
        "until": case["end"],
    }
    shown = preview(body, now_us=0, default_zone="UTC", zones=load_zone).to_api()
    assert not shown.get("truncated", False)
    runs = shown["runs"]
    assert isinstance(runs, list)
    assert agrees(case, [int(datetime.fromisoformat(run).timestamp()) for run in runs])
