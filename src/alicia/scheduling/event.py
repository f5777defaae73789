"""A scheduled event: what is to happen, when, and what its lateness and length lead to.

Instants are integer microseconds since 1970 UTC. Everything here is an immutable value; texts
become events in ``parse``, events become API objects in ``view``.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from alicia.scheduling.execution import ExecutionStatus

SECOND_US: Final = 1_000_000
GRACE_MIN_US: Final = 60 * SECOND_US
GRACE_MAX_US: Final = 3600 * SECOND_US  # also the grace of ``once``


class ScheduleType(StrEnum):
    """The kinds of trigger."""

    ONCE = "once"
    INTERVAL = "interval"
    CRON = "cron"
    RECURRING = "recurring"


class EventStatus(StrEnum):
    """What the API shows for an event as a whole."""

    PENDING = "pending"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"
    PAUSED = "paused"


class Lifecycle(StrEnum):
    """What people decided about an event; the rest of its status follows from the ledger."""

    ACTIVE = "active"
    PAUSED = "paused"
    CANCELLED = "cancelled"


class Dialect(StrEnum):
    """How a cron expression is read (scheduling.md §2)."""

    DEBIAN = "debian"
    QUARTZ = "quartz"
    OCPS = "ocps"


class Dst(StrEnum):
    """What a clock change does to a *fixed* local time (scheduling.md §3)."""

    DEBIAN = "debian"
    SKIP = "skip"
    SHIFT = "shift"
    BOTH = "both"


class MisfirePolicy(StrEnum):
    """What happens to late instants within the grace."""

    RUN_ONCE = "run_once"
    RUN_ALL = "run_all"
    SKIP = "skip"


class OverlapPolicy(StrEnum):
    """What happens to an instant that comes while an execution is open."""

    SKIP = "skip"
    QUEUE_ONE = "queue_one"
    QUEUE_ALL = "queue_all"
    CANCEL_RUNNING = "cancel_running"
    ALLOW = "allow"


class Delivery(StrEnum):
    """What a crash after the publish may cost: a repetition, or the outcome."""

    AT_LEAST_ONCE = "at_least_once"
    AT_MOST_ONCE = "at_most_once"


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """When an event is due; ``triggers.kinds.build`` makes the trigger.

    Exactly the fields of ``schedule_type`` are set: ``run_at`` (RFC 3339, or wall time in
    ``timezone``), ``interval_us``, ``cron_expression``, or ``recurrence`` (RRULE text, or the
    structured or sun form as given). Bounds are inclusive. ``anchor_us`` is where intervals and
    recurrences count from: ``start_us``, else the instant of creation or of the last edit that
    changed the interval.
    """

    schedule_type: ScheduleType
    timezone: str
    anchor_us: int
    run_at: str = ""
    interval_us: int = 0
    cron_expression: str = ""
    recurrence: str | Mapping[str, object] = ""
    dialect: Dialect = Dialect.DEBIAN
    dst: Dst = Dst.DEBIAN
    start_us: int | None = None
    end_us: int | None = None
    max_runs: int | None = None
    jitter_us: int = 0


@dataclass(frozen=True, slots=True)
class Misfire:
    """Treatment of late instants. ``grace_us`` None: two periods, between 60 s and 1 h."""

    policy: MisfirePolicy = MisfirePolicy.RUN_ONCE
    grace_us: int | None = None
    max_catchup: int = 100


@dataclass(frozen=True, slots=True)
class Retry:
    """Tries after the first: waits of delay * backoff^(n-1), see ``retry.retry_at``."""

    max_retries: int = 0
    delay_ms: int = 5000
    backoff: float = 2.0


@dataclass(frozen=True, slots=True)
class MqttAction:
    """Publish ``message`` with the execution's fields merged in."""

    topic: str
    message: Mapping[str, object]
    qos: int = 1
    retain: bool = False


@dataclass(frozen=True, slots=True)
class HttpAction:
    """Send one request; 2xx completes. ``body`` None sends no body."""

    method: str
    url: str
    headers: tuple[tuple[str, str], ...] = ()
    body: object = None


@dataclass(frozen=True, slots=True)
class RemindAction:
    """Only record that the instant came; completes at the claim."""


Action = MqttAction | HttpAction | RemindAction


@dataclass(frozen=True, slots=True)
class BusTrigger:
    """Start the event when a message on ``topic`` (a filter) has all ``match`` keys equal."""

    topic: str
    match: tuple[tuple[str, object], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """The definition of one scheduled event, as the last edit left it."""

    event_id: str
    name: str
    timing: Timing
    action: Action
    description: str = ""
    target_service: str = ""
    target_topic: str = ""
    payload: Mapping[str, object] | None = None
    enabled: bool = True
    misfire: Misfire = Misfire()
    overlap: OverlapPolicy = OverlapPolicy.SKIP
    retry: Retry = Retry()
    timeout_ms: int = 60_000
    require_ack: bool = False
    delivery: Delivery = Delivery.AT_LEAST_ONCE
    tags: tuple[str, ...] = ()
    on_success: tuple[str, ...] = ()
    on_failure: tuple[str, ...] = ()
    triggers: tuple[BusTrigger, ...] = ()
    created_us: int
    updated_us: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EventRecord:
    """An event as the ledger holds it: the definition, and what became of it so far.

    ``rev`` grows by one with every edit, pause and resume. ``next_due_us`` is None while nothing
    is due by itself: paused, disabled, cancelled, or after the last instant. ``open_count`` is
    the number of pending and running executions. ``tz_version`` names the zone data by which
    ``next_due_us`` was computed. ``run_count`` counts executions from their claim on; skipped
    and missed instants are none. The counters survive the pruning of history.
    """

    event: Event
    rev: int = 1
    lifecycle: Lifecycle = Lifecycle.ACTIVE
    next_due_us: int | None = None
    paused_until_us: int | None = None
    tz_version: str = ""
    open_count: int = 0
    run_count: int = 0
    success_count: int = 0
    failure_count: int = 0
    missed_count: int = 0
    last_run_us: int | None = None
    last_status: ExecutionStatus | None = None

    @property
    def status(self) -> EventStatus:
        """The one word for people; the first that holds of cancelled, paused, running, ended."""
        if self.lifecycle is Lifecycle.CANCELLED:
            return EventStatus.CANCELLED
        if self.lifecycle is Lifecycle.PAUSED or not self.event.enabled:
            return EventStatus.PAUSED
        if self.open_count:
            return EventStatus.RUNNING
        if self.next_due_us is not None:
            return EventStatus.PENDING
        if not self.run_count and self.last_status is None:
            # Waits for a boot, a message or a manual start: nothing has ended yet.
            return EventStatus.PENDING
        failed = self.last_status is ExecutionStatus.FAILED
        return EventStatus.FAILED if failed else EventStatus.COMPLETED
