"""What a due event does now: which instants run, which are passed over, and why.

Source: scheduling.md §4.
"""

from dataclasses import dataclass, replace
from typing import Final

from alicia.base.errors import BadField
from alicia.scheduling.event import (
    GRACE_MAX_US,
    GRACE_MIN_US,
    Event,
    EventRecord,
    MisfirePolicy,
    ScheduleType,
)
from alicia.scheduling.execution import LATE_US, ExecutionStatus, Reason
from alicia.scheduling.jitter import jittered_us
from alicia.scheduling.triggers.trigger import Trigger

ROWS_MAX: Final = 100  # more consecutive instants with one fate become one range row


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
    Which of ``run`` are executed is seen at the claim, where the open executions are known: the
    overlap policy may skip some, and with ``max_runs`` executed ones the event has ended.
    """

    event_id: str
    rev: int
    seen_due_us: int
    run: tuple[Run, ...] = ()
    skipped: tuple[Closed, ...] = ()
    missed: tuple[Closed, ...] = ()
    next_due_us: int | None = None
    max_runs: int | None = None


def plan_due(record: EventRecord, trigger: Trigger, *, now_us: int) -> DuePlan:
    """Decide what a due event does at ``now_us``; nothing that is due stays without a fate.

    Late instants follow the misfire policy, those claimed in time always run. Instants older
    than the grace are counted and not walked: ten years cost what ten minutes do.
    """
    due = record.next_due_us
    assert due is not None, "only an event with a next instant is planned"
    plan = DuePlan(
        event_id=record.event.event_id,
        rev=record.rev,
        seen_due_us=due,
        next_due_us=due,
        max_runs=record.event.timing.max_runs,
    )
    if due > now_us:
        return plan
    grace = max(grace_us(record.event, trigger, due), LATE_US)
    oldest, live_from = now_us - grace, now_us - LATE_US
    expired = closed(trigger, due, oldest - 1, status=ExecutionStatus.MISSED, reason=Reason.GRACE)
    live = _instants(trigger, max(due, live_from), now_us)
    late_from = max(due, oldest)
    split = _split_late(
        record.event, trigger, first_us=late_from, last_us=live_from - 1, has_live=bool(live)
    )
    return replace(
        plan,
        run=_runs(record.event, (*split.run, *live), trigger, live_from),
        skipped=split.skipped,
        missed=(*expired, *split.missed),
        next_due_us=trigger.next_after(now_us),
    )


def grace_us(event: Event, trigger: Trigger, due_us: int) -> int:
    """How late an instant may still run: as set, else two periods between 60 s and 1 h."""
    if event.misfire.grace_us is not None:
        return event.misfire.grace_us
    if event.timing.schedule_type is ScheduleType.ONCE:
        return GRACE_MAX_US
    first = trigger.next_after(due_us - 1)
    following = None if first is None else trigger.next_after(first)
    if first is None or following is None:
        return GRACE_MAX_US
    return max(GRACE_MIN_US, min(GRACE_MAX_US, 2 * (following - first)))


def first_due(event: Event, trigger: Trigger, *, now_us: int) -> int | None:
    """The first instant of a new or edited event: none of the past, but for a fresh ``once``.

    Raises:
        BadField: ``run_at_past``, the only instant is older than the grace.
    """
    if event.timing.schedule_type is not ScheduleType.ONCE:
        return trigger.next_after(now_us - 1)
    at_us = trigger.next_after(-1)
    if at_us is not None and at_us < now_us - grace_us(event, trigger, at_us):
        raise BadField(
            "run_at",
            "run_at: lies in the past, beyond the grace; write a time to come, or raise"
            " misfire.grace_seconds",
            reason="run_at_past",
        )
    return at_us


def closed(
    trigger: Trigger, first_us: int, last_us: int, *, status: ExecutionStatus, reason: Reason
) -> tuple[Closed, ...]:
    """One fate for every instant from ``first_us`` to ``last_us`` inclusive.

    Single rows up to ROWS_MAX, else one range row.
    """
    if last_us < first_us:
        return ()
    count = trigger.count(first_us - 1, last_us)
    if count == 0:
        return ()
    if count <= ROWS_MAX:
        found = _instants(trigger, first_us, last_us)
        return tuple(Closed(status, reason, due, due) for due in found)
    low = trigger.next_after(first_us - 1)
    high = last_before(trigger, last_us + 1)
    assert low is not None and high is not None, "a count above 0 has ends"
    return (Closed(status, reason, low, high, count),)


def last_before(trigger: Trigger, t_us: int) -> int | None:
    """The newest instant before ``t_us`` exclusive, found by doubling and halving steps."""
    step, high = 1, t_us
    while True:
        low = t_us - step
        found = trigger.next_after(low)
        if found is not None and found < t_us:
            break
        if low < 0:
            return None
        high, step = low, step * 2
    while high - low > 1:
        middle = (low + high) // 2
        found = trigger.next_after(middle)
        if found is not None and found < t_us:
            low = middle
        else:
            high = middle
    return trigger.next_after(low)


@dataclass(frozen=True, slots=True)
class _Split:
    run: tuple[int, ...] = ()
    skipped: tuple[Closed, ...] = ()
    missed: tuple[Closed, ...] = ()


def _split_late(
    event: Event, trigger: Trigger, *, first_us: int, last_us: int, has_live: bool
) -> _Split:
    """The misfire policy, for the late instants within the grace."""
    missed, skipped = ExecutionStatus.MISSED, ExecutionStatus.SKIPPED
    match event.misfire.policy:
        case MisfirePolicy.SKIP:
            return _Split(
                missed=closed(trigger, first_us, last_us, status=missed, reason=Reason.POLICY)
            )
        case MisfirePolicy.RUN_ONCE:
            # An instant that is in time is the newest: the late ones are one with it.
            run = () if has_live else _newest(trigger, first_us, last_us, 1)
            until = run[0] - 1 if run else last_us
            return _Split(
                run=run,
                skipped=closed(trigger, first_us, until, status=skipped, reason=Reason.COALESCED),
            )
        case MisfirePolicy.RUN_ALL:
            run = _newest(trigger, first_us, last_us, event.misfire.max_catchup)
            until = run[0] - 1 if run else last_us
            return _Split(
                run=run,
                missed=closed(trigger, first_us, until, status=missed, reason=Reason.CATCHUP_CAP),
            )


def _newest(trigger: Trigger, first_us: int, last_us: int, limit: int) -> tuple[int, ...]:
    """The newest ``limit`` instants of a window with inclusive ends, ascending."""
    found: list[int] = []
    before = last_us + 1
    while len(found) < limit:
        instant = last_before(trigger, before)
        if instant is None or instant < first_us:
            break
        found.append(instant)
        before = instant
    return tuple(reversed(found))


def _instants(trigger: Trigger, first_us: int, last_us: int) -> tuple[int, ...]:
    found: list[int] = []
    due = trigger.next_after(first_us - 1)
    while due is not None and due <= last_us:
        found.append(due)
        following = trigger.next_after(due)
        assert following is None or following > due, "a trigger must move forward"
        due = following
    return tuple(found)


def _runs(event: Event, due: tuple[int, ...], trigger: Trigger, live_from: int) -> tuple[Run, ...]:
    jitter_us = event.timing.jitter_us
    runs = []
    for instant in due:
        start = instant
        if jitter_us:
            start = jittered_us(
                event.event_id,
                instant,
                jitter_us=jitter_us,
                next_due_us=trigger.next_after(instant),
            )
        runs.append(Run(instant, start, late=instant < live_from))
    return tuple(runs)
