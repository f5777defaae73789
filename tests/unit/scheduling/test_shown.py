"""What the API shows: events, executions, previews, crontabs, audits."""

from dataclasses import replace
from typing import Any

import pytest

from alicia.adapters.zones import load_zone
from alicia.base.errors import BadRequest
from alicia.scheduling.audit import Stretch, audit, occurrence_to_api
from alicia.scheduling.crontab import read_crontab
from alicia.scheduling.event import EventRecord, EventStatus, Lifecycle
from alicia.scheduling.execution import Attempt, Execution, ExecutionStatus, Origin, Reason
from alicia.scheduling.parse import parse_event
from alicia.scheduling.ports import Revision
from alicia.scheduling.preview import preview
from alicia.scheduling.triggers.interval import IntervalTrigger
from alicia.scheduling.triggers.kinds import Key, build
from alicia.scheduling.view import event_to_api, execution_to_api

NOW = 1_795_600_000_000_000
SECOND = 1_000_000
BODY = {"name": "n", "schedule_type": "interval", "interval_seconds": 60, "target_topic": "a/b"}
EVENT = parse_event(BODY, now_us=NOW, default_zone="UTC", event_id="e", zones=load_zone)
TRIGGER = build(EVENT.timing, key=Key("e"), zones=load_zone).trigger


def show(**body: Any) -> dict[str, Any]:
    return preview(body, now_us=NOW, default_zone="Europe/Riga", zones=load_zone).to_api()


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"next_due_us": NOW}, EventStatus.PENDING),
        ({"next_due_us": NOW, "open_count": 1}, EventStatus.RUNNING),
        ({"next_due_us": NOW, "lifecycle": Lifecycle.PAUSED, "open_count": 1}, EventStatus.PAUSED),
        ({"lifecycle": Lifecycle.CANCELLED}, EventStatus.CANCELLED),
        ({"event": replace(EVENT, enabled=False)}, EventStatus.PAUSED),
        ({}, EventStatus.PENDING),
        ({"run_count": 1, "last_status": ExecutionStatus.COMPLETED}, EventStatus.COMPLETED),
        ({"run_count": 1, "last_status": ExecutionStatus.FAILED}, EventStatus.FAILED),
        ({"last_status": ExecutionStatus.MISSED}, EventStatus.COMPLETED),
    ],
)
def test_status_of_an_event(changes: dict[str, Any], status: EventStatus) -> None:
    assert replace(EventRecord(event=EVENT), **changes).status is status


def test_an_event_shows_epoch_seconds_and_what_comes() -> None:
    record = EventRecord(event=EVENT, next_due_us=NOW + 60 * SECOND)
    shown = event_to_api(record, TRIGGER, now_us=NOW, detail=True)
    assert shown["next_run"] == NOW / SECOND + 60
    assert shown["next_runs"] == [NOW / SECOND + 60 * k for k in range(1, 6)]
    assert shown["schedule_text"] == "every minute"
    assert shown["misfire"] == {"policy": "run_once", "grace_seconds": 120.0, "max_catchup": 100}
    assert shown["action"] == {
        "type": "mqtt", "topic": "a/b", "message": {}, "qos": 1, "retain": False,
    }  # fmt: skip


def test_what_is_paused_shows_no_next_runs() -> None:
    shown = event_to_api(EventRecord(event=EVENT), TRIGGER, now_us=NOW, detail=True)
    assert (shown["next_run"], shown["next_runs"]) == (None, [])


def test_next_runs_end_with_the_allowed_ones() -> None:
    limited = replace(EVENT, timing=replace(EVENT.timing, max_runs=4))
    record = EventRecord(event=limited, next_due_us=NOW + 60 * SECOND, run_count=3)
    shown = event_to_api(record, TRIGGER, now_us=NOW, detail=True)
    assert shown["next_runs"] == [NOW / SECOND + 60]


def test_a_once_shows_its_instant() -> None:
    body = BODY | {"schedule_type": "once", "run_at": "2027-01-01T00:00:00+01:00"}
    once = parse_event(body, now_us=NOW, default_zone="UTC", event_id="e", zones=load_zone)
    trigger = build(once.timing, key=Key("e"), zones=load_zone).trigger
    assert event_to_api(EventRecord(event=once), trigger, now_us=NOW)["run_at"] == 1_798_758_000.0


def test_an_execution_shows_attempts_and_leaves_out_what_is_not() -> None:
    row = Execution(
        execution_id="x", event_id="e", due_us=NOW, started_us=NOW + 1, owner="node",
        attempts=(Attempt(1, 1, NOW + 1, NOW + 2, "timeout", "slow"),),
    )  # fmt: skip
    shown = execution_to_api(row)
    assert shown["scheduled_time"] == NOW / SECOND
    assert (shown["kind"], shown["node"], shown["end_time"]) == ("scheduled", "node", None)
    assert "reason" not in shown
    assert "count" not in shown
    assert shown["attempts"] == [
        {"n": 1, "start": (NOW + 1) / SECOND, "end": (NOW + 2) / SECOND, "outcome": "timeout",
         "error": "slow"},
    ]  # fmt: skip


def test_preview_gives_the_zones_offset_and_a_default_of_five() -> None:
    shown = show(schedule_type="cron", cron_expression="0 9 * * *")
    assert shown["runs"][0] == "2026-11-26T09:00:00+02:00"
    assert len(shown["runs"]) == 5
    assert "truncated" not in shown


def test_preview_bounds_are_after_exclusive_and_until_inclusive() -> None:
    shown = show(
        schedule_type="cron", cron_expression="* * * * *",
        after="2026-01-01T00:00:00", until="2026-01-01T00:02:00",
    )  # fmt: skip
    assert shown["runs"] == ["2026-01-01T00:01:00+02:00", "2026-01-01T00:02:00+02:00"]


def test_preview_stops_at_its_limit_and_says_so() -> None:
    day = {"after": "2026-01-01", "until": "2027-01-01"}
    shown = show(schedule_type="cron", cron_expression="* * * * *", **day)
    assert (len(shown["runs"]), shown["truncated"]) == (10_000, True)


def test_preview_ends_with_the_allowed_runs() -> None:
    body = {"schedule_type": "interval", "interval_seconds": 60}
    assert len(show(**body, max_runs=2)["runs"]) == 2
    assert len(show(**body, max_runs=2, n=1)["runs"]) == 1
    shown = show(**body, max_runs=2, n=2, until="2027-01-01")
    assert (len(shown["runs"]), "truncated" in shown) == (2, False)


@pytest.mark.parametrize(
    ("body", "warning"),
    [
        ({"cron_expression": "30 3 * * *", "after": "2027-03-27", "n": 2}, "ahead by 1 h"),
        ({"cron_expression": "30 3 * * *", "after": "2027-10-30", "n": 2}, "back by 1 h"),
        ({"cron_expression": "30 3 * * *", "after": "2027-03-27", "dst": "skip"}, "ahead by 1 h"),
        ({"cron_expression": "0 0 1 1 *", "until": "2026-12-01"}, "nothing is due"),
        ({"cron_expression": "5/15 * * * *"}, "5-59/15"),
        ({"cron_expression": "H * * * *", "name": "x"}, "spread by the name"),
        ({"cron_expression": "@reboot"}, "boot"),
        ({"schedule_type": "interval", "interval_seconds": 0.5}, "more than one run a second"),
        ({"schedule_type": "interval", "interval_seconds": 5, "jitter_seconds": 60}, "jitter"),
        ({"schedule_type": "once", "run_at": "2027-03-28T03:30:00"}, "does not exist"),
        ({"schedule_type": "once", "run_at": "2027-10-31T03:30:00"}, "comes twice"),
    ],
)
def test_preview_warns(body: dict[str, Any], warning: str) -> None:
    shown = show(**({"schedule_type": "cron"} | body))
    assert any(warning in text for text in shown["warnings"]), shown["warnings"]


def test_preview_keeps_quiet_where_nothing_is_odd() -> None:
    shown = show(schedule_type="cron", cron_expression="0 9 * * *", after="2027-03-27", n=3)
    assert shown["warnings"] == []


def test_a_saved_event_previews_h_by_its_id() -> None:
    shown = show(schedule_type="cron", cron_expression="H H * * *", event_id="e1", name="x")
    assert shown["warnings"] == []


def test_a_place_left_out_is_called_missing() -> None:
    with pytest.raises(BadRequest) as caught:
        show(schedule_type="recurring", recurrence={"sun": "sunset", "longitude": 24})
    assert [(f.loc, f.code) for f in caught.value.errors()] == [
        (("recurrence", "latitude"), "missing")
    ]


def test_preview_gathers_faults() -> None:
    with pytest.raises(BadRequest) as caught:
        show(schedule_type="cron", cron_expression="0 0 31 2 *", n=0, after="x")
    codes = {fault.loc: fault.code for fault in caught.value.errors()}
    assert codes == {("after",): "bad_time", ("n",): "bad_value",
                     ("cron_expression",): "never_fires"}  # fmt: skip


def test_a_crontab_keeps_schedules_and_runs_no_command() -> None:
    text = (
        "# comment\nMAILTO=x@y\nCRON_TZ=Europe/Riga\n\n"
        "0 9 * * MON-FRI /bin/backup --all\n@daily echo hi\n5-1 * * * * never\n* * *\n"
    )
    read = read_crontab(text)
    first, second = read.bodies
    assert first["cron_expression"] == "0 9 * * MON-FRI"
    assert (first["timezone"], first["enabled"]) == ("Europe/Riga", False)
    assert first["name"] == "/bin/backup --all"
    assert first["action"] == {"type": "remind"}
    assert second["cron_expression"] == "@daily"
    assert [(fault.line, fault.code) for fault in read.faults] == [
        (7, "reversed_range"), (8, "field_count"),
    ]  # fmt: skip
    assert "commands are not run" in read.notes[0]
    assert read.notes[1:] == ("settings without effect here: MAILTO",)
    for body in read.bodies:
        parse_event(body, now_us=NOW, default_zone="UTC", event_id="e", zones=load_zone)


def test_a_system_crontab_has_a_user_field() -> None:
    (body,) = read_crontab("17 * * * * root run-parts /etc/cron.hourly\n", system=True).bodies
    assert body["name"] == "run-parts /etc/cron.hourly"


def row(due_s: int, **changes: Any) -> Execution:
    base = Execution(
        execution_id=f"x{due_s}", event_id="e", due_us=due_s * SECOND,
        status=ExecutionStatus.COMPLETED,
    )  # fmt: skip
    return replace(base, **changes)


def compare(*rows: Execution, until_s: int = 180) -> list[tuple[str, int]]:
    trigger = IntervalTrigger(0, 60 * SECOND, anchor_counts=True)
    stretch = Stretch(Revision(EVENT, 1, 0, None, active=True), trigger)
    found = audit(
        [stretch], rows, from_us=0, to_us=until_s * SECOND, live_owners=frozenset({"here"})
    )
    return [(entry.code, entry.due_us // SECOND) for entry in found.unexplained]


def test_audit_is_empty_where_every_instant_has_its_row() -> None:
    assert compare(row(0), row(60), row(120), row(77, origin=Origin.MANUAL)) == []


def test_audit_finds_what_is_missing_too_much_or_ownerless() -> None:
    lost = row(120, status=ExecutionStatus.RUNNING, owner="gone")
    assert compare(row(0), row(61), lost) == [
        ("no_row", 60), ("no_instant", 61), ("no_owner", 120),
    ]  # fmt: skip


def test_a_range_row_explains_its_instants() -> None:
    missed = row(0, due_to_us=60 * SECOND, count=2, status=ExecutionStatus.MISSED,
                 reason=Reason.GRACE)  # fmt: skip
    assert compare(missed, row(120)) == []
    assert occurrence_to_api(missed)["count"] == 2


def test_a_pause_has_no_instants() -> None:
    trigger = IntervalTrigger(0, 60 * SECOND, anchor_counts=True)
    stretches = [
        Stretch(Revision(EVENT, 1, 0, 60 * SECOND, active=True), trigger),
        Stretch(Revision(EVENT, 2, 60 * SECOND, None, active=False), trigger),
    ]
    found = audit(stretches, [row(0)], from_us=0, to_us=10**9, live_owners=frozenset())
    assert found.unexplained == ()
    assert found.counts() == {"completed": 1}
