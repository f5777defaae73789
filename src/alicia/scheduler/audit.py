"""The audit over all events: every due instant of a window, and what became of it."""

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Final

from alicia.scheduler.timings import Timings
from alicia.scheduling.audit import Audit, Stretch, Unexplained, audit, occurrence_to_api
from alicia.scheduling.execution import Execution
from alicia.scheduling.ports import EventFilter, ExecutionFilter, Ledger, Page

_PAGE: Final = 1000
ROWS_MAX: Final = 100_000


class Auditor:
    """Recomputes what was due and compares it with the ledger, event by event."""

    def __init__(
        self, ledger: Ledger, timings: Timings, *, live_owners: Callable[[], frozenset[str]]
    ) -> None:
        self._ledger = ledger
        self._timings = timings
        self._live_owners = live_owners

    async def run(
        self, *, from_us: int, to_us: int, limit: int, cursor: str
    ) -> Mapping[str, object]:
        """The reply of ``GET /audit`` for a page of events."""
        occurrences: list[Execution] = []
        unexplained: list[Unexplained] = []
        counts: Counter[str] = Counter()
        truncated = False
        page = await self._ledger.events(EventFilter(), limit=min(limit, _PAGE), cursor=cursor)
        for record in page.items:
            found = await self._one(record.event.event_id, from_us=from_us, to_us=to_us)
            occurrences += found.occurrences
            unexplained += found.unexplained
            counts.update(found.counts())
            truncated |= found.truncated
        occurrences.sort(key=lambda row: (row.due_us, row.execution_id))
        body: dict[str, object] = {
            "from": from_us / 1_000_000,
            "to": to_us / 1_000_000,
            "occurrences": [occurrence_to_api(row) for row in occurrences],
            "counts": dict(counts),
            "unexplained": [item.to_api() for item in unexplained],
        }
        if truncated:
            body["truncated"] = True
        return body | {"next_cursor": page.next_cursor} if page.next_cursor else body

    async def _one(self, event_id: str, *, from_us: int, to_us: int) -> Audit:
        revisions = await self._ledger.revisions(event_id, start_us=from_us, end_us=to_us)
        stretches = [
            Stretch(revision, self._timings.fresh(revision.event)) for revision in revisions
        ]
        rows = await self._rows(event_id, from_us=from_us, to_us=to_us)
        return audit(stretches, rows, from_us=from_us, to_us=to_us, live_owners=self._live_owners())

    async def _rows(self, event_id: str, *, from_us: int, to_us: int) -> list[Execution]:
        """All rows of an event that touch the window; range rows may begin before it."""
        rows: list[Execution] = []
        cursor = ""
        while len(rows) < ROWS_MAX:
            where = ExecutionFilter(event_id=event_id, until_us=to_us - 1)
            page: Page[Execution] = await self._ledger.history(where, limit=_PAGE, cursor=cursor)
            rows += [row for row in page.items if (row.due_to_us or row.due_us) >= from_us]
            cursor = page.next_cursor
            if not cursor:
                break
        return rows
