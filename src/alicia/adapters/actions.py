"""What an execution does in the world: publish, send a request, or only be recorded.

Fits ``scheduling.ports.Actor``. Source: scheduling.md §6, bus.md §8, contract.md §5.
"""

from collections.abc import Mapping
from typing import Final, Protocol

import msgspec

from alicia.adapters.http.outbound import Outbound
from alicia.base.clock import Clock
from alicia.base.errors import AliciaError
from alicia.scheduling.event import HttpAction, MqttAction
from alicia.scheduling.execution import Reason, Signal
from alicia.scheduling.ports import Outcome, Task
from alicia.wire.envelope import seal
from alicia.wire.ports import Ack, BusUnavailable, Publication, PublishRefused

TRIGGERED_BY: Final = "scheduler"
ANSWER_BYTES_MAX: Final = 64 * 1024
_ANSWER_CHARS_KEPT: Final = 2000


class Publisher(Protocol):
    """The part of ``wire.ports.Bus`` that actions need."""

    async def publish(self, publication: Publication) -> Ack:
        """See ``Bus.publish``."""
        ...


class Actions:
    """Performs the three kinds of action; every failure is an outcome."""

    def __init__(
        self, bus: Publisher, outbound: Outbound, *, source: str, report_topic: str, clock: Clock
    ) -> None:
        self._bus = bus
        self._outbound = outbound
        self._source = source
        self._report_topic = report_topic
        self._clock = clock

    async def perform(self, task: Task) -> Outcome:
        """See ``Actor.perform``."""
        match task.event.action:
            case MqttAction() as action:
                return await self._publish(task, action)
            case HttpAction() as action:
                return await self._request(task, action)
            case _:
                return Outcome(Signal.SUCCEEDED, "recorded")

    async def _publish(self, task: Task, action: MqttAction) -> Outcome:
        try:
            ack = await self._bus.publish(self._publication(task, action))
        except PublishRefused as error:
            return Outcome(
                Signal.FAILED_RETRYABLE, "publish_refused", Reason.REFUSED, error=str(error)
            )
        except BusUnavailable as error:
            return Outcome(Signal.INTERRUPTED, "broker_unreachable", error=str(error))
        except AliciaError as error:
            return Outcome(Signal.FAILED_RETRYABLE, error.code, error=str(error))
        return _after_puback(ack, require_ack=task.event.require_ack)

    def _publication(self, task: Task, action: MqttAction) -> Publication:
        now_ms = self._clock.now_ms()
        execution_id = task.execution.execution_id
        remaining = max(1, -(-(task.expires_us // 1000 - now_ms) // 1000))
        body = seal(
            merged_payload(task, action.message),
            source=self._source,
            # Unique per try, and the same when the bus itself repeats the message.
            message_id=f"{execution_id}.{task.attempt}",
            now_ms=now_ms,
            destination=task.event.target_service or None,
            message_type="command",
            ttl=remaining,
            hops=task.execution.hops,
        )
        return Publication(
            topic=action.topic,
            body=body,
            qos=action.qos,
            retain=action.retain,
            expiry_seconds=remaining,
            response_topic=self._report_topic,
            correlation=execution_id.encode(),
            user_properties=(
                ("attempt", str(task.attempt)),
                ("fence", str(task.execution.fence)),
            ),
        )

    async def _request(self, task: Task, action: HttpAction) -> Outcome:
        body = action.body if task.execution.payload is None else task.execution.payload
        headers = {name.lower(): value for name, value in action.headers}
        headers["idempotency-key"] = task.execution.execution_id
        content = b""
        if body is not None:
            content = body.encode() if isinstance(body, str) else msgspec.json.encode(body)
            kind = "text/plain; charset=utf-8" if isinstance(body, str) else "application/json"
            headers.setdefault("content-type", kind)
        try:
            reply = await self._outbound.request(
                action.method,
                action.url,
                headers=headers,
                body=content,
                timeout_ms=task.event.timeout_ms,
                max_bytes=ANSWER_BYTES_MAX,
            )
        except AliciaError as error:
            return Outcome(Signal.FAILED_RETRYABLE, error.code, error=str(error))
        if not 200 <= reply.status < 300:
            return Outcome(
                Signal.FAILED_RETRYABLE,
                "http_status",
                error=f"{action.method} answered {reply.status}: {_text(reply.body)[:200]}",
            )
        result = {"status": reply.status, "body": _text(reply.body)}
        signal = None if task.event.require_ack else Signal.SUCCEEDED
        return Outcome(signal, "answered", result=result)


def merged_payload(task: Task, message: Mapping[str, object]) -> dict[str, object]:
    """The message of a run: the event's own or the run's payload, and what identifies the run."""
    own = message if task.execution.payload is None else task.execution.payload
    return {
        **own,
        "event_id": task.event.event_id,
        "execution_id": task.execution.execution_id,
        "scheduled_time": task.scheduled_time,
        "triggered_by": TRIGGERED_BY,
        "attempt": task.attempt,
        "fence": task.execution.fence,
    }


def _after_puback(ack: Ack, *, require_ack: bool) -> Outcome:
    """What the broker's acknowledgement means (bus.md D3, D4)."""
    if not require_ack:
        reason = Reason.NO_SUBSCRIBERS if ack.no_subscribers else None
        return Outcome(Signal.SUCCEEDED, "acknowledged", reason)
    if ack.no_subscribers:
        return Outcome(
            Signal.FAILED_RETRYABLE,
            "no_subscribers",
            Reason.NO_SUBSCRIBERS,
            error="nobody subscribes to the topic, so nobody can acknowledge",
        )
    return Outcome(None, "published")


def _text(body: bytes) -> str:
    return body[: _ANSWER_CHARS_KEPT * 4].decode("utf-8", "replace")[:_ANSWER_CHARS_KEPT]
