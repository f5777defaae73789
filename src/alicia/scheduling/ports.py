"""What the scheduling core needs from outside: a ledger that remembers, actors that act.

One suite (``tests/contract/test_ledger.py``) runs over every adapter.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from alicia.base.errors import Conflict
from alicia.scheduling.event import Event, EventRecord, EventStatus
from alicia.scheduling.execution import Execution, ExecutionStatus, Origin, Reason, Signal
from alicia.scheduling.lease import Lease
from alicia.scheduling.plan import DuePlan

T = TypeVar("T", EventRecord, Execution)


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Some rows of a list; ``next_cursor`` is empty on the last page."""

    items: tuple[T, ...]
    next_cursor: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class EventFilter:
    """Which events to list; empty fields do not narrow. ``search`` is a part of name or text."""

    active_only: bool = False
    tag: str = ""
    status: EventStatus | None = None
    search: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutionFilter:
    """Which executions to list; ``since_us`` and ``until_us`` bound the due instant, inclusive."""

    event_id: str = ""
    status: ExecutionStatus | None = None
    since_us: int | None = None
    until_us: int | None = None


@dataclass(frozen=True, slots=True)
class Remembered:
    """The first answer to an Idempotency-Key; ``body_hash`` tells a repeat from a misuse."""

    key: str
    body_hash: str
    answer: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """A start that no trigger made. ``due_us`` is the request's microsecond, moved on if taken.

    A second start with the same ``dedupe`` of one event is the first one again.
    """

    event_id: str
    execution_id: str
    due_us: int
    origin: Origin
    payload: Mapping[str, object] | None = None
    dedupe: str | None = None
    hops: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Settlement:
    """What happened to an execution under ``fence``; applied by ``execution.transition``.

    ``not_before_us`` is when the next try may start (FAILED_RETRYABLE, INTERRUPTED). ``outcome``
    closes the current attempt. ``chained`` starts go into the same transaction.
    """

    execution_id: str
    fence: int
    signal: Signal
    at_us: int
    reason: Reason | None = None
    result: object = None
    error: str = ""
    outcome: str = ""
    not_before_us: int = 0
    chained: tuple[Start, ...] = ()


@dataclass(frozen=True, slots=True)
class Settled:
    """What a settlement did.

    ``execution`` is the row as it stands now. ``applied`` is False where the fence was old or
    the row final: nothing changed, count it. ``released`` are rows that may start now: queued
    ones of this event, and the chained. ``cancel`` are open rows that an overlap policy wants
    stopped, as in ClaimResult.
    """

    execution: Execution
    applied: bool
    released: tuple[Execution, ...] = ()
    cancel: tuple[Execution, ...] = ()


@dataclass(frozen=True, slots=True)
class ClaimResult:
    """What a claim inserted.

    ``runnable`` may be published, now that the commit is done; ``cancel`` are open rows that an
    overlap policy wants stopped; ``closed`` counts skipped and missed instants; ``stale`` names
    events whose ``next_due`` or ``rev`` had moved, so that nothing was inserted for them;
    ``ended`` those that have had their ``max_runs``, so that nothing of them is due any more.
    """

    runnable: tuple[Execution, ...]
    cancel: tuple[Execution, ...] = ()
    closed: tuple[Execution, ...] = ()
    stale: tuple[str, ...] = ()
    ended: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Revision:
    """One version of an event and when it was in force: from inclusive, to exclusive or open."""

    event: Event
    rev: int
    valid_from_us: int
    valid_to_us: int | None
    active: bool


@dataclass(frozen=True, slots=True)
class Totals:
    """Numbers over all events, history that was pruned included; ``events`` by status."""

    events: Mapping[str, int]
    runs: int
    successes: int
    failures: int
    misses: int


def id_taken(event_id: str) -> Conflict:
    """The error of ``Ledger.add`` for an id that is in use."""
    return Conflict(
        f"event_id: {event_id!r} is taken; leave it out or PUT to change that event",
        loc=("event_id",),
    )


class Ledger(Protocol):
    """The durable memory of the scheduler: events, executions, leases.

    Each method is one transaction; what it returns is committed. All raise Unavailable when the
    database cannot be asked or a commit failed: then nothing was changed.
    """

    async def add(self, record: EventRecord, *, remember: Remembered | None = None) -> EventRecord:
        """Store a new event with its first revision and the answer to its Idempotency-Key.

        Raises:
            Conflict: the id is taken.
        """
        ...

    async def remembered(self, key: str) -> Remembered | None:
        """The first answer given under an Idempotency-Key."""
        ...

    async def forget(self, *, before_us: int) -> int:
        """Drop answers to Idempotency-Keys given before an instant; returns how many."""
        ...

    async def get(self, event_id: str) -> EventRecord:
        """One event.

        Raises:
            NotFound: there is none with this id.
        """
        ...

    async def find(self, name: str) -> EventRecord:
        """The newest event of this name that is not cancelled.

        Raises:
            NotFound: there is none.
        """
        ...

    async def events(self, where: EventFilter, *, limit: int, cursor: str) -> Page[EventRecord]:
        """Events in order of creation."""
        ...

    async def replace(
        self, record: EventRecord, *, expected_rev: int, closed: Sequence[Execution] = ()
    ) -> EventRecord:
        """Store an edit, pause, resume or cancel as the next revision; counters stay.

        ``closed`` are rows of instants that the change passes over (``skipped``, ``paused``).

        Raises:
            NotFound: there is none with this id.
            Conflict: ``expected_rev`` is not the stored one.
        """
        ...

    async def purge(self, event_id: str) -> None:
        """Remove an event with its whole history.

        Raises:
            NotFound: there is none with this id.
        """
        ...

    async def due(self, until_us: int, *, limit: int) -> tuple[EventRecord, ...]:
        """Events with ``next_due_us`` up to ``until_us`` inclusive, oldest first."""
        ...

    async def resumable(self, now_us: int, *, limit: int) -> tuple[EventRecord, ...]:
        """Paused events whose pause has ended by ``now_us``."""
        ...

    async def listening(self, *, limit: int) -> tuple[EventRecord, ...]:
        """Events, not cancelled, that messages of their own topics start."""
        ...

    async def claim(self, plans: Sequence[DuePlan], *, lease: Lease, now_us: int) -> ClaimResult:
        """Insert the rows of all plans and move each event's ``next_due``.

        A plan counts only where ``next_due`` and ``rev`` still are what it saw; a row that is
        there already is left alone. ``overlap.admit`` decides inside the transaction, on the
        open rows found there, and ``max_runs`` on the executions counted there: the instants
        beyond are skipped. Execution ids are fresh (``uuid7``).
        """
        ...

    async def trigger(self, start: Start, *, lease: Lease, now_us: int) -> Settled:
        """Insert one manual, bus or chained start; obeys overlap, ignores pause and bounds.

        Raises:
            NotFound: there is no such event.
        """
        ...

    async def begin(
        self, execution_id: str, *, fence: int, attempt: int, at_us: int
    ) -> Execution | None:
        """Record that a try starts: running, a new attempt row. None: the lease was lost."""
        ...

    async def published(self, execution_id: str, *, fence: int, at_us: int) -> bool:
        """Record the PUBACK of a try that waits for its target. False: the lease was lost."""
        ...

    async def settle(self, settlements: Sequence[Settlement]) -> tuple[Settled, ...]:
        """Apply outcomes, one answer each, in order.

        Raises:
            NotFound: an execution does not exist.
        """
        ...

    async def renew(self, lease: Lease) -> Lease:
        """Extend the lease in database time."""
        ...

    async def release(self, lease: Lease) -> None:
        """End the lease, so that others need not wait for it."""
        ...

    async def takeover(self, lease: Lease, *, now_us: int, limit: int) -> tuple[Execution, ...]:
        """Own open rows of dead nodes and of earlier boots of this one: fence and attempt grow."""
        ...

    async def open_executions(self, *, limit: int) -> tuple[Execution, ...]:
        """Pending and running rows, oldest first."""
        ...

    async def execution(self, execution_id: str) -> Execution:
        """One execution with its attempts.

        Raises:
            NotFound: there is none with this id.
        """
        ...

    async def history(self, where: ExecutionFilter, *, limit: int, cursor: str) -> Page[Execution]:
        """Executions with their attempts, newest due instant first."""
        ...

    async def revisions(self, event_id: str, *, start_us: int, end_us: int) -> tuple[Revision, ...]:
        """The revisions of an event that were in force within the window, oldest first."""
        ...

    async def totals(self) -> Totals:
        """Counts over the whole table."""
        ...

    async def prune(self, *, keep: int, limit: int) -> int:
        """Fold final rows beyond the newest ``keep`` of each event into range rows."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One try, as an actor sees it. ``expires_us`` is when the effect is no longer wanted."""

    event: Event
    execution: Execution
    attempt: int
    scheduled_time: str
    expires_us: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a try ended.

    ``signal`` is None while the target's report is still awaited. FAILED_RETRYABLE says that
    another try might succeed; whether one is left is decided by ``retry``.
    """

    signal: Signal | None
    code: str
    reason: Reason | None = None
    result: object = None
    error: str = ""


class Actor(Protocol):
    """Performs one kind of action."""

    async def perform(self, task: Task) -> Outcome:
        """Try once; failures are outcomes, never exceptions."""
        ...
