"""Whom to ask over HTTP because the bus does not tell (bus.md L2)."""

from collections.abc import Iterable
from dataclasses import dataclass

from alicia.fleet.cadence import cadence_ms
from alicia.fleet.known import KNOWN
from alicia.fleet.record import Instance, ServiceRecord


@dataclass(frozen=True, slots=True)
class Poll:
    """One ``GET /health`` to send; ``instance`` is whom the answer is booked for."""

    service: str
    instance: str
    url: str


def polls(
    records: Iterable[ServiceRecord], *, now_ms: int, default_cadence_ms: int, ours: frozenset[str]
) -> tuple[Poll, ...]:
    """Polls for instances that are silent for longer than usual and whose address is known.

    Those who said good-bye are not asked. A planned service without an address of its own is
    looked for on the loopback port of the plan.
    """
    return tuple(
        Poll(record.service, instance.instance, f"http://{address}/health")
        for record in records
        if record.service not in ours
        for instance in record.instances.values()
        if _overdue(instance, now_ms, default_cadence_ms)
        and (address := _address(record.service, instance))
    )


def _overdue(instance: Instance, now_ms: int, default_cadence_ms: int) -> bool:
    if instance.left_ms is not None:
        return False
    usual_ms = cadence_ms(instance.gaps, default_ms=default_cadence_ms)
    # Half a cadence of patience, so that a slow reply to our own poke is not asked for twice.
    return instance.seen_ms is None or now_ms - instance.seen_ms > usual_ms * 3 // 2


def _address(service: str, instance: Instance) -> str:
    if instance.address:
        return instance.address
    known = KNOWN.get(service)
    return f"127.0.0.1:{known.port}" if known else ""
