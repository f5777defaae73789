"""Rows of the ledger's tables as values of the scheduling core, and back."""

import base64
import binascii
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeVar, get_type_hints

import msgspec

from alicia.base.errors import BadField
from alicia.scheduling.event import (
    Event,
    EventRecord,
    HttpAction,
    Lifecycle,
    MqttAction,
    RemindAction,
)
from alicia.scheduling.execution import Attempt, Execution, ExecutionStatus, Origin, Reason
from alicia.scheduling.ports import Page

T = TypeVar("T", EventRecord, Execution)

_HINTS: Final = get_type_hints(Event)
_ACTIONS: Final[Mapping[str, type[Any]]] = {
    "mqtt": MqttAction,
    "http": HttpAction,
    "remind": RemindAction,
}
_ACTION_NAMES: Final = {kind: name for name, kind in _ACTIONS.items()}
_to_text: Final = msgspec.json.Encoder(order="deterministic").encode
_to_value: Final = msgspec.json.Decoder().decode


def encode_json(value: object) -> str:
    """JSON text of a plain value."""
    return _to_text(value).decode()


def decode_json(text: str) -> Any:
    """The plain value of our own JSON text."""
    return _to_value(text)


def encode_event(event: Event) -> str:
    """The definition as stored; ``decode_event`` reads it back, also after fields were added."""
    stored = {name: getattr(event, name) for name in _HINTS if name != "action"}
    stored["action"] = {"type": _ACTION_NAMES[type(event.action)], "value": event.action}
    return encode_json(stored)


def decode_event(text: str) -> Event:
    """The definition that ``encode_event`` wrote; fields it did not know get their defaults."""
    stored = decode_json(text)
    action = stored.pop("action")
    fields = {
        name: msgspec.convert(value, _HINTS[name])
        for name, value in stored.items()
        if name in _HINTS
    }
    return Event(action=msgspec.convert(action["value"], _ACTIONS[action["type"]]), **fields)


def read_record(row: sqlite3.Row) -> EventRecord:
    """An event's row, selected with its ``open_count``."""
    return EventRecord(
        event=decode_event(row["spec"]),
        rev=row["rev"],
        lifecycle=Lifecycle(row["lifecycle"]),
        next_due_us=row["next_due"],
        paused_until_us=row["paused_until"],
        tz_version=row["tz_version"],
        open_count=row["open_count"],
        run_count=row["run_count"],
        success_count=row["success_count"],
        failure_count=row["failure_count"],
        missed_count=row["missed_count"],
        last_run_us=row["last_run"],
        last_status=ExecutionStatus(row["last_status"]) if row["last_status"] else None,
    )


def read_execution(row: sqlite3.Row, attempts: Sequence[Attempt] = ()) -> Execution:
    """An execution's row."""
    return Execution(
        execution_id=row["execution_id"],
        event_id=row["event_id"],
        due_us=row["due"],
        origin=Origin(row["origin"]),
        status=ExecutionStatus(row["status"]),
        reason=Reason(row["reason"]) if row["reason"] else None,
        claimed_us=row["claimed"],
        not_before_us=row["not_before"],
        attempt=row["attempt"],
        retries=row["retries"],
        fence=row["fence"],
        owner=row["owner"],
        published_us=row["published"],
        due_to_us=row["due_to"],
        count=row["count"],
        started_us=row["started"],
        ended_us=row["ended"],
        result=decode_json(row["result"]) if row["result"] is not None else None,
        error=row["error"],
        payload=decode_json(row["payload"]) if row["payload"] is not None else None,
        dedupe=row["dedupe"],
        hops=row["hops"],
        attempts=tuple(attempts),
    )


def execution_values(execution: Execution, *, boot: str) -> dict[str, object]:
    """The columns of an execution, by name."""
    return {
        "execution_id": execution.execution_id,
        "event_id": execution.event_id,
        "due": execution.due_us,
        "origin": execution.origin.value,
        "dedupe": execution.dedupe,
        "status": execution.status.value,
        "reason": execution.reason.value if execution.reason else None,
        "claimed": execution.claimed_us,
        "not_before": execution.not_before_us,
        "attempt": execution.attempt,
        "retries": execution.retries,
        "fence": execution.fence,
        "owner": execution.owner,
        "boot": boot,
        "published": execution.published_us,
        "due_to": execution.due_to_us,
        "count": execution.count,
        "started": execution.started_us,
        "ended": execution.ended_us,
        "result": encode_json(execution.result) if execution.result is not None else None,
        "error": execution.error,
        "payload": encode_json(execution.payload) if execution.payload is not None else None,
        "hops": execution.hops,
    }


def page_of(items: tuple[T, ...], *, more: bool, place: Callable[[T], tuple[int, str]]) -> Page[T]:
    """A page; where there is ``more``, its cursor holds the place of its last item in the list."""
    return Page(items, _encode_cursor(*place(items[-1])) if more and items else "")


def _encode_cursor(instant_us: int, row_id: str) -> str:
    return base64.urlsafe_b64encode(f"{instant_us}:{row_id}".encode()).decode()


def decode_cursor(cursor: str) -> tuple[int, str]:
    """The place that ``page_of`` wrote.

    Raises:
        BadField: not a cursor of ours.
    """
    try:
        text = base64.urlsafe_b64decode(cursor.encode("ascii")).decode()
        instant, colon, row_id = text.partition(":")
        if not colon or abs(int(instant)) >= 1 << 63:
            raise ValueError(text)
        return int(instant), row_id
    except (ValueError, binascii.Error, UnicodeError):
        raise BadField(
            "cursor",
            "cursor: not one of ours; pass next_cursor of the page before, unchanged",
            reason="bad_cursor",
        ) from None
