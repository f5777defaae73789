"""Events and executions as the API answers them: times are epoch seconds as floats.

Source: contract.md §4.
"""

from collections.abc import Mapping
from typing import Final

from alicia.scheduling.definition import definition
from alicia.scheduling.event import SECOND_US, EventRecord, ScheduleType
from alicia.scheduling.execution import Attempt, Execution
from alicia.scheduling.plan import grace_us
from alicia.scheduling.triggers.trigger import Trigger

NEXT_RUNS: Final = 5


def event_to_api(
    record: EventRecord, trigger: Trigger, *, now_us: int, detail: bool = False
) -> dict[str, object]:
    """An event with its standing, and ``next_runs`` where ``detail`` is wanted."""
    event = record.event
    body: dict[str, object] = {"event_id": event.event_id} | definition(event)
    due_us = record.next_due_us
    body |= {
        "misfire": {
            "policy": event.misfire.policy.value,
            "grace_seconds": grace_us(event, trigger, now_us if due_us is None else due_us)
            / SECOND_US,
            "max_catchup": event.misfire.max_catchup,
        },
        "status": record.status.value,
        "rev": record.rev,
        "created_at": event.created_us / SECOND_US,
        "updated_at": event.updated_us / SECOND_US,
        "next_run": seconds(due_us),
        "paused_until": seconds(record.paused_until_us),
        "last_run": seconds(record.last_run_us),
        "last_status": record.last_status.value if record.last_status else None,
        "run_count": record.run_count,
        "success_count": record.success_count,
        "failure_count": record.failure_count,
        "missed_count": record.missed_count,
        "schedule_text": trigger.words(),
    }
    if (
        event.timing.schedule_type is ScheduleType.ONCE
        and (at := trigger.next_after(-1)) is not None
    ):
        body["run_at"] = at / SECOND_US
    if detail:
        body["next_runs"] = next_runs(record, trigger)
    return body


def next_runs(record: EventRecord, trigger: Trigger, *, limit: int = NEXT_RUNS) -> list[float]:
    """The next instants that will be claimed; none while nothing is due by itself."""
    found: list[float] = []
    due_us = record.next_due_us
    left = record.event.timing.max_runs
    allowed = limit if left is None else min(limit, max(0, left - record.run_count))
    while due_us is not None and len(found) < allowed:
        found.append(due_us / SECOND_US)
        due_us = trigger.next_after(due_us)
    return found


def execution_to_api(execution: Execution) -> dict[str, object]:
    """An execution with its attempts; a range row says how many instants it stands for."""
    body: dict[str, object] = {
        "execution_id": execution.execution_id,
        "event_id": execution.event_id,
        "kind": execution.kind.value,
        "scheduled_time": execution.due_us / SECOND_US,
        "start_time": seconds(execution.started_us),
        "end_time": seconds(execution.ended_us),
        "status": execution.status.value,
        "result": execution.result,
        "error_message": execution.error or None,
        "retry_count": execution.retries,
        "attempts": [_attempt(attempt) for attempt in execution.attempts],
        "node": execution.owner,
    }
    held = execution.not_before_us > execution.due_us
    optional: Mapping[str, object] = {
        "reason": execution.reason.value if execution.reason else None,
        "payload": execution.payload,
        "not_before": seconds(execution.not_before_us) if held else None,
        "scheduled_to": seconds(execution.due_to_us) if execution.count > 1 else None,
        "count": execution.count if execution.count > 1 else None,
    }
    return body | {name: value for name, value in optional.items() if value is not None}


def seconds(instant_us: int | None) -> float | None:
    """Epoch seconds of an instant."""
    return None if instant_us is None else instant_us / SECOND_US


def _attempt(attempt: Attempt) -> dict[str, object]:
    return {
        "n": attempt.n,
        "start": attempt.started_us / SECOND_US,
        "end": seconds(attempt.ended_us),
        "outcome": attempt.outcome or None,
        "error": attempt.error or None,
    }
