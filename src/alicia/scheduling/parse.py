"""A request becomes an event; all its faults are reported at once.

Source: contract.md §4.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from alicia.scheduling.definition import action_fields, definition
from alicia.scheduling.event import (
    SECOND_US,
    Delivery,
    Event,
    Misfire,
    MisfirePolicy,
    MqttAction,
    OverlapPolicy,
    Retry,
    ScheduleType,
    Timing,
)
from alicia.scheduling.fields import Fields
from alicia.scheduling.legacy import normalised
from alicia.scheduling.parse_action import read_action, read_triggers
from alicia.scheduling.parse_timing import DAY_US, read_timing
from alicia.scheduling.plan import first_due
from alicia.scheduling.triggers.kinds import Key, Zones, build

_NAME_CHARS_MAX: Final = 256
_TEXT_CHARS_MAX: Final = 4096
_TAGS_MAX: Final = 64
_CHAIN_MAX: Final = 20


def parse_event(
    body: Mapping[str, object],
    *,
    now_us: int,
    default_zone: str,
    event_id: str,
    zones: Zones,
    topic_prefix: str = "alicia",
) -> Event:
    """A new event; the older shape is understood too.

    Raises:
        BadRequest: with every faulty field.
    """
    fields = Fields(normalised(body))
    event = _read(
        fields, event_id=event_id, now_us=now_us, created_us=now_us, default_zone=default_zone,
        zones=zones, topic_prefix=topic_prefix,
    )  # fmt: skip
    if event is not None:
        _judge_timing(fields, event, zones, now_us=now_us)
    fields.check()
    assert event is not None, "an event without faults is whole"
    return event


def update_event(
    event: Event,
    patch: Mapping[str, object],
    *,
    now_us: int,
    zones: Zones,
    topic_prefix: str = "alicia",
) -> Event:
    """The event with the fields of ``patch`` replaced; null restores a default.

    A changed interval without ``start_at`` counts from now; every other timing keeps its anchor.

    Raises:
        BadRequest: with every faulty field.
    """
    changes = normalised(patch)
    event_id = changes.pop("event_id", None)
    fields = Fields(definition(event) | changes | _edited_action(event, changes, topic_prefix))
    if event_id not in (None, "", event.event_id):
        fields.fault("event_id", "stays what it is; leave it out, or create another event",
                     reason="fixed_field")  # fmt: skip
    edited = _read(
        fields, event_id=event.event_id, now_us=now_us, created_us=event.created_us,
        default_zone=event.timing.timezone, zones=zones, topic_prefix=topic_prefix,
    )  # fmt: skip
    if edited is not None:
        timing = _anchored(event.timing, edited.timing, now_us=now_us)
        edited = replace(edited, timing=timing)
        if timing != event.timing:
            _judge_timing(fields, edited, zones, now_us=now_us)
    fields.check()
    assert edited is not None, "an event without faults is whole"
    return edited


def parse_timing(
    body: Mapping[str, object], *, now_us: int, default_zone: str, zones: Zones
) -> Timing:
    """Only the timing fields, as the preview takes them.

    Raises:
        BadRequest: with every faulty field.
    """
    fields = Fields(normalised(body))
    timing = read_timing(fields, default_zone=default_zone, zones=zones, created_us=now_us)
    fields.check()
    assert timing is not None, "a timing without faults is whole"
    return timing


def _edited_action(
    event: Event, changes: Mapping[str, object], topic_prefix: str
) -> dict[str, object]:
    """The action after an edit; new target fields change it unless the edit brings its own.

    Clients send back what they were shown, so an action equal to the old one is no edit.
    """
    old = action_fields(event.action)
    if changes.get("action") not in (None, old):
        return {}
    action = dict(old)
    if isinstance(event.action, MqttAction):
        topic, service = changes.get("target_topic"), changes.get("target_service")
        if topic not in (None, "", event.action.topic):
            action["topic"] = topic
        elif service not in (None, "", event.target_service):
            action["topic"] = f"{topic_prefix}/{service}/command"
        if "payload" in changes:
            action["message"] = changes["payload"]
    return {"action": action}


def _anchored(before: Timing, after: Timing, *, now_us: int) -> Timing:
    if after.start_us is not None:
        return after
    counts = after.schedule_type is ScheduleType.INTERVAL or after.cron_expression.startswith("@e")
    if not counts:
        return after
    same = (after.interval_us, after.cron_expression) == (
        before.interval_us, before.cron_expression,
    )  # fmt: skip
    kept = before.anchor_us if same and before.start_us is None else now_us
    return replace(after, anchor_us=kept)


def _judge_timing(fields: Fields, event: Event, zones: Zones, *, now_us: int) -> None:
    """Build the trigger and look for its first instant, for the faults that only this shows."""

    def look() -> None:
        trigger = build(event.timing, key=Key(event.event_id), zones=zones).trigger
        first_due(event, trigger, now_us=now_us)

    fields.guarded(look, None)


def _read(
    fields: Fields,
    *,
    event_id: str,
    now_us: int,
    created_us: int,
    default_zone: str,
    zones: Zones,
    topic_prefix: str,
) -> Event | None:
    name = fields.text("name", chars_max=_NAME_CHARS_MAX, required=True)
    timing = read_timing(fields, default_zone=default_zone, zones=zones, created_us=created_us)
    if fields.texts("calendars", chars_max=_NAME_CHARS_MAX, count_max=_TAGS_MAX):
        fields.fault("calendars", "there is no calendar of this name", reason="unknown_calendar")
    action = read_action(fields, topic_prefix=topic_prefix)
    target_topic = fields.text("target_topic", chars_max=_TEXT_CHARS_MAX)
    payload = fields.raw("payload")
    if isinstance(action, MqttAction):
        # The two ways to name a target are one: what was left out follows from the other.
        target_topic, payload = action.topic, action.message
    event = Event(
        event_id=event_id,
        name=name,
        # A faulty timing never leaves this module: ``check`` raises first.
        timing=timing or Timing(schedule_type=ScheduleType.ONCE, timezone="UTC", anchor_us=now_us),
        action=action,
        description=fields.text("description", chars_max=_TEXT_CHARS_MAX, lines=True),
        target_service=fields.text("target_service", chars_max=_NAME_CHARS_MAX),
        target_topic=target_topic,
        payload=payload if isinstance(payload, Mapping) else None,
        enabled=fields.flag("enabled", default=True),
        misfire=_misfire(fields.inner("misfire")),
        overlap=fields.choice("overlap", OverlapPolicy, default=OverlapPolicy.SKIP),
        retry=_retry(fields),
        timeout_ms=fields.duration_us(
            "timeout", low_us=100_000, high_us=7 * DAY_US, default=60 * SECOND_US
        ) // 1000,
        require_ack=fields.flag("require_ack", default=False),
        delivery=fields.choice("delivery", Delivery, default=Delivery.AT_LEAST_ONCE),
        tags=fields.texts("tags", chars_max=_NAME_CHARS_MAX, count_max=_TAGS_MAX),
        on_success=fields.texts("on_success", chars_max=_NAME_CHARS_MAX, count_max=_CHAIN_MAX),
        on_failure=fields.texts("on_failure", chars_max=_NAME_CHARS_MAX, count_max=_CHAIN_MAX),
        triggers=read_triggers(fields),
        created_us=created_us,
        updated_us=now_us,
    )  # fmt: skip
    return None if timing is None else event


def _misfire(fields: Fields) -> Misfire:
    grace = fields.duration_us("grace_seconds", low_us=0, high_us=366 * DAY_US, default=-1)
    return Misfire(
        policy=fields.choice("policy", MisfirePolicy, default=MisfirePolicy.RUN_ONCE),
        grace_us=None if grace < 0 else grace,
        max_catchup=fields.whole("max_catchup", low=1, high=10_000, default=100),
    )


def _retry(fields: Fields) -> Retry:
    delay_us = fields.duration_us("retry_delay", low_us=0, high_us=DAY_US, default=5 * SECOND_US)
    return Retry(
        max_retries=fields.whole("max_retries", low=0, high=100, default=0),
        delay_ms=delay_us // 1000,
        backoff=fields.number("retry_backoff", low=1, high=100, default=2.0),
    )
