"""What people and services may do with events; HTTP and bus both come here.

Each method reads, decides, commits once and tells the running parts and the bus. An edit that
loses against another one is answered as a conflict; nothing is merged behind anybody's back.
"""

import asyncio
import logging
import re
from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import replace
from typing import ClassVar, Final

from alicia.adapters.http.outbound import Outbound, checked_headers
from alicia.base.clock import Clock, Random, uuid7
from alicia.base.counters import Counters
from alicia.base.errors import BadField, Conflict, NotFound, Unavailable
from alicia.scheduler.chains import check_chain, event_named
from alicia.scheduler.dispatch import Dispatcher
from alicia.scheduler.listeners import Listeners
from alicia.scheduler.outcomes import Outcomes
from alicia.scheduler.secrets import check_unmasked, unmasked
from alicia.scheduler.starts import Order, Starts
from alicia.scheduler.timings import Timings
from alicia.scheduler.track import Tracker
from alicia.scheduling.event import Event, EventRecord, HttpAction, Lifecycle
from alicia.scheduling.execution import Execution, ExecutionStatus, Reason
from alicia.scheduling.instants import read_instant
from alicia.scheduling.parse import parse_event, update_event
from alicia.scheduling.plan import Closed, closed, first_due
from alicia.scheduling.ports import ExecutionFilter, Ledger, Remembered, id_taken
from alicia.wire.commands import Verb

_EVENT_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,127}")
_CLAIM_WAIT_SECONDS: Final = 0.005
_CLAIM_WAITS_MAX: Final = 100
_OPEN_MAX: Final = 10_000
_log: Final = logging.getLogger(__name__)

Rememberer = Callable[[EventRecord], Remembered | None]


class Ended(Conflict):
    """A cancelled event takes no more changes and no more starts."""

    code: ClassVar[str] = "event_cancelled"


class Desk:
    """Creates, edits, pauses, starts and ends events."""

    def __init__(
        self,
        *,
        ledger: Ledger,
        dispatcher: Dispatcher,
        listeners: Listeners,
        starts: Starts,
        tracker: Tracker,
        outcomes: Outcomes,
        timings: Timings,
        outbound: Outbound,
        default_zone: str,
        topic_prefix: str,
        node: str,
        clock: Clock,
        random: Random,
        counters: Counters,
    ) -> None:
        self._ledger = ledger
        self._dispatcher = dispatcher
        self._listeners = listeners
        self._starts = starts
        self._tracker = tracker
        self._outcomes = outcomes
        self._timings = timings
        self._outbound = outbound
        self._default_zone = default_zone
        self._topic_prefix = topic_prefix
        self._node = node
        self._clock = clock
        self._random = random
        self._counters = counters

    async def draft(self, body: Mapping[str, object]) -> EventRecord:
        """A new event as it would be stored; nothing is.

        Raises:
            BadRequest: with every faulty field.
            BadField: the id, the target or the chain cannot be used.
        """
        now_us = self._clock.now_us()
        event = parse_event(
            body,
            now_us=now_us,
            default_zone=self._default_zone,
            event_id=self._id_of(body),
            zones=self._timings.zones,
            topic_prefix=self._topic_prefix,
        )
        await self._check(event)
        due_us = first_due(event, self._timings.trigger(event), now_us=now_us)
        return EventRecord(event=event, next_due_us=due_us if event.enabled else None)

    async def rehearse(self, body: Mapping[str, object], taken: Container[str]) -> EventRecord:
        """What ``create`` would make of a body, were the ids of ``taken`` in use too.

        Raises:
            BadRequest, BadField, Conflict: as ``create``.
        """
        record = await self.draft(body)
        event_id = record.event.event_id
        try:
            await self._ledger.get(event_id)
        except NotFound:
            if event_id not in taken:
                return record
        raise id_taken(event_id)

    async def create(
        self, body: Mapping[str, object], *, remember: Rememberer = lambda _record: None
    ) -> EventRecord:
        """Store a new event; ``remember`` makes the answer kept for a repeated request.

        Raises:
            BadRequest, BadField: as ``draft``.
            Conflict: the id is taken.
        """
        record = await self.draft(body)
        stored = await self._ledger.add(record, remember=remember(record))
        await self._announce(stored)
        return self._told(Verb.CREATE, stored)

    async def update(
        self, event_id: str, patch: Mapping[str, object], *, if_rev: int | None = None
    ) -> EventRecord:
        """Change some fields of an event.

        Raises:
            NotFound: there is no such event.
            BadRequest, BadField: with the faulty fields.
            Conflict: it was edited meanwhile, or is not at ``if_rev``.
        """
        record = await self._editable(event_id)
        _check_revision(record, if_rev)
        now_us = self._clock.now_us()
        event = update_event(
            record.event,
            unmasked(patch, record.event),
            now_us=now_us,
            zones=self._timings.zones,
            topic_prefix=self._topic_prefix,
        )
        await self._check(event)
        edited = replace(
            record,
            event=event,
            next_due_us=self._due_after_edit(record, event, now_us),
        )
        stored = await self._store(edited, expected_rev=record.rev)
        return self._told(Verb.UPDATE, stored)

    async def pause(self, event_id: str, *, until: object = None) -> EventRecord:
        """Let nothing be due until resumed, or until an instant; wall time is the event's.

        Raises:
            NotFound: there is no such event.
            BadField: ``until`` is no time, or lies in the past.
        """
        record = await self._editable(event_id)
        now_us = self._clock.now_us()
        until_us: int | None = None
        if until is not None:
            zone = self._timings.zones(record.event.timing.timezone)
            until_us, _ = read_instant(until, zone, field="until")
        if until_us is not None and until_us <= now_us:
            raise BadField(
                "until", "until: lies in the past; leave it out or write a time to come",
                reason="until_past",
            )  # fmt: skip
        if record.lifecycle is not Lifecycle.PAUSED:
            record = replace(record, event=replace(record.event, updated_us=now_us))
        paused = replace(
            record, lifecycle=Lifecycle.PAUSED, next_due_us=None, paused_until_us=until_us
        )
        return self._told(Verb.PAUSE, await self._store(paused, expected_rev=record.rev))

    async def resume(self, event_id: str) -> EventRecord:
        """Let an event run again; instants of the pause are recorded as skipped.

        Raises:
            NotFound: there is no such event.
        """
        record = await self._editable(event_id)
        if record.lifecycle is Lifecycle.ACTIVE and record.event.enabled:
            return self._told(Verb.RESUME, record)
        now_us = self._clock.now_us()
        event = replace(record.event, enabled=True, updated_us=now_us)
        trigger = self._timings.trigger(event)
        passed: tuple[Closed, ...] = ()
        if record.lifecycle is Lifecycle.PAUSED:
            since_us = await self._inactive_since(event_id, now_us)
            passed = closed(
                trigger, since_us, now_us - 1,
                status=ExecutionStatus.SKIPPED, reason=Reason.PAUSED,
            )  # fmt: skip
        resumed = replace(
            record,
            event=event,
            lifecycle=Lifecycle.ACTIVE,
            next_due_us=trigger.next_after(now_us - 1),
            paused_until_us=None,
        )
        rows = [self._closed_row(event_id, item, now_us) for item in passed]
        stored = await self._store(resumed, expected_rev=record.rev, closed_rows=rows)
        return self._told(Verb.RESUME, stored)

    async def resume_due(self) -> None:
        """Resume the events whose pause has ended; one that fails holds up no other.

        Raises:
            Unavailable: the ledger does not answer.
        """
        for record in await self._ledger.resumable(self._clock.now_us(), limit=_OPEN_MAX):
            event_id = record.event.event_id
            try:
                await self.resume(event_id)
            except Unavailable:
                raise
            except Exception:
                self._counters.add("resume_errors")
                _log.exception("event %s was not resumed; it is tried again", event_id)

    async def cancel(self, event_id: str, *, if_rev: int | None = None) -> EventRecord:
        """End an event for good, with its open executions; history stays.

        Raises:
            NotFound: there is no such event.
            Conflict: it was edited meanwhile, or is not at ``if_rev``.
        """
        record = await self._ledger.get(event_id)
        _check_revision(record, if_rev)
        if record.lifecycle is Lifecycle.CANCELLED:
            return self._told(Verb.CANCEL, record)
        ended = replace(
            record,
            event=replace(record.event, updated_us=self._clock.now_us()),
            lifecycle=Lifecycle.CANCELLED,
            next_due_us=None,
            paused_until_us=None,
        )
        await self._store(ended, expected_rev=record.rev)
        await self._cancel_open(event_id)
        return self._told(Verb.CANCEL, await self._ledger.get(event_id))

    async def purge(self, event_id: str, *, if_rev: int | None = None) -> None:
        """Remove an event with its history.

        Raises:
            NotFound: there is no such event.
            Conflict: as ``cancel``.
        """
        await self.cancel(event_id, if_rev=if_rev)
        await self._ledger.purge(event_id)
        self._dispatcher.removed(event_id)
        await self._listeners.removed(event_id)
        self._outcomes.purged(event_id)

    async def start(self, event_id: str, order: Order) -> Execution:
        """Run an event now, also while it is paused; ``event_id`` may be a name.

        Raises:
            NotFound: there is no such event.
            Ended: it was cancelled.
        """
        record = await event_named(self._ledger, event_id)
        if record.lifecycle is Lifecycle.CANCELLED:
            raise Ended("the event was cancelled; create a new one")
        return await self._starts.now(record.event.event_id, order)

    def _id_of(self, body: Mapping[str, object]) -> str:
        given = body.get("event_id")
        if given is None or given == "":
            return uuid7(now_ms=self._clock.now_ms(), random=self._random)
        if not isinstance(given, str) or not _EVENT_ID.fullmatch(given):
            raise BadField(
                "event_id",
                "event_id: write 1 to 128 letters, digits, . _ : or -, or leave it out",
                reason="bad_event_id",
            )
        return given

    async def _check(self, event: Event) -> None:
        """The faults that only the rest of the system shows."""
        check_unmasked(event)
        if isinstance(event.action, HttpAction):
            self._outbound.check(event.action.url, field="action.url")
            _check_headers(event.action)
        await check_chain(self._ledger, event)

    async def _editable(self, event_id: str) -> EventRecord:
        """The event, once instants that are due right now have been claimed.

        An edit in the same millisecond would else take an instant away that was due before it.
        """
        for _ in range(_CLAIM_WAITS_MAX):
            record = await self._ledger.get(event_id)
            if record.lifecycle is Lifecycle.CANCELLED:
                raise Ended("the event was cancelled; create a new one")
            due_us = record.next_due_us
            if due_us is None or due_us > self._clock.now_us():
                break
            await asyncio.sleep(_CLAIM_WAIT_SECONDS)
        return record

    def _due_after_edit(self, record: EventRecord, event: Event, now_us: int) -> int | None:
        if not event.enabled or record.lifecycle is not Lifecycle.ACTIVE:
            return None
        if event.timing != record.event.timing:
            return first_due(event, self._timings.trigger(event), now_us=now_us)
        if record.event.enabled:
            return record.next_due_us
        return self._timings.trigger(event).next_after(now_us - 1)

    async def _inactive_since(self, event_id: str, now_us: int) -> int:
        """When the present pause began: edits while paused are revisions of their own."""
        revisions = await self._ledger.revisions(event_id, start_us=0, end_us=now_us)
        since_us = now_us
        for revision in reversed(revisions):
            if revision.active:
                break
            since_us = revision.valid_from_us
        return since_us

    async def _store(
        self, record: EventRecord, *, expected_rev: int, closed_rows: Sequence[Execution] = ()
    ) -> EventRecord:
        stored = await self._ledger.replace(record, expected_rev=expected_rev, closed=closed_rows)
        await self._announce(stored)
        return stored

    async def _announce(self, record: EventRecord) -> None:
        self._dispatcher.changed(record)
        await self._listeners.changed(record)

    def _told(self, verb: Verb, record: EventRecord) -> EventRecord:
        """The record, once the bus has been told of it."""
        self._outcomes.changed(verb, record)
        return record

    async def _cancel_open(self, event_id: str) -> None:
        for status in (ExecutionStatus.PENDING, ExecutionStatus.RUNNING):
            where = ExecutionFilter(event_id=event_id, status=status)
            page = await self._ledger.history(where, limit=_OPEN_MAX, cursor="")
            for execution in page.items:
                await self._tracker.cancel(execution, reason=Reason.REQUESTED)

    def _closed_row(self, event_id: str, item: Closed, now_us: int) -> Execution:
        return Execution(
            execution_id=uuid7(now_ms=now_us // 1000, random=self._random),
            event_id=event_id,
            due_us=item.due_us,
            due_to_us=item.due_to_us if item.count > 1 else None,
            count=item.count,
            status=item.status,
            reason=item.reason,
            claimed_us=now_us,
            not_before_us=now_us,
            ended_us=now_us,
            owner=self._node,
        )


def _check_revision(record: EventRecord, wanted: int | None) -> None:
    """Refuse a change of another revision than the caller has seen."""
    if wanted is not None and wanted != record.rev:
        raise Conflict(f"the event is at revision {record.rev}, not {wanted}; read it again")


def _check_headers(action: HttpAction) -> None:
    """Refuse at once what could not be sent later."""
    try:
        checked_headers(dict(action.headers))
    except BadField as error:
        loc = ("action", *error.loc)
        raise BadField(loc, f"action.{error}", reason=error.reason) from None
