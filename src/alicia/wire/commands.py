"""What others tell the scheduler over the bus: commands, triggers, reports of targets.

Tolerant in what it reads, as all of the bus: bare objects, one or two envelopes, short command
names, many words for one outcome. Nothing here raises; what cannot be read is a ``Reject``.

Source: contract.md §5, bus.md §1, §5.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final

from alicia.wire.envelope import unwrap
from alicia.wire.json import Undecodable, decode_bounded
from alicia.wire.ports import Message
from alicia.wire.rejects import Reject

ID_CHARS_MAX: Final = 256
EXECUTION_COMPLETE: Final = "execution_complete"


class Verb(Enum):
    """What a command asks for."""

    CREATE = "create_event"
    UPDATE = "update_event"
    CANCEL = "cancel_event"
    PAUSE = "pause_event"
    RESUME = "resume_event"
    TRIGGER = "trigger_event"


@dataclass(frozen=True, slots=True)
class Command:
    """One command; ``event`` is the unchecked body, ``reply_to`` "" where no answer is wanted.

    ``payload`` is that of one run, for a trigger.
    """

    verb: Verb
    event_id: str
    event: Mapping[str, object]
    payload: Mapping[str, object] | None
    until: object
    reply_to: str
    correlation: bytes
    message_id: str
    source: str
    hops: int


@dataclass(frozen=True, slots=True)
class Trigger:
    """A request to run one event now, named by id or, where that is "", by name."""

    event_id: str
    name: str
    payload: Mapping[str, object] | None
    message_id: str
    source: str
    hops: int


class Outcome(Enum):
    """What a target says about an execution."""

    COMPLETED = "completed"
    FAILED = "failed"
    PROGRESS = "progress"  # alive and at work: the timeout starts anew


@dataclass(frozen=True, slots=True)
class Report:
    """A target's word on one execution."""

    execution_id: str
    outcome: Outcome
    result: object
    error: str
    source: str


_VERBS: Final[Mapping[str, Verb]] = {
    **{verb.value: verb for verb in Verb},
    **{verb.value.removesuffix("_event"): verb for verb in Verb},
    "delete_event": Verb.CANCEL,
    "delete": Verb.CANCEL,
}
_OUTCOMES: Final[Mapping[str, Outcome]] = {
    **dict.fromkeys(
        ("completed", "complete", "success", "succeeded", "ok", "done"), Outcome.COMPLETED
    ),
    **dict.fromkeys(("failed", "failure", "error"), Outcome.FAILED),
    **dict.fromkeys(
        ("progress", "running", "in_progress", "started", "accepted"), Outcome.PROGRESS
    ),
}


def decode_command(message: Message) -> Command | Reject:
    """Read a message of ``scheduler/events``."""
    opened = _open(message, ("command",))
    if isinstance(opened, Reject):
        return opened
    value = opened.value
    word = value.get("command")
    verb = _VERBS.get(word.strip().lower()) if isinstance(word, str) else None
    if verb is None:
        known = ", ".join(verb.value for verb in Verb)
        return Reject(0, "unknown_command", f"command: {_shown(word)} is none of {known}")
    event = value.get("event", {})
    if not isinstance(event, dict):
        return Reject(0, "bad_event", "event: must be an object with the event's fields")
    event_id = _id(value.get("event_id")) or _id(event.get("event_id"))
    if not event_id and verb is not Verb.CREATE:
        return Reject(0, "missing_event_id", f"event_id: {verb.value} needs the id of an event")
    payload = value.get("payload") if verb is Verb.TRIGGER else None
    if payload is not None and not isinstance(payload, dict):
        return _bad_payload()
    reply_to = value.get("reply_to")
    return Command(
        verb=verb,
        event_id=event_id,
        event=event,
        payload=payload,
        until=value.get("until"),
        reply_to=message.response_topic or (reply_to if isinstance(reply_to, str) else ""),
        correlation=message.correlation,
        message_id=opened.message_id,
        source=opened.source,
        hops=opened.hops,
    )


def decode_trigger(message: Message) -> Trigger | Reject:
    """Read a message of ``scheduler/triggers``."""
    opened = _open(message, ("event_id", "name"))
    if isinstance(opened, Reject):
        return opened
    value = opened.value
    event_id, name = _id(value.get("event_id")), _id(value.get("name"))
    if not event_id and not name:
        return Reject(0, "missing_event_id", "event_id: name the event by event_id or by name")
    payload = value.get("payload")
    if payload is not None and not isinstance(payload, dict):
        return _bad_payload()
    return Trigger(event_id, name, payload, opened.message_id, opened.source, opened.hops)


def decode_report(message: Message, *, own_source: str) -> Report | Reject | None:
    """Read a target's report; None where the message is about something else, or our own.

    On a reply by MQTT 5 the execution's id may stand in the correlation data alone.
    """
    opened = _open(message, ("execution_id",))
    if isinstance(opened, Reject):
        return opened
    if opened.source == own_source:
        return None
    value = opened.value
    event_type = value.get("event_type")
    if event_type is not None and event_type != EXECUTION_COMPLETE:
        return None
    execution_id = _id(value.get("execution_id")) or _correlated(message)
    if not execution_id:
        return None
    outcome = _outcome(value)
    if outcome is None:
        return Reject(
            0, "bad_status", f"status: {_shown(value.get('status'))}; write completed or failed"
        )
    error = value.get("error", value.get("error_message"))
    return Report(
        execution_id=execution_id,
        outcome=outcome,
        result=value.get("result"),
        error=error if isinstance(error, str) else "" if error is None else str(error),
        source=opened.source,
    )


def decode_object(message: Message) -> "Opened | Reject":
    """Read any object, for an event's own trigger topics."""
    return _open(message, ())


@dataclass(frozen=True, slots=True)
class Opened:
    """An object without its envelopes."""

    value: dict[str, object]
    message_id: str
    source: str
    hops: int


def _open(message: Message, keys: tuple[str, ...]) -> Opened | Reject:
    """The object that carries one of ``keys``.

    A trigger may have a ``message_id`` and a ``payload`` of its own, which looks like an
    envelope. So where only the outer object has the keys, the outer object is meant.
    """
    opened = unwrap(message.body)
    if isinstance(opened, Reject):
        return opened
    value = opened.value
    if not isinstance(value, dict):
        return Reject(0, "not_an_object", "the message is no JSON object")
    outer = _outer(message.body)
    if outer is not None and any(key in outer for key in keys):
        inner = outer.get("payload")
        if not (isinstance(inner, dict) and any(key in inner for key in keys)):
            value = outer
    return Opened(value, opened.message_id, opened.source, opened.hops)


def _bad_payload() -> Reject:
    return Reject(0, "bad_payload", "payload: must be an object; leave it out for none")


def _outer(body: bytes) -> dict[str, object] | None:
    try:
        value = decode_bounded(body)
    except Undecodable:
        return None  # gzip or bare text: unwrap has seen it
    return value if isinstance(value, dict) else None


def _outcome(value: Mapping[str, object]) -> Outcome | None:
    status = value.get("status")
    if isinstance(status, str):
        return _OUTCOMES.get(status.strip().lower())
    success = value.get("success")
    if isinstance(success, bool):
        return Outcome.COMPLETED if success else Outcome.FAILED
    if "progress" in value:
        return Outcome.PROGRESS
    return Outcome.COMPLETED if value.get("event_type") == EXECUTION_COMPLETE else None


def _id(value: object) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    return value if isinstance(value, str) and len(value) <= ID_CHARS_MAX else ""


def _correlated(message: Message) -> str:
    try:
        return _id(message.correlation.decode("ascii"))
    except UnicodeDecodeError:
        return ""


def _shown(value: object) -> str:
    return "nothing" if value is None else repr(value)[:64]
