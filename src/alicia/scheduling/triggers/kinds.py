"""The table of triggers: from the timing of an event to the trigger that finds its instants."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, tzinfo
from typing import Final

from alicia.base.durations import parse_duration_ms
from alicia.base.errors import BadField
from alicia.base.limits import INTERVAL_SECONDS_MIN
from alicia.scheduling.event import SECOND_US, ScheduleType, Timing
from alicia.scheduling.instants import format_instant, read_instant
from alicia.scheduling.localtime import offset_at
from alicia.scheduling.triggers.bounds import BoundedTrigger
from alicia.scheduling.triggers.cron import CronRule
from alicia.scheduling.triggers.cron_parse import parse_cron
from alicia.scheduling.triggers.interval import IntervalTrigger
from alicia.scheduling.triggers.local import LocalTrigger
from alicia.scheduling.triggers.once import NeverTrigger, OnceTrigger
from alicia.scheduling.triggers.recurrence import RecurrenceRule
from alicia.scheduling.triggers.recurrence_parse import read_recurrence, read_sun
from alicia.scheduling.triggers.rrule import RRule
from alicia.scheduling.triggers.rrule_parse import parse_rule
from alicia.scheduling.triggers.sun import SunTrigger
from alicia.scheduling.triggers.trigger import Trigger

Zones = Callable[[str], tzinfo]


@dataclass(frozen=True, slots=True)
class Built:
    """A trigger, and what people should know about it. ``at_boot``: it waits for a boot."""

    trigger: Trigger
    warnings: tuple[str, ...] = ()
    at_boot: bool = False


@dataclass(frozen=True, slots=True)
class Key:
    """What spreads ``H``: the event's id, or the name while there is none."""

    text: str
    is_name: bool = False


Builder = Callable[[Timing, Key, tzinfo], Built]


def build(timing: Timing, *, key: Key, zones: Zones) -> Built:
    """The trigger of an event, bounds included.

    Raises:
        BadField: the timing cannot be followed; the error names the field.
    """
    built = KINDS[timing.schedule_type](timing, key, zones(timing.timezone))
    if timing.start_us is None and timing.end_us is None:
        return built
    bounded = BoundedTrigger(built.trigger, start_us=timing.start_us, end_us=timing.end_us)
    return replace(built, trigger=bounded)


def check_interval_us(interval_us: int, *, field: str) -> int:
    """The interval itself.

    Raises:
        BadField: shorter than 0.1 s.
    """
    if interval_us < INTERVAL_SECONDS_MIN * SECOND_US:
        raise BadField(
            field,
            f"{field}: shorter than {INTERVAL_SECONDS_MIN} s; write {INTERVAL_SECONDS_MIN} or more",
            reason="too_short",
        )
    return interval_us


def _once(timing: Timing, _key: Key, zone: tzinfo) -> Built:
    return _at(timing.run_at, timing, zone, field="run_at")


def _at(text: str, timing: Timing, zone: tzinfo, *, field: str) -> Built:
    at_us, warning = read_instant(text, zone, field=field)
    stamp = format_instant(at_us, zone)
    spoken = f"on {stamp[:10]} at {stamp[11:19].removesuffix(':00')} ({timing.timezone})"
    return Built(OnceTrigger(at_us, text=spoken), (warning,) if warning else ())


def _interval(timing: Timing, _key: Key, _zone: tzinfo) -> Built:
    check_interval_us(timing.interval_us, field="interval_seconds")
    return _every(timing.interval_us, timing)


def _every(interval_us: int, timing: Timing) -> Built:
    counts = timing.start_us is not None
    return Built(IntervalTrigger(timing.anchor_us, interval_us, anchor_counts=counts))


def _cron(timing: Timing, key: Key, zone: tzinfo) -> Built:
    word, _, rest = timing.cron_expression.strip().partition(" ")
    match word.lower():
        case "@every":
            interval_us = parse_duration_ms(rest, field="cron_expression") * 1000
            return _every(check_interval_us(interval_us, field="cron_expression"), timing)
        case "@at":
            return _at(rest.strip(), timing, zone, field="cron_expression")
        case "@reboot" if not rest:
            note = "runs at the first start after a boot of the machine; no time can be foretold"
            return Built(NeverTrigger("at every boot of the machine"), (note,), at_boot=True)
    spec = parse_cron(
        timing.cron_expression, key=key.text, dialect=timing.dialect, key_is_name=key.is_name
    )
    return Built(
        LocalTrigger(CronRule(spec), zone, zone_name=timing.timezone, dst=timing.dst),
        spec.warnings,
    )


def _recurring(timing: Timing, _key: Key, zone: tzinfo) -> Built:
    given = timing.recurrence
    anchor = _wall(timing.anchor_us, zone)
    if isinstance(given, str):
        rule: RRule | RecurrenceRule = RRule(parse_rule(given, zone=zone), anchor)
    elif "sun" in given:
        return Built(SunTrigger(read_sun(given), zone, zone_name=timing.timezone))
    else:
        rule = RecurrenceRule(read_recurrence(given, anchor))
    if rule.next_local(0) is None:
        raise BadField("recurrence", "recurrence: names no day before 2200", reason="never_fires")
    return Built(LocalTrigger(rule, zone, zone_name=timing.timezone, dst=timing.dst))


def _wall(instant_us: int, zone: tzinfo) -> datetime:
    """The local wall time of an instant, to the second, naive."""
    instant_s = instant_us // SECOND_US
    local = instant_s + offset_at(zone, instant_s)
    return datetime.fromtimestamp(local, UTC).replace(tzinfo=None)


KINDS: Final[Mapping[ScheduleType, Builder]] = {
    ScheduleType.ONCE: _once,
    ScheduleType.INTERVAL: _interval,
    ScheduleType.CRON: _cron,
    ScheduleType.RECURRING: _recurring,
}
