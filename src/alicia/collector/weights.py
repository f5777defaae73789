"""Weights for the load balancer: read from the store, shown on request, told on change.

Source: bus.md §7.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from alicia.adapters.bus.speaker import Speaker
from alicia.base.clock import Clock
from alicia.base.counters import Counters
from alicia.collector.poll import Fleet
from alicia.collector.weights_read import read_load
from alicia.fleet.weights import INSTANCES_MIN, Load, weights, worth_telling
from alicia.fleet.words import Word
from alicia.tsdb.store import Store
from alicia.wire.ports import Bus

ALL: Final = "*"
_LIVE: Final = frozenset({Word.UP.value, Word.DEGRADED.value})


@dataclass(frozen=True, slots=True)
class Told:
    """What the load balancer was told of a service; ``dry``: it would have been."""

    weights: Mapping[str, int]
    at_ms: int
    dry: bool


class Weights:
    """Judges the instances of services that have several. Belongs to the event loop.

    ``chosen``: services whose weights are told, ALL for every one. The first weights of a
    service are a dry run, so that nothing is steered by the first few samples. Family counted:
    ``load_balancer`` by ``told dry_run``.
    """

    def __init__(
        self,
        store: Store,
        fleet: Fleet,
        *,
        bus: Bus,
        speaker: Speaker,
        clock: Clock,
        counters: Counters,
        chosen: frozenset[str],
    ) -> None:
        self._store = store
        self._fleet = fleet
        self._bus = bus
        self._speaker = speaker
        self._clock = clock
        self._counters = counters
        self._chosen = chosen
        self.told: dict[str, Told] = {}

    def is_chosen(self, service: str) -> bool:
        """Whether the weights of a service are told, and not only shown."""
        return ALL in self._chosen or service in self._chosen

    def loads(self, service: str) -> dict[str, Load]:
        """How every live instance of a known service did in the last minutes."""
        now_ms = self._clock.now_ms()
        words = {
            instance: self._fleet.word_of(service, instance)
            for instance in sorted(self._fleet.records[service].instances)
        }
        return {
            instance: read_load(
                self._store,
                service,
                instance,
                now_ms=now_ms,
                degraded=word == Word.DEGRADED,
            )
            for instance, word in words.items()
            if word in _LIVE
        }

    async def tell(self) -> None:
        """Tell the load balancer of every chosen service whose weights changed."""
        for service, record in tuple(self._fleet.records.items()):
            if len(record.instances) < INSTANCES_MIN or not self.is_chosen(service):
                continue
            loads = self.loads(service)
            if len(loads) >= INSTANCES_MIN:
                await self._tell(service, weights(loads))
        self.told = {name: told for name, told in self.told.items() if name in self._fleet.records}

    async def _tell(self, service: str, found: Mapping[str, int]) -> None:
        before, now_ms = self.told.get(service), self._clock.now_ms()
        if before is None:
            self._counters.add("load_balancer", "dry_run")
            self.told[service] = Told(found, now_ms, dry=True)
            return
        if not before.dry and not worth_telling(before.weights, found):
            return
        topic = self._speaker.topics.load_balancer
        payload = {"command": "update_weights", "service_name": service, "weights": dict(found)}
        if not self._bus.state.connected:
            return
        if await self._speaker.say(self._bus, self._speaker.publication(topic, payload)):
            self._counters.add("load_balancer", "told")
            self.told[service] = Told(found, now_ms, dry=False)
