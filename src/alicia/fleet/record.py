"""What is known of a service, and what a sighting adds to it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from alicia.base.sighting import Sight, Sighting
from alicia.fleet.cadence import limit_ms, with_gap
from alicia.fleet.history import History
from alicia.fleet.restarts import is_restart, with_restart
from alicia.fleet.words import Word, is_farewell, word_of

INSTANCES_MAX: Final = 100


@dataclass(frozen=True, slots=True)
class Instance:
    """One copy of a service.

    ``seen_ms``: the last sign of life; ``health_ms``: the last health report, None where it
    never sent one. ``metrics_ms``: when samples of it were last stored. ``status`` is its own
    last text. ``restarts`` ascend. ``left_ms``: when it said good-bye.
    """

    instance: str
    seen_ms: int | None = None
    health_ms: int | None = None
    metrics_ms: int | None = None
    gaps: tuple[int, ...] = ()
    status: str = ""
    started_ms: int | None = None
    start_is_sure: bool = False
    restarts: tuple[int, ...] = ()
    left_ms: int | None = None
    version: str = ""
    address: str = ""


@dataclass(frozen=True, slots=True)
class ServiceRecord:
    """A service with all its instances; a new value per sighting.

    ``word``, ``code`` and ``sentence`` are the last judgement.
    """

    service: str
    first_ms: int
    instances: Mapping[str, Instance] = field(default_factory=dict)
    capabilities: tuple[str, ...] = ()
    restarts_total: int = 0
    history: History = ()
    word: Word = Word.UNKNOWN
    code: str = "never_heard"
    sentence: str = "never heard"

    @property
    def seen_ms(self) -> int | None:
        """The last sign of life, or sample, of any instance."""
        return max(filter(None, map(last_ms, self.instances.values())), default=None)

    @property
    def only_metrics(self) -> bool:
        """Whether nothing but samples is known of the service: it never said a word."""
        return bool(self.instances) and all(map(sends_only_metrics, self.instances.values()))

    @property
    def version(self) -> str:
        """The version of the instance that was heard last."""
        heard = sorted(self.instances.values(), key=lambda each: last_ms(each) or 0)
        return next((each.version for each in reversed(heard) if each.version), "")


def observe(
    record: ServiceRecord | None,
    sighting: Sighting,
    *,
    bus_up_since_ms: int | None,
    default_cadence_ms: int,
) -> ServiceRecord:
    """The record after one sighting.

    ``bus_up_since_ms``: since when our own connection stands, None while it does not. What was
    missed before that is no gap, and no restart where only a registration tells of it.
    """
    if record is None:
        record = ServiceRecord(sighting.service, sighting.at_ms)
    before = record.instances.get(sighting.instance)
    if before is None:
        if len(record.instances) >= INSTANCES_MAX:
            record = _without_oldest(record)
        before = Instance(sighting.instance)
    after = _observed(before, sighting, bus_up_since_ms, default_cadence_ms)
    return replace(
        record,
        instances={**record.instances, sighting.instance: after},
        capabilities=sighting.capabilities or record.capabilities,
        restarts_total=record.restarts_total + (after.restarts != before.restarts),
    )


def _observed(
    before: Instance, sighting: Sighting, bus_up_since_ms: int | None, default_cadence_ms: int
) -> Instance:
    after = replace(
        before,
        version=sighting.version or before.version,
        address=sighting.address or before.address,
    )
    if sighting.kind in (Sight.STORED, Sight.METRICS):
        after = replace(after, metrics_ms=max(sighting.at_ms, before.metrics_ms or 0))
    if sighting.kind in (Sight.HEARSAY, Sight.STORED):
        return after
    if sighting.kind is Sight.METRICS and before.seen_ms is None:
        return after  # who only ever sends metrics never says how it is
    if sighting.kind is Sight.UNREGISTER:
        return before if sighting.retained else replace(after, left_ms=sighting.at_ms)
    after = _with_status(after, sighting)
    if sighting.retained or is_farewell(sighting.status):
        return after
    settling_ms = (bus_up_since_ms or 0) + limit_ms(before.gaps, default_ms=default_cadence_ms)
    after = _with_start(after, sighting, settling=sighting.at_ms < settling_ms)
    if sighting.kind is Sight.HEALTH:
        after = _with_health(after, sighting.at_ms, bus_up_since_ms)
    return replace(after, seen_ms=max(sighting.at_ms, before.seen_ms or 0), left_ms=None)


def _with_status(instance: Instance, sighting: Sighting) -> Instance:
    if sighting.kind in (Sight.CHATTER, Sight.METRICS):
        # Whoever speaks after a farewell is back; how it is, it will say when it is poked.
        return replace(instance, status="") if is_farewell(instance.status) else instance
    if sighting.status:
        return replace(instance, status=sighting.status)
    return replace(instance, status="") if sighting.kind is Sight.HEALTH else instance


def _with_start(instance: Instance, sighting: Sighting, *, settling: bool) -> Instance:
    """Count a restart where the start moved.

    A registration tells when it was sent, not when the process began: it counts only where
    nothing better is known, and not while everybody registers anew after a broker's restart.
    """
    started_ms, sure = sighting.started_ms, sighting.start_is_sure
    if started_ms is None or (instance.start_is_sure and not sure):
        return instance
    comparable = instance.start_is_sure == sure
    moved = comparable and is_restart(instance.started_ms, started_ms)
    if moved and not sure and settling:
        moved = False
    restarts = with_restart(instance.restarts, sighting.at_ms) if moved else instance.restarts
    return replace(instance, started_ms=started_ms, start_is_sure=sure, restarts=restarts)


def _with_health(instance: Instance, at_ms: int, bus_up_since_ms: int | None) -> Instance:
    last_ms = instance.health_ms
    gaps = instance.gaps
    if last_ms is not None and last_ms < at_ms and last_ms >= (bus_up_since_ms or 0):
        gaps = with_gap(gaps, at_ms - last_ms)
    return replace(instance, health_ms=max(at_ms, last_ms or 0), gaps=gaps)


def _without_oldest(record: ServiceRecord) -> ServiceRecord:
    oldest = min(record.instances.values(), key=lambda each: last_ms(each) or 0)
    kept = {key: value for key, value in record.instances.items() if value is not oldest}
    return replace(record, instances=kept)


def shifted(record: ServiceRecord, by_ms: int) -> ServiceRecord:
    """The record with all its instants moved, after a step of the wall clock."""
    instances = {name: _shifted(each, by_ms) for name, each in record.instances.items()}
    history = tuple((at_ms + by_ms, word) for at_ms, word in record.history)
    return replace(record, first_ms=record.first_ms + by_ms, instances=instances, history=history)


def _shifted(instance: Instance, by_ms: int) -> Instance:
    def moved(at_ms: int | None) -> int | None:
        return None if at_ms is None else at_ms + by_ms

    return replace(
        instance,
        seen_ms=moved(instance.seen_ms),
        health_ms=moved(instance.health_ms),
        metrics_ms=moved(instance.metrics_ms),
        started_ms=moved(instance.started_ms),
        left_ms=moved(instance.left_ms),
        restarts=tuple(at_ms + by_ms for at_ms in instance.restarts),
    )


def last_ms(instance: Instance) -> int | None:
    """When anything was last known of the instance, be it samples that another sent."""
    return max(filter(None, (instance.seen_ms, instance.metrics_ms)), default=None)


def sends_only_metrics(instance: Instance) -> bool:
    """Whether samples are all that is known of the instance."""
    silent = instance.seen_ms is None and instance.left_ms is None and not instance.status
    return silent and instance.metrics_ms is not None


def reported_word(instance: Instance) -> Word | None:
    """What the instance says of itself; None where it says nothing."""
    return word_of(instance.status) if instance.status else None
