"""What a due event does now: which instants run, which are passed over, and why.

Source: scheduling.md §4.
"""

from dataclasses import dataclass

from alicia.scheduling.execution import ExecutionStatus, Reason


@dataclass(frozen=True, slots=True)
class Run:
    """An instant that is to be executed; ``not_before_us`` is its jittered start."""

    due_us: int
    not_before_us: int
    late: bool


@dataclass(frozen=True, slots=True)
class Closed:
    """Instants that are recorded and not executed, from ``due_us`` to ``due_to_us`` inclusive.

    ``count`` above 1 makes a range row.
    """

    status: ExecutionStatus
    reason: Reason
    due_us: int
    due_to_us: int
    count: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class DuePlan:
    """The fate of every instant of one event up to now; the ledger commits it as a whole.

    ``seen_due_us`` and ``rev`` are what the ledger must still find, else the plan is stale.
    ``run`` is ascending. ``next_due_us`` is the first instant after now, None after the last.
    """

    event_id: str
    rev: int
    seen_due_us: int
    run: tuple[Run, ...] = ()
    skipped: tuple[Closed, ...] = ()
    missed: tuple[Closed, ...] = ()
    next_due_us: int | None = None
