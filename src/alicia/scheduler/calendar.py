"""What ran and what will run within a window, for a page of days."""

import asyncio
from collections.abc import Mapping
from typing import Final

from alicia.base.clock import Clock
from alicia.scheduler.api.rendering import in_turns
from alicia.scheduler.secrets import shown_execution
from alicia.scheduler.timings import Timings
from alicia.scheduling.event import SECOND_US, EventRecord
from alicia.scheduling.ports import EventFilter, ExecutionFilter, Ledger

RUNS_MAX: Final = 10_000
RUNS_PER_EVENT_MAX: Final = 1000
_EVENTS_PAGE: Final = 1000


class Calendar:
    """Puts history and plan side by side; bounded, and says so where the bound was met."""

    def __init__(self, ledger: Ledger, timings: Timings, clock: Clock) -> None:
        self._ledger = ledger
        self._timings = timings
        self._clock = clock

    async def between(self, start_us: int, end_us: int) -> Mapping[str, object]:
        """The reply of ``GET /calendar``; both ends are inclusive."""
        past = await self._ledger.history(
            ExecutionFilter(since_us=start_us, until_us=end_us), limit=RUNS_MAX, cursor=""
        )
        planned, cut = await self._planned(max(start_us, self._clock.now_us()), end_us)
        return {
            "start": start_us / SECOND_US,
            "end": end_us / SECOND_US,
            "past": await in_turns(reversed(past.items), shown_execution),
            "planned": planned,
            "truncated": cut or bool(past.next_cursor),
        }

    async def _planned(self, start_us: int, end_us: int) -> tuple[list[dict[str, object]], bool]:
        planned: list[dict[str, object]] = []
        cut, cursor = False, ""
        while len(planned) <= RUNS_MAX:  # one more tells that there is more
            page = await self._ledger.events(
                EventFilter(active_only=True), limit=_EVENTS_PAGE, cursor=cursor
            )
            for record in page.items:
                runs, more = self._runs_of(record, start_us, end_us)
                planned += runs
                cut |= more
                await asyncio.sleep(0)  # firing goes before looking
            cursor = page.next_cursor
            if not cursor:
                break
        planned.sort(key=lambda run: (run["scheduled_time"], run["event_id"]))
        return planned[:RUNS_MAX], cut or len(planned) > RUNS_MAX

    def _runs_of(
        self, record: EventRecord, start_us: int, end_us: int
    ) -> tuple[list[dict[str, object]], bool]:
        runs: list[dict[str, object]] = []
        due_us = record.next_due_us
        if due_us is not None and due_us < start_us:
            due_us = self._timings.trigger(record.event).next_after(start_us - 1)
        while due_us is not None and due_us <= end_us:
            if len(runs) == RUNS_PER_EVENT_MAX:
                return runs, True
            runs.append(
                {
                    "event_id": record.event.event_id,
                    "name": record.event.name,
                    "scheduled_time": due_us / SECOND_US,
                }
            )
            due_us = self._timings.trigger(record.event).next_after(due_us)
        return runs, False
