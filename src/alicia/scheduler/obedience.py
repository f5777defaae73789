"""Commands and triggers of the bus, done by the same desk as requests over HTTP."""

from collections.abc import Mapping

from alicia.scheduler.api.rendering import Rendering
from alicia.scheduler.desk import Desk
from alicia.scheduler.starts import Order
from alicia.scheduling.event import EventRecord
from alicia.scheduling.execution import Origin
from alicia.wire.commands import Command, Verb


class Obedience:
    """Fits ``commands.Doer``."""

    def __init__(self, desk: Desk, rendering: Rendering) -> None:
        self._desk = desk
        self._rendering = rendering

    async def obey(self, command: Command) -> Mapping[str, object]:
        """Carry out a command; the answer holds the event as it is now."""
        desk, event_id = self._desk, command.event_id
        match command.verb:
            case Verb.CREATE:
                body = {"event_id": event_id, **command.event} if event_id else command.event
                return self._told(await desk.create(body))
            case Verb.UPDATE:
                return self._told(await desk.update(event_id, command.event))
            case Verb.CANCEL:
                return self._told(await desk.cancel(event_id))
            case Verb.PAUSE:
                return self._told(await desk.pause(event_id, until=command.until))
            case Verb.RESUME:
                return self._told(await desk.resume(event_id))
            case Verb.TRIGGER:
                order = Order(
                    origin=Origin.MQTT,
                    payload=command.payload,
                    dedupe=f"{command.source}:{command.message_id}" if command.message_id else None,
                    hops=command.hops,
                )
                execution = await desk.start(event_id, order)
                return {"execution_id": execution.execution_id}

    async def start(self, event_id: str, order: Order) -> None:
        """Run an event now, named by id or by name."""
        await self._desk.start(event_id, order)

    def _told(self, record: EventRecord) -> Mapping[str, object]:
        return {"event_id": record.event.event_id, "event": self._rendering.event(record)}
