"""The numbers of ``GET /stats`` and of the published summary."""

from collections.abc import Callable, Mapping
from dataclasses import asdict

from alicia.adapters.health import Health
from alicia.base.clock import Clock
from alicia.base.counters import Counters
from alicia.base.times import seconds
from alicia.collector.engine import Engine
from alicia.collector.rate import RateMeter
from alicia.collector.store_thread import Writer
from alicia.series.labels import INSTANCE, SERVICE
from alicia.tsdb.store import Store
from alicia.wire.ports import Bus


class Stats:
    """Gathers the totals of all parts; ``active_alerts`` counts alerts by severity."""

    def __init__(
        self,
        store: Store,
        engine: Engine,
        writer: Writer,
        counters: Counters,
        *,
        health: Health,
        bus: Bus,
        clock: Clock,
        system: Callable[[], Mapping[str, object]],
        active_alerts: Callable[[], Mapping[str, int]],
    ) -> None:
        self._store = store
        self._engine = engine
        self._writer = writer
        self._counters = counters
        self._health = health
        self._bus = bus
        self._clock = clock
        self._system = system
        self._active_alerts = active_alerts
        self._rate = RateMeter()
        self._message_rate = RateMeter()

    async def tick(self) -> None:
        """Mark the count of samples, and drop what is past retention; every few seconds."""
        await self._writer.expire(self._clock.now_ms())
        now_ms = self._clock.monotonic_ms()
        self._rate.note(self._counters.total("samples"), monotonic_ms=now_ms)
        self._message_rate.note(self._counters.total("messages"), monotonic_ms=now_ms)

    def whole(self) -> dict[str, object]:
        """The body of ``GET /stats``."""
        now_ms = self._clock.now_ms()
        stored = self._store.stats(now_ms)
        return {
            **self.summary(),
            "samples_stored": stored.samples,
            "storage": self._engine.view(stored),
            "cardinality": {
                "refused": stored.refused,
                "culprits": [asdict(culprit) for culprit in stored.culprits],
            },
            "counters": self._counters.snapshot(),
        }

    def summary(self) -> dict[str, object]:
        """What is cheap to know at any time, for the bus and for whole()."""
        count = self._counters.total("samples")
        messages = self._counters.total("messages")
        state = self._bus.state
        system = self._system()
        return {
            "uptime": self._health.uptime_seconds,
            "status": self._health.condition().word,
            "series": self._store.series_count,
            "samples_total": count,
            "samples_per_second": self._rate.per_second(
                count, monotonic_ms=self._clock.monotonic_ms()
            ),
            "rejected_total": self._counters.by_label("rejected"),
            "services": self._store.label_value_count(SERVICE),
            "instances": self._store.label_value_count(INSTANCE),
            "active_alerts": self._active_alerts(),
            "memory_bytes": system.get("process_resident_memory_bytes"),
            "system": system,
            "bus": {
                "connected": state.connected,
                "address": state.address,
                "protocol": state.protocol,
                "since": seconds(state.since_ms),
                "reconnects": state.reconnects,
                "messages": messages,
                "messages_per_second": self._message_rate.per_second(
                    messages, monotonic_ms=self._clock.monotonic_ms()
                ),
                "detail": state.detail,
            },
            "timestamp": seconds(self._clock.now_ms()),
        }
