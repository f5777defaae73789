"""What the bus hears when an event was changed, whoever asked: a request, a command, the clock.

Source: contract.md §5, ``scheduler/events/result``.
"""

from typing import Final

from alicia.scheduler.api.rendering import Rendering
from alicia.scheduler.notices import Notices
from alicia.scheduling.event import EventRecord
from alicia.wire.commands import Verb
from alicia.wire.topics import Topics

PURGED: Final = "purge_event"  # only a request asks for it, so it is no ``Verb``


class Outcomes:
    """Tells what became of events; belongs to the event loop of ``Notices``."""

    def __init__(self, notices: Notices, rendering: Rendering, topics: Topics) -> None:
        self._notices = notices
        self._rendering = rendering
        self._topic = topics.scheduler_events_result

    def changed(self, verb: Verb, record: EventRecord) -> None:
        """The event is now as the record says."""
        self._tell(verb.value, record.event.event_id, event=self._rendering.event(record))

    def purged(self, event_id: str) -> None:
        """The event is gone, with its history."""
        self._tell(PURGED, event_id, purged=True)

    def _tell(self, command: str, event_id: str, **more: object) -> None:
        outcome = {"ok": True, "command": command, "event_id": event_id, **more}
        self._notices.put(self._topic, outcome, message_type="response")
