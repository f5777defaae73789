"""Events as the API answers them, with what only the service knows: triggers and the time."""

import asyncio
from collections.abc import Callable, Iterable
from typing import TypeVar

from alicia.base.clock import Clock
from alicia.scheduler.secrets import shown_event
from alicia.scheduler.timings import Timings
from alicia.scheduling.event import EventRecord
from alicia.scheduling.view import event_to_api

T = TypeVar("T")


async def in_turns(items: Iterable[T], show: Callable[[T], object]) -> list[object]:
    """Many items as the API answers them, in order; firing gets its turn after each."""
    shown = []
    for item in items:
        shown.append(show(item))
        await asyncio.sleep(0)
    return shown


class Rendering:
    """Renders events."""

    def __init__(self, timings: Timings, clock: Clock) -> None:
        self._timings = timings
        self._clock = clock

    def event(self, record: EventRecord, *, detail: bool = True) -> dict[str, object]:
        """One event; ``detail`` adds its next runs and its schedule in words."""
        shown = event_to_api(
            record,
            self._timings.trigger(record.event),
            now_us=self._clock.now_us(),
            detail=detail,
        )
        return shown_event(shown)
