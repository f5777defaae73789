"""The events of the next two minutes, ordered by their next instant."""

import heapq
from collections.abc import Iterator
from typing import Final

from alicia.scheduling.event import EventRecord

HORIZON_US: Final = 120_000_000
EVENTS_MAX: Final = 50_000


class Horizon:
    """A heap over the records this process knows; entries of older revisions are dropped.

    It knows all events with an instant before ``until_us``, which is where the ledger was last
    read up to; later ones are not kept, so that memory does not grow with the table.
    """

    def __init__(self) -> None:
        self._records: dict[str, EventRecord] = {}
        self._heap: list[tuple[int, str]] = []
        self.until_us = 0

    def __len__(self) -> int:
        return len(self._records)

    def get(self, event_id: str) -> EventRecord | None:
        """The record of an event that is due soon."""
        return self._records.get(event_id)

    def put(self, record: EventRecord) -> None:
        """Know a record as of now; one that is not due soon is forgotten.

        What comes in is never older than what is known: edits pass through here one by one.
        """
        event_id, due_us = record.event.event_id, record.next_due_us
        if due_us is None or due_us > self.until_us:
            self._records.pop(event_id, None)
            return
        self._records[event_id] = record
        heapq.heappush(self._heap, (due_us, event_id))
        if len(self._heap) > 2 * len(self._records) + 64:
            self._rebuild()

    def drop(self, event_id: str) -> None:
        """Forget an event."""
        self._records.pop(event_id, None)

    def clear(self) -> None:
        """Forget everything, as after a step of the clock."""
        self._records.clear()
        self._heap.clear()
        self.until_us = 0

    def next_due_us(self) -> int | None:
        """The first instant of all."""
        while self._heap:
            due_us, event_id = self._heap[0]
            record = self._records.get(event_id)
            if record is not None and record.next_due_us == due_us:
                return due_us
            heapq.heappop(self._heap)
        return None

    def take_due(self, now_us: int, *, limit: int) -> Iterator[EventRecord]:
        """Up to ``limit`` events that are due, oldest first.

        They stay known, but come up again only when they are put back.
        """
        taken = 0
        while taken < limit and (due_us := self.next_due_us()) is not None and due_us <= now_us:
            _, event_id = heapq.heappop(self._heap)
            yield self._records[event_id]
            taken += 1

    def _rebuild(self) -> None:
        """Many edits of far instants leave many dead entries."""
        self._heap = [
            (record.next_due_us, event_id)
            for event_id, record in self._records.items()
            if record.next_due_us is not None
        ]
        heapq.heapify(self._heap)
