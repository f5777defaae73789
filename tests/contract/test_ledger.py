"""What every ledger promises (``scheduling.ports.Ledger``), over each adapter."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from alicia.adapters.clock import SystemRandom
from alicia.adapters.sql.database import open_database
from alicia.adapters.sql.ledger import SqlLedger
from alicia.base.errors import BadField, Conflict, NotFound
from alicia.scheduling.event import (
    Delivery,
    Event,
    EventRecord,
    EventStatus,
    HttpAction,
    Lifecycle,
    Misfire,
    MqttAction,
    OverlapPolicy,
    RemindAction,
    ScheduleType,
    Timing,
)
from alicia.scheduling.execution import (
    ExecutionStatus,
    Origin,
    Reason,
    ShownKind,
    Signal,
)
from alicia.scheduling.lease import Lease
from alicia.scheduling.plan import Closed, DuePlan, Run
from alicia.scheduling.ports import (
    EventFilter,
    ExecutionFilter,
    Ledger,
    Remembered,
    Settlement,
    Start,
    Totals,
)

NOW = 1_795_600_000_000_000
SECOND = 1_000_000
ME = Lease("n1", "boot-1", 0)


class StillClock:
    """A clock that a test moves; ids are fresh by their random part."""

    def now_ms(self) -> int:
        return NOW // 1000

    def now_us(self) -> int:
        return NOW

    def monotonic_ms(self) -> int:
        return 77


@pytest.fixture(params=["sqlite"])
async def ledger(tmp_path: Path) -> AsyncIterator[Ledger]:
    database = await open_database(tmp_path / "scheduler.db", service="scheduler")
    yield SqlLedger(database, lease=ME, clock=StillClock(), random=SystemRandom())
    await database.close()


def event(event_id: str = "e1", **fields: object) -> Event:
    base: dict[str, object] = {
        "name": f"name of {event_id}",
        "timing": Timing(
            schedule_type=ScheduleType.INTERVAL,
            timezone="Europe/Riga",
            anchor_us=NOW,
            interval_us=SECOND,
        ),
        "action": MqttAction("a/b", {"x": [1, {"y": None}]}),
        "created_us": NOW,
        "updated_us": NOW,
    }
    return Event(event_id=event_id, **(base | fields))  # type: ignore[arg-type]


def record(event_id: str = "e1", *, next_due_us: int | None = NOW, **fields: object) -> EventRecord:
    return EventRecord(event=event(event_id, **fields), next_due_us=next_due_us, tz_version="2026f")


def plan(event_id: str = "e1", *, due: int = NOW, rev: int = 1, **fields: object) -> DuePlan:
    base: dict[str, object] = {
        "run": (Run(due, due, late=False),),
        "next_due_us": due + SECOND,
    }
    return DuePlan(event_id=event_id, rev=rev, seen_due_us=due, **(base | fields))  # type: ignore[arg-type]


def start(event_id: str = "e1", *, n: int = 1, **fields: object) -> Start:
    base: dict[str, object] = {"due_us": NOW, "origin": Origin.MANUAL, "execution_id": f"x{n}"}
    return Start(event_id=event_id, **(base | fields))  # type: ignore[arg-type]


def settled(execution_id: str, signal: Signal, **fields: object) -> Settlement:
    base: dict[str, object] = {"fence": 1, "at_us": NOW + 5}
    return Settlement(execution_id=execution_id, signal=signal, **(base | fields))  # type: ignore[arg-type]


# --- events ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "stored",
    [
        event(action=HttpAction("POST", "http://h/p", (("A", "b"),), {"k": 1})),
        event(action=RemindAction(), tags=("t", "u"), enabled=False),
        event(
            timing=Timing(
                schedule_type=ScheduleType.RECURRING,
                timezone="UTC",
                anchor_us=NOW,
                recurrence={"frequency": "daily", "time_of_day": ["07:30"]},
                end_us=NOW * 2,
            ),
            misfire=Misfire(grace_us=5),
            payload={"a": "ä"},
            delivery=Delivery.AT_MOST_ONCE,
            on_success=("other",),
        ),
    ],
)
async def test_an_event_comes_back_as_it_was_stored(ledger: Ledger, stored: Event) -> None:
    await ledger.add(EventRecord(event=stored, next_due_us=NOW))
    got = await ledger.get("e1")
    assert got == EventRecord(event=stored, next_due_us=NOW)


async def test_a_taken_id_is_a_conflict_and_stores_nothing(ledger: Ledger) -> None:
    await ledger.add(record())
    with pytest.raises(Conflict, match="e1"):
        await ledger.add(record(), remember=Remembered("k", "h", "{}"))
    assert await ledger.remembered("k") is None


async def test_an_absent_event_is_not_found(ledger: Ledger) -> None:
    for call in (
        ledger.get("no"),
        ledger.find("no"),
        ledger.purge("no"),
        ledger.trigger(start("no"), lease=ME, now_us=NOW),
        ledger.execution("no"),
        ledger.replace(record("no"), expected_rev=1),
        ledger.settle([settled("no", Signal.CANCEL)]),
    ):
        with pytest.raises(NotFound):
            await call


async def test_the_first_answer_to_a_key_is_remembered_until_forgotten(ledger: Ledger) -> None:
    await ledger.add(record(), remember=Remembered("k", "h", '{"a":1}'))
    assert await ledger.remembered("k") == Remembered("k", "h", '{"a":1}')
    with pytest.raises(Conflict):
        await ledger.add(record("e2"), remember=Remembered("k", "h", "{}"))
    with pytest.raises(NotFound):
        await ledger.get("e2")
    assert await ledger.forget(before_us=NOW) == 0
    assert await ledger.forget(before_us=NOW + 1) == 1
    assert await ledger.remembered("k") is None


async def test_find_gives_the_newest_of_a_name_that_is_not_cancelled(ledger: Ledger) -> None:
    for i in range(3):
        await ledger.add(record(f"e{i}", name="lights", created_us=NOW + i))
    gone = replace(record("e2", name="lights", created_us=NOW + 2), lifecycle=Lifecycle.CANCELLED)
    await ledger.replace(gone, expected_rev=1)
    assert (await ledger.find("lights")).event.event_id == "e1"


async def test_an_edit_needs_the_revision_it_was_made_from(ledger: Ledger) -> None:
    await ledger.add(record())
    stored = await ledger.replace(record(name="new", updated_us=NOW + 9), expected_rev=1)
    assert (stored.rev, stored.event.name) == (2, "new")
    with pytest.raises(Conflict, match="revision 2, not 1"):
        await ledger.replace(record(name="newer"), expected_rev=1)
    assert (await ledger.get("e1")).event.name == "new"


async def test_an_edit_keeps_the_counters(ledger: Ledger) -> None:
    await ledger.add(record())
    await ledger.claim([plan()], lease=ME, now_us=NOW)
    stored = await ledger.replace(record(name="new"), expected_rev=1)
    assert (stored.run_count, stored.open_count) == (1, 1)


async def test_revisions_tell_what_was_in_force_when(ledger: Ledger) -> None:
    await ledger.add(record())
    paused = replace(record(updated_us=NOW + 10), lifecycle=Lifecycle.PAUSED, next_due_us=None)
    await ledger.replace(paused, expected_rev=1)
    got = await ledger.revisions("e1", start_us=NOW, end_us=NOW + 100)
    assert [(r.rev, r.valid_from_us, r.valid_to_us, r.active) for r in got] == [
        (1, NOW, NOW + 10, True),
        (2, NOW + 10, None, False),
    ]
    late = await ledger.revisions("e1", start_us=NOW + 10, end_us=NOW + 11)
    assert [r.rev for r in late] == [2]


async def test_lists_come_in_pages_that_meet(ledger: Ledger) -> None:
    for i in range(7):
        await ledger.add(record(f"e{i}", created_us=NOW + i // 2))
    seen, cursor = [], ""
    while True:
        page = await ledger.events(EventFilter(), limit=3, cursor=cursor)
        seen += [item.event.event_id for item in page.items]
        cursor = page.next_cursor
        if not cursor:
            break
    assert seen == [f"e{i}" for i in range(7)]
    with pytest.raises(BadField, match="cursor"):
        await ledger.events(EventFilter(), limit=3, cursor="rubbish!")


async def test_filters_agree_with_what_each_event_says_of_itself(ledger: Ledger) -> None:
    await ledger.add(record("pending"))
    await ledger.add(record("paused", enabled=False, next_due_us=None))
    await ledger.add(record("running"))
    await ledger.add(record("over", next_due_us=NOW))
    await ledger.add(record("broken", next_due_us=NOW))
    await ledger.add(record("waits", next_due_us=None))
    await ledger.add(record("gone"))
    await ledger.replace(replace(record("gone"), lifecycle=Lifecycle.CANCELLED), expected_rev=1)
    await ledger.claim([plan("running")], lease=ME, now_us=NOW)
    for name, signal in (("over", Signal.SUCCEEDED), ("broken", Signal.FAILED_FINAL)):
        claimed = await ledger.claim([plan(name, next_due_us=None)], lease=ME, now_us=NOW)
        await ledger.settle([settled(claimed.runnable[0].execution_id, signal)])
    everything = (await ledger.events(EventFilter(), limit=99, cursor="")).items
    assert {item.status for item in everything} == set(EventStatus)
    for status in EventStatus:
        got = await ledger.events(EventFilter(status=status), limit=99, cursor="")
        assert got.items == tuple(item for item in everything if item.status is status)
    active = await ledger.events(EventFilter(active_only=True), limit=99, cursor="")
    assert {item.event.event_id for item in active.items} == {"pending", "running", "waits"}


async def test_totals_count_every_event_once(ledger: Ledger) -> None:
    assert await ledger.totals() == Totals({}, 0, 0, 0, 0)
    await ledger.add(record("a"))
    await ledger.add(record("b", enabled=False, next_due_us=None))
    missed = Closed(ExecutionStatus.MISSED, Reason.GRACE, NOW - 900, NOW - 300, 600)
    claimed = await ledger.claim([plan("a", missed=(missed,))], lease=ME, now_us=NOW)
    await ledger.settle([settled(claimed.runnable[0].execution_id, Signal.FAILED_FINAL)])
    assert await ledger.totals() == Totals({"pending": 1, "paused": 1}, 1, 0, 1, 600)


async def test_tag_and_text_narrow_a_list(ledger: Ledger) -> None:
    await ledger.add(record("a", tags=("home", "x"), name="Kitchen LIGHTS"))
    await ledger.add(record("b", tags=("home",), description="all the lights, off"))
    await ledger.add(record("c", name="100% _"))

    async def ids(where: EventFilter) -> list[str]:
        page = await ledger.events(where, limit=9, cursor="")
        return [item.event.event_id for item in page.items]

    assert await ids(EventFilter(tag="home")) == ["a", "b"]
    assert await ids(EventFilter(tag="x", search="lights")) == ["a"]
    assert await ids(EventFilter(search="Lights")) == ["a", "b"]
    assert await ids(EventFilter(search="% _")) == ["c"]
    await ledger.replace(record("a", tags=()), expected_rev=1)
    assert await ids(EventFilter(tag="home")) == ["b"]


async def test_due_and_listening_and_resumable(ledger: Ledger) -> None:
    await ledger.add(record("later", next_due_us=NOW + 2))
    await ledger.add(record("first", next_due_us=NOW - 1))
    await ledger.add(record("never", next_due_us=None))
    sleeping = replace(record("asleep", next_due_us=None), lifecycle=Lifecycle.PAUSED)
    await ledger.add(replace(sleeping, paused_until_us=NOW + 5))
    assert [r.event.event_id for r in await ledger.due(NOW + 2, limit=9)] == ["first", "later"]
    assert [r.event.event_id for r in await ledger.due(NOW + 1, limit=9)] == ["first"]
    assert [r.event.event_id for r in await ledger.resumable(NOW + 5, limit=9)] == ["asleep"]
    assert await ledger.resumable(NOW + 4, limit=9) == ()
    assert await ledger.listening(limit=9) == ()


async def test_purge_takes_the_history_along(ledger: Ledger) -> None:
    await ledger.add(record())
    await ledger.claim([plan()], lease=ME, now_us=NOW)
    await ledger.purge("e1")
    page = await ledger.history(ExecutionFilter(), limit=9, cursor="")
    assert page.items == ()


# --- claims ---------------------------------------------------------------------------------


async def test_a_claim_inserts_once_and_moves_the_event_on(ledger: Ledger) -> None:
    await ledger.add(record())
    first = await ledger.claim([plan()], lease=ME, now_us=NOW + 7)
    (row,) = first.runnable
    assert (row.event_id, row.due_us, row.status, row.owner) == (
        "e1",
        NOW,
        ExecutionStatus.PENDING,
        "n1",
    )
    again = await ledger.claim([plan()], lease=ME, now_us=NOW + 8)
    assert (again.runnable, again.stale) == ((), ("e1",))
    stored = await ledger.get("e1")
    assert (stored.next_due_us, stored.run_count, stored.open_count) == (NOW + SECOND, 1, 1)


async def test_an_instant_that_has_its_row_is_not_run_again(ledger: Ledger) -> None:
    await ledger.add(record(overlap=OverlapPolicy.ALLOW))
    await ledger.claim([plan()], lease=ME, now_us=NOW)
    # An edit, or a clock that was set back, may bring the same instant up once more.
    await ledger.replace(record(overlap=OverlapPolicy.ALLOW), expected_rev=1)
    again = await ledger.claim([plan(rev=2)], lease=ME, now_us=NOW)
    assert (again.runnable, again.stale) == ((), ())
    assert (await ledger.get("e1")).run_count == 1


def runs(*after_s: int, late: bool = False) -> tuple[Run, ...]:
    return tuple(Run(NOW + s * SECOND, NOW + s * SECOND, late=late) for s in after_s)


async def test_the_last_allowed_run_ends_an_event(ledger: Ledger) -> None:
    await ledger.add(record(overlap=OverlapPolicy.ALLOW))
    first = await ledger.claim([plan(max_runs=3)], lease=ME, now_us=NOW)
    assert (len(first.runnable), first.ended) == (1, ())
    last = plan(due=NOW + SECOND, run=runs(1, 2, 3, 4), next_due_us=NOW + 9, max_runs=3)
    claimed = await ledger.claim([last], lease=ME, now_us=NOW + 5 * SECOND)
    assert [row.due_us for row in claimed.runnable] == [NOW + SECOND, NOW + 2 * SECOND]
    assert [(row.due_us, row.reason) for row in claimed.closed] == [
        (NOW + 3 * SECOND, Reason.MAX_RUNS), (NOW + 4 * SECOND, Reason.MAX_RUNS),
    ]  # fmt: skip
    assert claimed.ended == ("e1",)
    stored = await ledger.get("e1")
    assert (stored.run_count, stored.next_due_us) == (3, None)


async def test_what_overlap_skips_is_none_of_the_allowed_runs(ledger: Ledger) -> None:
    await ledger.add(record())
    await ledger.claim([plan(max_runs=2)], lease=ME, now_us=NOW)
    second = plan(due=NOW + SECOND, max_runs=2, run=runs(1))
    claimed = await ledger.claim([second], lease=ME, now_us=NOW + SECOND)
    assert [row.reason for row in claimed.closed] == [Reason.OVERLAP]
    assert claimed.ended == ()
    stored = await ledger.get("e1")
    assert (stored.run_count, stored.next_due_us) == (1, NOW + 2 * SECOND)


async def test_runs_that_wait_and_manual_ones_count_as_allowed(ledger: Ledger) -> None:
    await ledger.add(record(overlap=OverlapPolicy.QUEUE_ALL))
    await ledger.trigger(start(), lease=ME, now_us=NOW)
    claimed = await ledger.claim([plan(run=runs(0, 1), max_runs=2)], lease=ME, now_us=NOW)
    assert [(row.due_us, row.reason) for row in claimed.closed] == [(NOW + SECOND, Reason.MAX_RUNS)]
    assert (claimed.runnable, claimed.ended) == ((), ("e1",))
    assert (await ledger.get("e1")).run_count == 2


async def test_a_plan_from_before_an_edit_is_stale(ledger: Ledger) -> None:
    await ledger.add(record())
    await ledger.replace(record(), expected_rev=1)
    result = await ledger.claim([plan(rev=1)], lease=ME, now_us=NOW)
    assert result.stale == ("e1",)
    assert (await ledger.history(ExecutionFilter(), limit=9, cursor="")).items == ()


async def test_missed_and_skipped_instants_get_rows_with_their_reason(ledger: Ledger) -> None:
    await ledger.add(record())
    missed = Closed(ExecutionStatus.MISSED, Reason.GRACE, NOW - 900, NOW - 300, 600)
    skipped = Closed(ExecutionStatus.SKIPPED, Reason.COALESCED, NOW - 200, NOW - 200)
    result = await ledger.claim(
        [plan(missed=(missed,), skipped=(skipped,))], lease=ME, now_us=NOW + 10 * SECOND
    )
    assert [(r.status, r.reason, r.count, r.due_to_us) for r in result.closed] == [
        (ExecutionStatus.MISSED, Reason.GRACE, 600, NOW - 300),
        (ExecutionStatus.SKIPPED, Reason.COALESCED, 1, None),
    ]
    assert result.runnable[0].kind is ShownKind.CATCH_UP
    assert (await ledger.get("e1")).missed_count == 600


async def test_an_event_whose_instants_were_all_missed_is_over(ledger: Ledger) -> None:
    await ledger.add(record())
    missed = Closed(ExecutionStatus.MISSED, Reason.GRACE, NOW, NOW)
    await ledger.claim([plan(run=(), missed=(missed,), next_due_us=None)], lease=ME, now_us=NOW)
    assert (await ledger.get("e1")).status is EventStatus.COMPLETED


@pytest.mark.parametrize(
    ("policy", "second", "reason", "cancels"),
    [
        (OverlapPolicy.SKIP, ExecutionStatus.SKIPPED, Reason.OVERLAP, 0),
        (OverlapPolicy.QUEUE_ONE, ExecutionStatus.PENDING, Reason.QUEUED, 0),
        (OverlapPolicy.QUEUE_ALL, ExecutionStatus.PENDING, Reason.QUEUED, 0),
        (OverlapPolicy.CANCEL_RUNNING, ExecutionStatus.PENDING, None, 1),
        (OverlapPolicy.ALLOW, ExecutionStatus.PENDING, None, 0),
    ],
)
async def test_overlap_is_decided_in_the_transaction(
    ledger: Ledger,
    policy: OverlapPolicy,
    second: ExecutionStatus,
    reason: Reason | None,
    cancels: int,
) -> None:
    await ledger.add(record(overlap=policy))
    await ledger.claim([plan()], lease=ME, now_us=NOW)
    result = await ledger.claim([plan(due=NOW + SECOND)], lease=ME, now_us=NOW + SECOND)
    newest = (await ledger.history(ExecutionFilter(), limit=9, cursor="")).items[0]
    assert (newest.status, newest.reason) == (second, reason)
    assert len(result.cancel) == cancels
    assert len(result.runnable) == (1 if reason is None else 0)


async def test_a_queued_row_is_released_when_the_one_before_it_ends(ledger: Ledger) -> None:
    await ledger.add(record(overlap=OverlapPolicy.QUEUE_ALL))
    first = await ledger.claim([plan()], lease=ME, now_us=NOW)
    for i in (1, 2):
        await ledger.claim([plan(due=NOW + i * SECOND)], lease=ME, now_us=NOW + i * SECOND)
    x1 = first.runnable[0].execution_id
    (answer,) = await ledger.settle([settled(x1, Signal.SUCCEEDED)])
    assert [(r.due_us, r.reason) for r in answer.released] == [(NOW + SECOND, None)]
    assert (await ledger.execution(answer.released[0].execution_id)).reason is None
    (last,) = await ledger.settle([settled(answer.released[0].execution_id, Signal.CANCEL)])
    assert [r.due_us for r in last.released] == [NOW + 2 * SECOND]


# --- starts that no trigger made ------------------------------------------------------------


async def test_a_manual_start_moves_on_where_its_microsecond_is_taken(ledger: Ledger) -> None:
    await ledger.add(record(overlap=OverlapPolicy.ALLOW, next_due_us=None))
    one = await ledger.trigger(start(n=1, payload={"a": 1}), lease=ME, now_us=NOW)
    two = await ledger.trigger(start(n=2), lease=ME, now_us=NOW)
    assert (one.execution.due_us, two.execution.due_us) == (NOW, NOW + 1)
    assert one.released == (one.execution,)
    assert (await ledger.execution("x1")).payload == {"a": 1}
    assert one.execution.kind is ShownKind.MANUAL


async def test_the_same_dedupe_is_the_same_run(ledger: Ledger) -> None:
    await ledger.add(record())
    one = await ledger.trigger(start(n=1, dedupe="m1"), lease=ME, now_us=NOW)
    two = await ledger.trigger(start(n=2, dedupe="m1"), lease=ME, now_us=NOW + 9)
    assert (one.applied, two.applied) == (True, False)
    assert two.execution.execution_id == "x1"
    assert two.released == ()


async def test_a_start_obeys_overlap(ledger: Ledger) -> None:
    await ledger.add(record())
    await ledger.trigger(start(n=1), lease=ME, now_us=NOW)
    two = await ledger.trigger(start(n=2, due_us=NOW + 5), lease=ME, now_us=NOW)
    assert (two.execution.status, two.execution.reason) == (
        ExecutionStatus.SKIPPED,
        Reason.OVERLAP,
    )
    assert two.released == ()


# --- outcomes -------------------------------------------------------------------------------


async def test_a_try_is_begun_published_and_settled(ledger: Ledger) -> None:
    await ledger.add(record())
    await ledger.trigger(start(), lease=ME, now_us=NOW)
    begun = await ledger.begin("x1", fence=1, attempt=1, at_us=NOW + 1)
    assert begun is not None
    assert (begun.status, begun.attempt, begun.started_us) == (ExecutionStatus.RUNNING, 1, NOW + 1)
    assert await ledger.published("x1", fence=1, at_us=NOW + 2)
    (answer,) = await ledger.settle(
        [settled("x1", Signal.SUCCEEDED, result={"ok": True}, outcome="acknowledged")]
    )
    assert answer.applied
    row = await ledger.execution("x1")
    assert (row.status, row.result, row.ended_us) == (
        ExecutionStatus.COMPLETED,
        {"ok": True},
        NOW + 5,
    )
    assert [(a.n, a.started_us, a.ended_us, a.outcome) for a in row.attempts] == [
        (1, NOW + 1, NOW + 5, "acknowledged")
    ]
    stored = await ledger.get("e1")
    assert (stored.success_count, stored.last_status, stored.last_run_us) == (
        1,
        ExecutionStatus.COMPLETED,
        NOW + 1,
    )


async def test_an_old_fence_changes_nothing(ledger: Ledger) -> None:
    await ledger.add(record())
    await ledger.trigger(start(), lease=ME, now_us=NOW)
    assert await ledger.begin("x1", fence=0, attempt=1, at_us=NOW) is None
    assert not await ledger.published("x1", fence=1, at_us=NOW)
    (answer,) = await ledger.settle([settled("x1", Signal.SUCCEEDED, fence=0)])
    assert not answer.applied
    assert (await ledger.execution("x1")).status is ExecutionStatus.PENDING


async def test_the_first_final_answer_wins(ledger: Ledger) -> None:
    await ledger.add(record())
    await ledger.trigger(start(), lease=ME, now_us=NOW)
    first, second = await ledger.settle(
        [settled("x1", Signal.SUCCEEDED), settled("x1", Signal.FAILED_FINAL)]
    )
    assert (first.applied, second.applied) == (True, False)
    stored = await ledger.get("e1")
    assert (stored.success_count, stored.failure_count) == (1, 0)


async def test_a_retry_waits_as_pending_under_the_same_id(ledger: Ledger) -> None:
    await ledger.add(record())
    await ledger.trigger(start(), lease=ME, now_us=NOW)
    await ledger.begin("x1", fence=1, attempt=1, at_us=NOW + 1)
    await ledger.published("x1", fence=1, at_us=NOW + 2)
    await ledger.settle(
        [
            settled(
                "x1",
                Signal.FAILED_RETRYABLE,
                not_before_us=NOW + 99,
                error="no answer",
                outcome="timeout",
            )
        ]
    )
    row = await ledger.execution("x1")
    assert (row.status, row.not_before_us, row.retries, row.attempt, row.published_us) == (
        ExecutionStatus.PENDING,
        NOW + 99,
        1,
        1,
        None,
    )
    assert (row.attempts[0].outcome, row.attempts[0].error) == ("timeout", "no answer")
    again = await ledger.begin("x1", fence=1, attempt=2, at_us=NOW + 100)
    assert again is not None
    assert [a.n for a in (await ledger.execution("x1")).attempts] == [1, 2]


async def test_chained_starts_share_the_transaction_and_come_once(ledger: Ledger) -> None:
    await ledger.add(record("e1"))
    await ledger.add(record("e2"))
    await ledger.trigger(start(), lease=ME, now_us=NOW)
    child = start("e2", n=2, origin=Origin.CHAINED, dedupe="x1", hops=1)
    gone = start("purged", n=3, origin=Origin.CHAINED, dedupe="x1", hops=1)
    (answer,) = await ledger.settle([settled("x1", Signal.SUCCEEDED, chained=(child, gone))])
    assert [(r.execution_id, r.event_id, r.hops) for r in answer.released] == [("x2", "e2", 1)]
    (repeat,) = await ledger.settle([settled("x1", Signal.SUCCEEDED, chained=(child,))])
    assert not repeat.applied


# --- leases ---------------------------------------------------------------------------------


async def crashed(ledger: Ledger) -> None:
    """Four rows in the states a crash may leave: pending, sent, published, at most once."""
    await ledger.renew(ME)
    await ledger.add(record("e1", overlap=OverlapPolicy.ALLOW))
    await ledger.add(record("e2", delivery=Delivery.AT_MOST_ONCE))
    for n in (1, 2, 3):
        await ledger.trigger(start(n=n), lease=ME, now_us=NOW)
    await ledger.trigger(start("e2", n=4), lease=ME, now_us=NOW)
    for n in (2, 3, 4):
        await ledger.begin(f"x{n}", fence=1, attempt=1, at_us=NOW + 1)
    await ledger.published("x3", fence=1, at_us=NOW + 2)


async def test_a_restarted_node_takes_its_own_rows_back(ledger: Ledger) -> None:
    await crashed(ledger)
    taken = await ledger.takeover(Lease("n1", "boot-2", 0), now_us=NOW + 9, limit=10)
    assert {(r.execution_id, r.status, r.attempt, r.fence, r.reason) for r in taken} == {
        ("x1", ExecutionStatus.PENDING, 1, 2, None),
        ("x2", ExecutionStatus.PENDING, 2, 2, None),
        ("x3", ExecutionStatus.RUNNING, 1, 2, None),
        ("x4", ExecutionStatus.FAILED, 1, 2, Reason.UNKNOWN_OUTCOME),
    }
    assert await ledger.takeover(Lease("n1", "boot-2", 0), now_us=NOW + 9, limit=10) == ()
    (late,) = await ledger.settle([settled("x2", Signal.SUCCEEDED, fence=1)])
    assert not late.applied
    assert (await ledger.get("e2")).failure_count == 1


async def test_another_node_waits_for_the_lease_to_end(ledger: Ledger) -> None:
    await crashed(ledger)
    other = Lease("n2", "boot-9", 0)
    assert await ledger.takeover(other, now_us=NOW, limit=10) == ()
    await ledger.release(ME)
    assert len(await ledger.takeover(other, now_us=NOW, limit=3)) == 3
    assert len(await ledger.takeover(other, now_us=NOW, limit=3)) == 1


async def test_a_retry_that_waits_keeps_its_attempt_when_taken_over(ledger: Ledger) -> None:
    await ledger.add(record())
    await ledger.trigger(start(), lease=ME, now_us=NOW)
    await ledger.begin("x1", fence=1, attempt=1, at_us=NOW)
    await ledger.settle(
        [settled("x1", Signal.FAILED_RETRYABLE, not_before_us=NOW + 50, outcome="timeout")]
    )
    (row,) = await ledger.takeover(Lease("n1", "boot-2", 0), now_us=NOW + 9, limit=10)
    assert (row.attempt, row.not_before_us, row.retries) == (1, NOW + 50, 1)


async def test_a_renewal_counts_from_before_it_was_stored(ledger: Ledger) -> None:
    assert (await ledger.renew(ME)).renewed_ms == 77


# --- history --------------------------------------------------------------------------------


async def history(ledger: Ledger, count: int) -> None:
    await ledger.add(record(overlap=OverlapPolicy.ALLOW))
    for n in range(count):
        await ledger.trigger(start(n=n, due_us=NOW + n), lease=ME, now_us=NOW + n)
        signal = Signal.SUCCEEDED if n % 2 else Signal.FAILED_FINAL
        await ledger.settle([settled(f"x{n}", signal, at_us=NOW + n)])


async def test_history_is_newest_first_and_paged(ledger: Ledger) -> None:
    await history(ledger, 7)
    seen, cursor = [], ""
    while True:
        page = await ledger.history(ExecutionFilter(event_id="e1"), limit=3, cursor=cursor)
        seen += [row.execution_id for row in page.items]
        cursor = page.next_cursor
        if not cursor:
            break
    assert seen == [f"x{n}" for n in reversed(range(7))]
    failed = ExecutionFilter(status=ExecutionStatus.FAILED, since_us=NOW + 2, until_us=NOW + 4)
    page = await ledger.history(failed, limit=9, cursor="")
    assert [row.execution_id for row in page.items] == ["x4", "x2"]


async def test_pruning_folds_history_and_keeps_counters(ledger: Ledger) -> None:
    await history(ledger, 20)
    await ledger.trigger(start(n=99, due_us=NOW - 1), lease=ME, now_us=NOW)  # open: never pruned
    assert await ledger.prune(keep=5, limit=1000) == 13
    rows = (await ledger.history(ExecutionFilter(), limit=99, cursor="")).items
    ranges = {(r.status, r.due_us, r.due_to_us, r.count) for r in rows if r.count > 1}
    assert ranges == {
        (ExecutionStatus.FAILED, NOW, NOW + 14, 8),
        (ExecutionStatus.COMPLETED, NOW + 1, NOW + 13, 7),
    }
    assert sum(r.count for r in rows) == 21
    assert await ledger.prune(keep=5, limit=1000) == 0
    stored = await ledger.get("e1")
    assert (stored.success_count, stored.failure_count, stored.open_count) == (10, 10, 1)


async def test_pruning_is_bounded_and_goes_on(ledger: Ledger) -> None:
    await history(ledger, 20)
    total = 0
    for _ in range(20):
        gone = await ledger.prune(keep=5, limit=4)
        assert gone <= 4
        total += gone
    assert total == 13


async def test_open_rows_come_oldest_first(ledger: Ledger) -> None:
    await ledger.add(record(overlap=OverlapPolicy.ALLOW))
    for n in (3, 1, 2):
        await ledger.trigger(start(n=n, due_us=NOW + n), lease=ME, now_us=NOW)
    rows = await ledger.open_executions(limit=2)
    assert [row.execution_id for row in rows] == ["x1", "x2"]
