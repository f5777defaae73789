"""Triggers of events, built once per timing, and the instants that follow from them."""

from collections import OrderedDict
from typing import Final

from alicia.scheduling.event import Event, Timing
from alicia.scheduling.execution import Execution
from alicia.scheduling.instants import format_instant
from alicia.scheduling.plan import grace_us
from alicia.scheduling.triggers.kinds import Built, Key, Zones, build
from alicia.scheduling.triggers.trigger import Trigger

_BUILT_MAX: Final = 50_000


class Timings:
    """A bounded cache of built triggers; owned by one thread."""

    def __init__(self, zones: Zones) -> None:
        self.zones = zones
        self._built: OrderedDict[str, tuple[Timing, Built]] = OrderedDict()

    def built(self, event: Event) -> Built:
        """The trigger of an event, with what people should know about it.

        Raises:
            BadField: its timing cannot be followed.
        """
        known = self._built.get(event.event_id)
        if known is not None and known[0] == event.timing:
            self._built.move_to_end(event.event_id)
            return known[1]
        built = build(event.timing, key=Key(event.event_id), zones=self.zones)
        self._built[event.event_id] = (event.timing, built)
        if len(self._built) > _BUILT_MAX:
            self._built.popitem(last=False)
        return built

    def trigger(self, event: Event) -> Trigger:
        """The trigger of an event."""
        return self.built(event).trigger

    def fresh(self, event: Event) -> Trigger:
        """The trigger of an older revision, which is not worth keeping."""
        return build(event.timing, key=Key(event.event_id), zones=self.zones).trigger

    def local_time(self, event: Event, instant_us: int) -> str:
        """RFC 3339 in the event's own zone."""
        return format_instant(instant_us, self.zones(event.timing.timezone))

    def expires_us(self, event: Event, execution: Execution) -> int:
        """Until when the effect of an execution is still wanted."""
        begins_us = max(execution.due_us, execution.not_before_us)
        return begins_us + grace_us(event, self.trigger(event), execution.due_us)
