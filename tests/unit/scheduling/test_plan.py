"""Plans: the cases of ``conformance/triggers/plan.txt``, limits and first instants."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from alicia.base.errors import BadField
from alicia.scheduling.event import (
    Event,
    EventRecord,
    Misfire,
    MisfirePolicy,
    RemindAction,
    ScheduleType,
    Timing,
)
from alicia.scheduling.execution import ExecutionStatus, Reason
from alicia.scheduling.plan import Closed, closed, first_due, grace_us, last_before, plan_due
from alicia.scheduling.triggers.interval import IntervalTrigger
from alicia.scheduling.triggers.once import NeverTrigger, OnceTrigger

ROWS = Path(__file__).parents[2] / "conformance" / "triggers" / "plan.txt"
SECOND = 1_000_000
DEFAULT = Misfire()
HOUR = 500_000 * 3600 * SECOND


def cases() -> list[Any]:
    return [
        pytest.param([cell.strip() for cell in line.split("|")], id=f"plan.txt:{number}")
        for number, line in enumerate(ROWS.read_text().splitlines(), start=1)
        if line and not line.startswith("#")
    ]


def instant(text: str) -> int:
    minute, second = text.split(":")
    return HOUR + (int(minute) * 60 + int(second)) * SECOND


def clock(at_us: int) -> str:
    minute, second = divmod((at_us - HOUR) // SECOND, 60)
    return f"{minute:02}:{second:02}"


def spelled(rows: tuple[Closed, ...]) -> str:
    return " ".join(
        clock(row.due_us)
        if row.count == 1
        else f"{clock(row.due_us)}-{clock(row.due_to_us)}*{row.count}"
        for row in rows
    )


def event(every_s: int = 60, misfire: Misfire = DEFAULT, **timing: Any) -> Event:
    return Event(
        event_id="e",
        name="n",
        action=RemindAction(),
        misfire=misfire,
        created_us=0,
        updated_us=0,
        timing=Timing(
            schedule_type=ScheduleType.INTERVAL,
            timezone="UTC",
            anchor_us=0,
            interval_us=every_s * SECOND,
            **timing,
        ),
    )


def every(seconds: int) -> IntervalTrigger:
    return IntervalTrigger(0, seconds * SECOND, anchor_counts=True)


@pytest.mark.parametrize("row", cases())
def test_fates(row: list[str]) -> None:
    seconds, policy, grace, cap, due, now, run, skipped, missed, following = row
    misfire = Misfire(MisfirePolicy(policy), int(grace) * SECOND, int(cap))
    record = EventRecord(event=event(int(seconds), misfire), next_due_us=instant(due))
    plan = plan_due(record, every(int(seconds)), now_us=instant(now))
    runs = " ".join(clock(r.due_us) + ("~" if r.late else "") for r in plan.run)
    assert plan.next_due_us is not None
    told = [runs, spelled(plan.skipped), spelled(plan.missed), clock(plan.next_due_us)]
    assert [text or "-" for text in told] == [run, skipped, missed, following]


def test_reasons_name_what_happened() -> None:
    misfire = Misfire(MisfirePolicy.RUN_ALL, 300 * SECOND, 1)
    record = EventRecord(event=event(60, misfire), next_due_us=HOUR)
    plan = plan_due(record, every(60), now_us=HOUR + 450 * SECOND)
    assert [(row.status, row.reason) for row in plan.missed] == [
        *[(ExecutionStatus.MISSED, Reason.GRACE)] * 3,
        *[(ExecutionStatus.MISSED, Reason.CATCHUP_CAP)] * 4,
    ]


def test_ten_years_cost_one_row() -> None:
    record = EventRecord(event=event(1), next_due_us=HOUR)
    ten_years = 10 * 365 * 86_400 * SECOND
    plan = plan_due(record, every(1), now_us=HOUR + ten_years)
    assert len(plan.missed) == 1
    assert len(plan.skipped) <= 100
    total = sum(row.count for row in (*plan.missed, *plan.skipped)) + len(plan.run)
    assert total == ten_years // SECOND + 1


def test_the_claim_is_told_how_many_runs_are_allowed() -> None:
    record = EventRecord(event=event(60, max_runs=5), next_due_us=HOUR, run_count=5)
    plan = plan_due(record, every(60), now_us=HOUR)
    assert (plan.max_runs, [run.due_us for run in plan.run]) == (5, [HOUR])
    assert plan.next_due_us == HOUR + 60 * SECOND


def test_jitter_moves_the_start_and_not_the_instant() -> None:
    record = EventRecord(event=event(60, jitter_us=30 * SECOND), next_due_us=HOUR)
    (run,) = plan_due(record, every(60), now_us=HOUR).run
    assert run.due_us == HOUR
    assert HOUR < run.not_before_us < HOUR + 30 * SECOND


@pytest.mark.parametrize(("every_s", "expected_s"), [(1, 60), (30, 60), (31, 62), (7200, 3600)])
def test_default_grace_is_two_periods_within_bounds(every_s: int, expected_s: int) -> None:
    assert grace_us(event(every_s), every(every_s), HOUR) == expected_s * SECOND


def once(at_us: int, grace_s: int | None = None) -> tuple[Event, OnceTrigger]:
    base = event(misfire=Misfire(grace_us=None if grace_s is None else grace_s * SECOND))
    timing = replace(base.timing, schedule_type=ScheduleType.ONCE, run_at="-")
    return replace(base, timing=timing), OnceTrigger(at_us, text="-")


def test_a_fresh_once_within_its_grace_is_due_at_its_own_instant() -> None:
    defined, trigger = once(HOUR)
    assert first_due(defined, trigger, now_us=HOUR + 3600 * SECOND) == HOUR


def test_a_once_beyond_its_grace_is_refused() -> None:
    defined, trigger = once(HOUR, grace_s=10)
    with pytest.raises(BadField) as caught:
        first_due(defined, trigger, now_us=HOUR + 10 * SECOND + 1)
    assert caught.value.reason == "run_at_past"


def test_other_triggers_begin_with_the_present() -> None:
    assert first_due(event(), every(60), now_us=HOUR) == HOUR
    assert first_due(event(), every(60), now_us=HOUR + 1) == HOUR + 60 * SECOND


def test_no_instant_before_the_first_one() -> None:
    assert last_before(every(60), 0) is None
    assert last_before(every(60), 1) == 0
    assert last_before(NeverTrigger("-"), HOUR) is None


def test_an_empty_window_closes_nothing() -> None:
    def rows(first: int, last: int) -> tuple[Closed, ...]:
        return closed(every(60), first, last, status=ExecutionStatus.SKIPPED, reason=Reason.PAUSED)

    assert rows(HOUR, HOUR - 1) == ()
    assert rows(HOUR + 1, HOUR + 2) == ()
    assert len(rows(HOUR, HOUR + 99 * 60 * SECOND)) == 100
    assert len(rows(HOUR, HOUR + 100 * 60 * SECOND)) == 1
