"""Events that messages of their own topics start: which topics, and which messages match.

Source: scheduling.md §6, "MQTT".
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from alicia.scheduling.event import BusTrigger, EventRecord, Lifecycle
from alicia.scheduling.ports import Ledger
from alicia.wire.ports import Bus
from alicia.wire.topics import filter_matches

EVENTS_MAX: Final = 10_000


class Listeners:
    """The trigger topics of all events, subscribed as long as one event wants them.

    ``own`` are the filters of the service itself, which stay whatever events come and go.
    """

    def __init__(self, ledger: Ledger, bus: Bus, *, own: Iterable[str]) -> None:
        self._ledger = ledger
        self._bus = bus
        self._own = frozenset(own)
        self._triggers: dict[str, tuple[BusTrigger, ...]] = {}

    async def load(self) -> None:
        """Read the events that listen, and subscribe for them and for the service."""
        for record in await self._ledger.listening(limit=EVENTS_MAX):
            self._triggers[record.event.event_id] = record.event.triggers
        await self._bus.subscribe(sorted(self._filters()))

    async def changed(self, record: EventRecord) -> None:
        """An event was stored or edited."""
        listens = record.lifecycle is not Lifecycle.CANCELLED
        await self._set(record.event.event_id, record.event.triggers if listens else ())

    async def removed(self, event_id: str) -> None:
        """An event is gone."""
        await self._set(event_id, ())

    def started_by(self, topic: str, value: Mapping[str, object]) -> Iterator[str]:
        """The ids of the events that this message starts."""
        for event_id, triggers in self._triggers.items():
            if any(_fits(trigger, topic, value) for trigger in triggers):
                yield event_id

    async def _set(self, event_id: str, triggers: tuple[BusTrigger, ...]) -> None:
        before = self._filters()
        if triggers:
            self._triggers[event_id] = triggers
        else:
            self._triggers.pop(event_id, None)
        after = self._filters()
        if gone := before - after:
            await self._bus.unsubscribe(sorted(gone))
        if new := after - before:
            await self._bus.subscribe(sorted(new))

    def _filters(self) -> set[str]:
        wanted = {trigger.topic for triggers in self._triggers.values() for trigger in triggers}
        return wanted | self._own


def _fits(trigger: BusTrigger, topic: str, value: Mapping[str, object]) -> bool:
    return filter_matches(trigger.topic, topic) and all(
        key in value and value[key] == wanted for key, wanted in trigger.match
    )
