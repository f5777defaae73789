"""One occurrence of an event: its states, and the only moves between them.

Source: scheduling.md §5 and §6.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, StrEnum
from typing import Final

LATE_US: Final = 5_000_000  # claimed later than this after its due instant: a catch-up


class ExecutionStatus(StrEnum):
    """``missed`` and ``skipped`` rows are born in their last state."""

    PENDING = "pending"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"
    MISSED = "missed"
    SKIPPED = "skipped"

    @property
    def final(self) -> bool:
        """Whether nothing changes this status any more."""
        return self not in OPEN


OPEN: Final = frozenset({ExecutionStatus.PENDING, ExecutionStatus.RUNNING})


class Origin(StrEnum):
    """What made the row; part of its key, so that no instant is taken under two names.

    ``clock``: a nominal row that lay after a wrong clock was set back; its key is free again.
    """

    NOMINAL = "nominal"
    MANUAL = "manual"
    MQTT = "mqtt"
    CHAINED = "chained"
    CLOCK = "clock"


class ShownKind(StrEnum):
    """What the API calls the origin."""

    SCHEDULED = "scheduled"
    MANUAL = "manual"
    MQTT = "mqtt"
    CHAINED = "chained"
    CATCH_UP = "catch_up"


class Reason(StrEnum):
    """Why a row has its status where that is no matter of course; stable codes of the API."""

    GRACE = "grace"
    COALESCED = "coalesced"
    POLICY = "policy"
    CATCHUP_CAP = "catchup_cap"
    PAUSED = "paused"
    OVERLAP = "overlap"
    QUEUED = "queued"  # pending behind another execution of the event
    QUEUE_FULL = "queue_full"
    BLACKOUT = "blackout"
    MAX_RUNS = "max_runs"
    NO_SUBSCRIBERS = "no_subscribers"
    BROKER_UNREACHABLE = "broker_unreachable"
    UNKNOWN_OUTCOME = "unknown_outcome"
    TIMEOUT = "timeout"
    REFUSED = "refused"
    REPORTED = "reported"
    CANCEL_RUNNING = "cancel_running"
    REQUESTED = "requested"


class Signal(Enum):
    """What can happen to an execution."""

    STARTED = "started"  # the publish or the request begins
    SUCCEEDED = "succeeded"  # PUBACK; with require_ack the target's report
    FAILED_RETRYABLE = "failed_retryable"  # failure or timeout, retries left
    FAILED_FINAL = "failed_final"  # failure or timeout, none left
    INTERRUPTED = "interrupted"  # the broker went away before its answer: no attempt is used
    UNREACHABLE = "unreachable"  # grace over while the broker was away
    CANCEL = "cancel"
    ADOPTED = "adopted"  # owner dead, perhaps published: to be sent again
    ADOPTED_PUBLISHED = "adopted_published"  # owner dead, surely published: the timeout goes on
    ADOPTED_UNKNOWN = "adopted_unknown"  # owner dead, perhaps published, never to be sent again


class IllegalMove(AssertionError):
    """Our own code sent a signal that cannot come in this state."""


_S = ExecutionStatus

MOVES: Final[Mapping[tuple[ExecutionStatus, Signal], ExecutionStatus]] = {
    (_S.PENDING, Signal.STARTED): _S.RUNNING,
    # A report on an earlier attempt may come while the next one waits: the first final answer
    # wins. ``remind`` completes without a start.
    (_S.PENDING, Signal.SUCCEEDED): _S.COMPLETED,
    (_S.PENDING, Signal.FAILED_RETRYABLE): _S.PENDING,
    (_S.PENDING, Signal.FAILED_FINAL): _S.FAILED,
    (_S.PENDING, Signal.INTERRUPTED): _S.PENDING,  # and its start was not recorded
    (_S.PENDING, Signal.UNREACHABLE): _S.FAILED,
    (_S.PENDING, Signal.CANCEL): _S.CANCELLED,
    (_S.PENDING, Signal.ADOPTED): _S.PENDING,
    (_S.RUNNING, Signal.SUCCEEDED): _S.COMPLETED,
    (_S.RUNNING, Signal.FAILED_RETRYABLE): _S.PENDING,
    (_S.RUNNING, Signal.FAILED_FINAL): _S.FAILED,
    (_S.RUNNING, Signal.INTERRUPTED): _S.PENDING,
    (_S.RUNNING, Signal.UNREACHABLE): _S.FAILED,
    (_S.RUNNING, Signal.CANCEL): _S.CANCELLED,
    (_S.RUNNING, Signal.ADOPTED): _S.PENDING,
    (_S.RUNNING, Signal.ADOPTED_PUBLISHED): _S.RUNNING,
    (_S.RUNNING, Signal.ADOPTED_UNKNOWN): _S.FAILED,
}

# The full product: a final status stays whatever comes, an absent pair is illegal.
TRANSITIONS: Final[Mapping[tuple[ExecutionStatus, Signal], ExecutionStatus]] = {
    **MOVES,
    **{(status, signal): status for status in _S if status not in OPEN for signal in Signal},
}


def transition(status: ExecutionStatus, signal: Signal) -> ExecutionStatus:
    """The status after the signal; a final one stays, which the caller counts.

    Raises:
        IllegalMove: the signal cannot come in this state; nothing changes.
    """
    try:
        return TRANSITIONS[status, signal]
    except KeyError:
        raise IllegalMove(f"BUG: {signal.value} in state {status.value}") from None


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try. ``outcome`` is a stable code, empty while the try goes on."""

    n: int
    fence: int
    started_us: int
    ended_us: int | None = None
    outcome: str = ""
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Execution:
    """One row of the ledger; unique by event, due instant and origin.

    ``attempt`` counts all sendings, also those after a crash; ``retries`` only the failed tries
    that led to another one. ``fence`` grows with each owner: who holds an older one may not
    settle. ``not_before_us`` holds a jittered or retried start back. ``published_us`` is set by
    the PUBACK of the current attempt. A range row stands for ``count`` instants from ``due_us``
    to ``due_to_us`` with one fate. ``dedupe`` makes a redelivered start the same row: the
    ``message_id`` of a bus message, the parent's execution id of a chained run. ``hops`` counts
    the chain that led here.
    """

    execution_id: str
    event_id: str
    due_us: int
    origin: Origin = Origin.NOMINAL
    status: ExecutionStatus = ExecutionStatus.PENDING
    reason: Reason | None = None
    claimed_us: int = 0
    not_before_us: int = 0
    attempt: int = 0
    retries: int = 0
    fence: int = 1
    owner: str = ""
    published_us: int | None = None
    due_to_us: int | None = None
    count: int = 1
    started_us: int | None = None
    ended_us: int | None = None
    result: object = None
    error: str = ""
    payload: Mapping[str, object] | None = None
    dedupe: str | None = None
    hops: int = 0
    attempts: tuple[Attempt, ...] = ()

    @property
    def kind(self) -> ShownKind:
        """What the API calls the origin; a nominal instant claimed late is a catch-up."""
        if self.origin not in (Origin.NOMINAL, Origin.CLOCK):
            return ShownKind(self.origin.value)
        late = self.claimed_us - self.due_us > LATE_US
        return ShownKind.CATCH_UP if late else ShownKind.SCHEDULED
