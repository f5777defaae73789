"""Requests of any shape, and plans of any lateness."""

from hypothesis import given, settings
from hypothesis import strategies as st

from alicia.adapters.zones import load_zone
from alicia.base.errors import BadRequest
from alicia.scheduling.definition import definition
from alicia.scheduling.event import (
    Event,
    EventRecord,
    Misfire,
    MisfirePolicy,
    RemindAction,
    ScheduleType,
    Timing,
)
from alicia.scheduling.execution import LATE_US
from alicia.scheduling.jitter import jittered_us
from alicia.scheduling.parse import parse_event, update_event
from alicia.scheduling.plan import plan_due
from alicia.scheduling.preview import preview
from alicia.scheduling.triggers.interval import IntervalTrigger

NOW = 1_795_600_000_000_000
SECOND = 1_000_000
KEYS = [
    "name", "schedule_type", "run_at", "interval_seconds", "cron_expression", "recurrence",
    "timezone", "start_at", "end_at", "max_runs", "jitter_seconds", "misfire", "overlap",
    "target_topic", "target_service", "payload", "action", "tags", "triggers", "timeout",
    "retry_delay", "max_retries", "retry_backoff", "after", "until", "n", "dst", "calendars",
    "schedule_config", "require_ack", "on_success",
]  # fmt: skip
VALUES = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=20),
        st.sampled_from([
            "cron", "once", "interval", "recurring", "* * * * *", "FREQ=DAILY", "5m", 60, "a/b",
            "2027-01-01T00:00:00Z", "Europe/Riga", "sunset", 10**400, -(10**400), 1e308, "\ud800",
        ]),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(["type", "topic", "url", "policy", "grace_seconds", "sun", "latitude",
                             "longitude", "frequency", "every", "time_of_day", "cron", "headers"]),
            inner, max_size=5,
        ),
    ),
    max_leaves=8,
)  # fmt: skip
GOOD = st.sampled_from(
    [
        {"schedule_type": "cron", "cron_expression": "*/5 * * * *"},
        {"schedule_type": "once", "run_at": "2027-01-01T00:00:00"},
        {"schedule_type": "interval", "interval_seconds": 60},
        {"schedule_type": "recurring", "recurrence": "FREQ=DAILY"},
        {
            "schedule_type": "recurring",
            "recurrence": {"sun": "sunset", "latitude": 57, "longitude": 24},
        },
    ]
)
# Mostly sound, so that a fault is looked for in every corner and not only in the first.
BODIES = st.tuples(GOOD, st.dictionaries(st.sampled_from(KEYS), VALUES, max_size=3)).map(
    lambda pair: {"name": "n", "target_topic": "a/b"} | pair[0] | pair[1]
)


@settings(max_examples=400, deadline=None)
@given(BODIES)
def test_a_body_is_an_event_or_one_error_that_names_fields(body: dict[str, object]) -> None:
    try:
        event = parse_event(body, now_us=NOW, default_zone="UTC", event_id="e", zones=load_zone)
    except BadRequest as error:
        assert all(fault.loc and fault.code and fault.msg for fault in error.errors())
        return
    # What we would answer means the same event again.
    assert update_event(event, definition(event), now_us=NOW, zones=load_zone) == event


@settings(max_examples=300, deadline=None)
@given(BODIES)
def test_a_preview_is_runs_or_one_error(body: dict[str, object]) -> None:
    try:
        shown = preview(body, now_us=NOW, default_zone="UTC", zones=load_zone)
    except BadRequest as error:
        assert error.errors()
        return
    assert list(shown.runs) == sorted(set(shown.runs))


@settings(max_examples=300, deadline=None)
@given(
    policy=st.sampled_from(MisfirePolicy),
    interval_s=st.integers(1, 100),
    late_s=st.integers(0, 3000),
    grace_s=st.integers(0, 4000),
    max_catchup=st.integers(1, 20),
)
def test_every_instant_has_exactly_one_fate(
    policy: MisfirePolicy, interval_s: int, late_s: int, grace_s: int, max_catchup: int
) -> None:
    trigger = IntervalTrigger(0, interval_s * SECOND, anchor_counts=True)
    event = Event(
        event_id="e", name="n", action=RemindAction(), created_us=0, updated_us=0,
        timing=Timing(
            schedule_type=ScheduleType.INTERVAL, timezone="UTC", anchor_us=0,
            interval_us=interval_s * SECOND,
        ),
        misfire=Misfire(policy, grace_s * SECOND, max_catchup),
    )  # fmt: skip
    due = 1000 * interval_s * SECOND
    now = due + late_s * SECOND
    plan = plan_due(EventRecord(event=event, next_due_us=due), trigger, now_us=now)
    expected = list(range(due, now + 1, interval_s * SECOND))
    fates = [run.due_us for run in plan.run]
    for row in (*plan.skipped, *plan.missed):
        inside = range(row.due_us, row.due_to_us + 1, interval_s * SECOND)
        assert len(inside) == row.count
        fates.extend(inside)
    assert sorted(fates) == expected
    assert plan.next_due_us == expected[-1] + interval_s * SECOND
    in_time = [at for at in expected if now - at <= LATE_US]
    assert [run.due_us for run in plan.run if not run.late] == in_time


@given(st.text(max_size=20), st.integers(0, 10**16), st.integers(0, 10**12), st.integers(1, 10**12))
def test_jitter_is_the_same_everywhere_and_ends_before_the_next_instant(
    event_id: str, due: int, jitter: int, distance: int
) -> None:
    starts = {
        jittered_us(event_id, due, jitter_us=jitter, next_due_us=due + distance) for _ in range(2)
    }
    (start,) = starts
    assert due <= start < due + max(1, min(jitter, distance))
