"""What the bus tells the scheduler: commands, triggers, reports, the poke.

Peer data never raises: what cannot be read or done is counted, kept among the last refusals, and
answered where an answer is wanted.
"""

from collections import OrderedDict, deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Final, Protocol

from alicia.adapters.actions import TRIGGERED_BY
from alicia.base.clock import Clock
from alicia.base.counters import Counters
from alicia.base.errors import AliciaError, BadField, Kind
from alicia.base.limits import BODY_BYTES_MAX, REJECTS_KEPT
from alicia.base.times import seconds
from alicia.scheduler.listeners import Listeners
from alicia.scheduler.notices import Notices
from alicia.scheduler.starts import Order
from alicia.scheduling.execution import Origin
from alicia.wire.commands import (
    Command,
    Report,
    Verb,
    decode_command,
    decode_object,
    decode_report,
    decode_trigger,
)
from alicia.wire.envelope import HOPS_MAX
from alicia.wire.names import SCHEDULER
from alicia.wire.ports import Message
from alicia.wire.redact import redact_text
from alicia.wire.rejects import Reject
from alicia.wire.topics import Topics, check_topic

_IDS_KEPT: Final = 10_000


class Doer(Protocol):
    """What commands and triggers ask for; ``obedience.Obedience`` does it."""

    async def obey(self, command: Command) -> Mapping[str, object]:
        """Carry out a command; returns what the answer tells."""
        ...

    async def start(self, event_id: str, order: Order) -> None:
        """Run an event now, named by id or by name."""
        ...


def own_filters(topics: Topics) -> tuple[str, ...]:
    """What the service itself reads; the events' own topics come on top."""
    return (topics.under("scheduler", "+"), topics.under("events", "#"), topics.health_check)


class Inbox:
    """The one handler of all messages."""

    def __init__(
        self,
        *,
        topics: Topics,
        doer: Doer,
        listeners: Listeners,
        report: Callable[[Report], Awaitable[bool]],
        on_poke: Callable[[], Awaitable[None]],
        notices: Notices,
        clock: Clock,
        counters: Counters,
    ) -> None:
        self._topics = topics
        self._doer = doer
        self._listeners = listeners
        self._report = report
        self._on_poke = on_poke
        self._notices = notices
        self._clock = clock
        self._counters = counters
        self._seen: OrderedDict[tuple[str, str], None] = OrderedDict()
        self.refusals: deque[Mapping[str, object]] = deque(maxlen=REJECTS_KEPT)
        self._reports_under = topics.under("events") + "/"
        self._commands_under = topics.under("scheduler") + "/"

    async def handle(self, message: Message) -> None:
        """Treat one message; the PUBACK waits until this is done."""
        self._counters.add("messages", "retained" if message.retained else "live")
        if message.topic == self._topics.health_check:
            await self._on_poke()
            return
        if message.retained or not message.body:
            return  # a stored command is no command (security.md §4)
        if len(message.body) > BODY_BYTES_MAX:
            self._refuse(message.topic, Reject(0, "too_large", "the message is above 10 MB"))
            return
        try:
            await self._treat(message)
        except AliciaError as error:
            self._refuse(message.topic, Reject(0, _code(error), str(error)))

    async def _treat(self, message: Message) -> None:
        topic = message.topic
        if topic == self._topics.scheduler_triggers:
            await self._on_trigger(message)
        elif topic == self._topics.scheduler_executions or topic.startswith(self._reports_under):
            await self._on_report(message)
        elif topic.startswith(self._commands_under):
            await self._on_command(message)
        await self._on_own_topic(message)

    async def _on_command(self, message: Message) -> None:
        command = decode_command(message)
        if isinstance(command, Reject):
            if message.topic == self._topics.scheduler_events:
                self._refuse(message.topic, command)
                self._tell({"ok": False, **_problem(command.code, command.detail)})
            return
        if (hops := self._hops(command.source, command.hops)) is None:
            return
        command = replace(command, hops=hops)
        key = (command.source, command.message_id)
        if command.message_id and self._repeated(key):
            self._counters.add("ignored", "repeated_message_id")
            return
        base = {"command": command.verb.value, "event_id": command.event_id or None}
        try:
            outcome = {"ok": True, **base, **await self._doer.obey(command)}
        except AliciaError as error:
            if error.kind is Kind.UNAVAILABLE:  # nothing was done, so the same may be asked again
                self._seen.pop(key, None)
            faults, code = error.errors(), _code(error)
            self._refuse(message.topic, Reject(0, code, str(error)))
            outcome = {"ok": False, **base, **_problem(code, str(error))}
            if faults:
                outcome["errors"] = [{"loc": list(f.loc), "msg": f.msg} for f in faults]
        if command.verb is Verb.TRIGGER or not outcome["ok"]:
            self._tell(outcome)  # a change of an event was told by the desk
        self._answer(command, outcome)

    async def _on_trigger(self, message: Message) -> None:
        trigger = decode_trigger(message)
        if isinstance(trigger, Reject):
            self._refuse(message.topic, trigger)
            return
        if (hops := self._hops(trigger.source, trigger.hops)) is None:
            return
        order = Order(
            origin=Origin.MQTT,
            payload=trigger.payload,
            dedupe=_dedupe(trigger.source, trigger.message_id),
            hops=hops,
        )
        await self._doer.start(trigger.event_id or trigger.name, order)

    async def _on_report(self, message: Message) -> None:
        report = decode_report(message, own_source=SCHEDULER)
        if isinstance(report, Reject):
            if message.topic == self._topics.scheduler_executions:
                self._refuse(message.topic, report)
        elif report is not None:
            await self._report(report)

    async def _on_own_topic(self, message: Message) -> None:
        opened = decode_object(message)
        if isinstance(opened, Reject):
            return  # messages of others need not be objects; nothing here was meant for us
        if opened.source == SCHEDULER and opened.value.get("triggered_by") != TRIGGERED_BY:
            return  # what we tell of a run would start it again, for ever
        for event_id in tuple(self._listeners.started_by(message.topic, opened.value)):
            if (hops := self._hops(opened.source, opened.hops)) is None:
                continue
            dedupe = _dedupe(opened.source, opened.message_id)
            await self._doer.start(event_id, Order(origin=Origin.MQTT, dedupe=dedupe, hops=hops))

    def _hops(self, source: str, told: int) -> int | None:
        """The length of the chain so far, to which our own message adds; None: it ends here."""
        hops = told + 1 if source == SCHEDULER else 0
        if hops < HOPS_MAX:
            return hops
        self._counters.add("chain_ended", "hops")
        return None

    def _tell(self, outcome: Mapping[str, object]) -> None:
        self._notices.put(self._topics.scheduler_events_result, outcome, message_type="response")

    def _answer(self, command: Command, outcome: Mapping[str, object]) -> None:
        if not command.reply_to:
            return
        try:
            topic = _reply_topic(command.reply_to)
        except AliciaError as error:
            self._refuse(self._topics.scheduler_events, Reject(0, _code(error), str(error)))
            return
        self._notices.put(topic, outcome, message_type="response", correlation=command.correlation)

    def _refuse(self, topic: str, reject: Reject) -> None:
        self._counters.add("rejected", reject.code)
        self.refusals.appendleft(
            {
                "timestamp": seconds(self._clock.now_ms()),
                "entry": redact_text(topic),
                **Reject(reject.index, reject.code, redact_text(reject.detail)).to_api(),
            }
        )

    def _repeated(self, key: tuple[str, str]) -> bool:
        if key in self._seen:
            return True
        self._seen[key] = None
        if len(self._seen) > _IDS_KEPT:
            self._seen.popitem(last=False)
        return False


def _reply_topic(topic: str) -> str:
    """Where an answer goes; a broker may hang up on who publishes below its own ``$``."""
    if topic.startswith("$"):
        raise BadField(
            "reply_to", "reply_to: topics that begin with $ belong to the broker",
            reason="bad_topic",
        )  # fmt: skip
    return check_topic(topic, field="reply_to")


def _code(error: AliciaError) -> str:
    """The code of the one fault, else that of the error as a whole."""
    faults = error.errors()
    return faults[0].code if len(faults) == 1 else error.code


def _problem(code: str, detail: str) -> dict[str, object]:
    return {"error": {"type": code, "detail": detail}}


def _dedupe(source: str, message_id: str) -> str | None:
    return f"{source}:{message_id}" if message_id else None
