"""When an event is due, from the fields of a request.

Source: contract.md §4; scheduling.md §1.
"""

from collections.abc import Mapping
from datetime import UTC, tzinfo
from typing import Final

from alicia.base.limits import INTERVAL_SECONDS_MIN
from alicia.scheduling.event import SECOND_US, Dialect, Dst, ScheduleType, Timing
from alicia.scheduling.fields import Fields
from alicia.scheduling.instants import format_utc, read_instant
from alicia.scheduling.triggers.kinds import Zones

DAY_US: Final = 86_400 * SECOND_US
_INTERVAL_MIN_US: Final = round(INTERVAL_SECONDS_MIN * SECOND_US)
_INTERVAL_MAX_US: Final = 100 * 365 * DAY_US
_RUNS_MAX: Final = 1_000_000_000


def read_timing(
    fields: Fields, *, default_zone: str, zones: Zones, created_us: int
) -> Timing | None:
    """The timing fields; None where they are too faulty to go on with.

    ``anchor_us`` is ``start_at``, else ``created_us``; an edit may keep another (``parse``).
    """
    fields.mapping("schedule_config")  # the older shape; what is in it was spread before
    kind = _schedule_type(fields)
    name = fields.text("timezone", chars_max=64, default=default_zone)
    zone = fields.guarded(lambda: zones(name), None)
    if zone is None:
        name, zone = "UTC", UTC  # so that the other fields are judged too
    faults_before = fields.fault_count
    if kind is None:
        return None
    start_us, end_us = (_bound(fields, key, zone) for key in ("start_at", "end_at"))
    if start_us is not None and end_us is not None and end_us < start_us:
        fields.fault("end_at", "lies before start_at", reason="out_of_range")
    timing = Timing(
        schedule_type=kind,
        timezone=name,
        anchor_us=created_us if start_us is None else start_us,
        run_at=_run_at(fields) if kind is ScheduleType.ONCE else "",
        interval_us=_interval_us(fields) if kind is ScheduleType.INTERVAL else 0,
        cron_expression=_cron(fields) if kind is ScheduleType.CRON else "",
        recurrence=_recurrence(fields) if kind is ScheduleType.RECURRING else "",
        dialect=fields.choice("cron_dialect", Dialect, default=Dialect.DEBIAN),
        dst=fields.choice("dst", Dst, default=Dst.DEBIAN),
        start_us=start_us,
        end_us=end_us,
        max_runs=fields.whole("max_runs", low=1, high=_RUNS_MAX, default=0) or None,
        jitter_us=fields.duration_us("jitter_seconds", low_us=0, high_us=DAY_US, default=0),
    )
    return timing if fields.fault_count == faults_before else None


def _schedule_type(fields: Fields) -> ScheduleType | None:
    if fields.raw("schedule_type") in (None, ""):
        fields.fault(
            "schedule_type", "is missing; write one of " + " ".join(ScheduleType), reason="missing"
        )
        return None
    faults_before = fields.fault_count
    found = fields.choice("schedule_type", ScheduleType, default=ScheduleType.ONCE)
    return found if fields.fault_count == faults_before else None


def _bound(fields: Fields, name: str, zone: tzinfo) -> int | None:
    value = fields.raw(name)
    if value is None or value == "":
        return None
    return fields.guarded(lambda: read_instant(value, zone, field=name)[0], None)


def _run_at(fields: Fields) -> str:
    """As given where it is a text; a number becomes RFC 3339 in UTC."""
    value = fields.raw("run_at")
    if isinstance(value, str) and value.strip():
        return value.strip()
    if isinstance(value, int | float) and not isinstance(value, bool):
        return fields.guarded(lambda: format_utc(read_instant(value, UTC, field="run_at")[0]), "")
    fields.fault("run_at", "is missing; write RFC 3339, such as 2026-11-25T07:30:00+01:00",
                 reason="missing")  # fmt: skip
    return ""


def _interval_us(fields: Fields) -> int:
    if not fields.has("interval_seconds"):
        fields.fault("interval_seconds", "is missing; write a number of seconds",
                     reason="missing")  # fmt: skip
        return 0
    return fields.duration_us(
        "interval_seconds", low_us=_INTERVAL_MIN_US, high_us=_INTERVAL_MAX_US, default=0
    )


def _cron(fields: Fields) -> str:
    return fields.text("cron_expression", chars_max=1000, required=True, lines=True)


def _recurrence(fields: Fields) -> str | Mapping[str, object]:
    value = fields.raw("recurrence")
    if isinstance(value, str) and value.strip():
        return value.strip()
    if isinstance(value, Mapping) and value:
        rule = value.get("rrule")
        if isinstance(rule, str):
            return rule.strip()
        return {key: part for key, part in value.items() if part is not None}
    fields.fault(
        "recurrence",
        'is missing; write an RRULE text, {"frequency": "daily"} or {"sun": "sunset"} with its'
        " place",
        reason="missing",
    )
    return ""
