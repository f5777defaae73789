"""A service as the API answers it (contract.md §3)."""

from collections.abc import Mapping

from alicia.base.times import seconds
from alicia.fleet.cadence import cadence_ms
from alicia.fleet.known import group_of
from alicia.fleet.record import Instance, ServiceRecord, last_ms
from alicia.fleet.words import Word


def service_to_api(
    record: ServiceRecord, words: Mapping[str, Word], *, default_cadence_ms: int
) -> dict[str, object]:
    """The service object; ``words`` are those of its instances."""
    instances = sorted(record.instances.values(), key=lambda each: each.instance)
    usual_ms = min(
        (cadence_ms(each.gaps, default_ms=default_cadence_ms) for each in instances),
        default=default_cadence_ms,
    )
    return {
        "service_name": record.service,
        "group": group_of(record.service),
        "status": record.word.value,
        "code": record.code,
        "reason": record.sentence,
        "since": seconds(record.history[-1][0]) if record.history else None,
        "first_seen": seconds(record.first_ms),
        "last_seen": _seconds(record.seen_ms),
        "cadence": usual_ms / 1000,
        "version": record.version,
        "capabilities": list(record.capabilities),
        "restarts": record.restarts_total,
        "instances": [
            _instance(each, words.get(each.instance, Word.UNKNOWN)) for each in instances
        ],
    }


def _instance(instance: Instance, word: Word) -> dict[str, object]:
    return {
        "instance_id": instance.instance,
        "status": word.value,
        "last_seen": _seconds(last_ms(instance)),
        "last_health": _seconds(instance.health_ms),
        "started_at": _seconds(instance.started_ms) if instance.start_is_sure else None,
        "version": instance.version,
        "address": instance.address,
        "restarts": len(instance.restarts),
    }


def _seconds(at_ms: int | None) -> float | None:
    return None if at_ms is None else seconds(at_ms)
