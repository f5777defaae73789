"""The definition of an event as the API writes it; ``parse`` reads it back unchanged."""

from alicia.scheduling.event import (
    SECOND_US,
    Action,
    Event,
    HttpAction,
    MqttAction,
    ScheduleType,
    Timing,
)


def definition(event: Event) -> dict[str, object]:
    """The fields that a client may set."""
    return timing_fields(event.timing) | {
        "name": event.name,
        "description": event.description,
        "target_service": event.target_service,
        "target_topic": event.target_topic,
        "payload": event.payload,
        "enabled": event.enabled,
        "misfire": misfire_fields(event),
        "overlap": event.overlap.value,
        "max_retries": event.retry.max_retries,
        "retry_delay": event.retry.delay_ms / 1000,
        "retry_backoff": event.retry.backoff,
        "timeout": event.timeout_ms / 1000,
        "require_ack": event.require_ack,
        "delivery": event.delivery.value,
        "tags": list(event.tags),
        "on_success": list(event.on_success),
        "on_failure": list(event.on_failure),
        "triggers": [
            {"topic": trigger.topic, "match": dict(trigger.match)} for trigger in event.triggers
        ],
        "action": action_fields(event.action),
    }


def timing_fields(timing: Timing) -> dict[str, object]:
    """The timing, with the fields of its own type only."""
    body: dict[str, object] = {
        "schedule_type": timing.schedule_type.value,
        "timezone": timing.timezone,
        "dst": timing.dst.value,
        "start_at": _seconds(timing.start_us),
        "end_at": _seconds(timing.end_us),
        "max_runs": timing.max_runs,
        "jitter_seconds": timing.jitter_us / SECOND_US,
    }
    match timing.schedule_type:
        case ScheduleType.ONCE:
            body["run_at"] = timing.run_at
        case ScheduleType.INTERVAL:
            body["interval_seconds"] = timing.interval_us / SECOND_US
        case ScheduleType.CRON:
            body["cron_expression"] = timing.cron_expression
            body["cron_dialect"] = timing.dialect.value
        case ScheduleType.RECURRING:
            body["recurrence"] = timing.recurrence
    return body


def misfire_fields(event: Event) -> dict[str, object]:
    """The misfire object; no ``grace_seconds`` means the default."""
    misfire = event.misfire
    body: dict[str, object] = {"policy": misfire.policy.value, "max_catchup": misfire.max_catchup}
    if misfire.grace_us is not None:
        body["grace_seconds"] = misfire.grace_us / SECOND_US
    return body


def action_fields(action: Action) -> dict[str, object]:
    """The action as an object with its ``type``."""
    match action:
        case MqttAction():
            return {
                "type": "mqtt",
                "topic": action.topic,
                "message": action.message,
                "qos": action.qos,
                "retain": action.retain,
            }
        case HttpAction():
            return {
                "type": "http",
                "method": action.method,
                "url": action.url,
                "headers": dict(action.headers),
                "body": action.body,
            }
        case _:
            return {"type": "remind"}


def _seconds(instant_us: int | None) -> float | None:
    return None if instant_us is None else instant_us / SECOND_US
