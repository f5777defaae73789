"""Metrics of the host and of ourselves, every SYSTEM_METRICS_INTERVAL."""

import asyncio
import socket
from collections.abc import Callable, Iterable
from concurrent.futures import Executor

from alicia.adapters.host import HostReadings
from alicia.adapters.host_reading import Reading
from alicia.base.clock import Clock
from alicia.base.counters import Counters
from alicia.collector.store_thread import Writer
from alicia.series.kinds import MetricType
from alicia.series.labels import INSTANCE, NAME, SERVICE, LabelSet
from alicia.series.samples import Metadata, Sample
from alicia.tsdb.store import Batch
from alicia.wire.names import COLLECTOR

# The machine is no service of the fleet; under a name of its own it has a page of its own.
HOST_SERVICE = "system"
_COUNTED = "alicia_collector_"


class SystemMetrics:
    """Takes readings in the I/O thread and stores them; keeps the newest for ``/stats``.

    ``read_engine`` tells of the store, in the event loop.
    """

    def __init__(
        self,
        read: Callable[[], HostReadings],
        read_engine: Callable[[], Iterable[Reading]],
        writer: Writer,
        counters: Counters,
        *,
        clock: Clock,
        io: Executor,
    ) -> None:
        self._read = read
        self._read_engine = read_engine
        self._writer = writer
        self._counters = counters
        self._clock = clock
        self._io = io
        self._host_name = socket.gethostname() or HOST_SERVICE
        self._newest: tuple[Reading, ...] = ()
        self._resident_bytes: float | None = None

    async def collect(self) -> None:
        """Look once and store what was seen."""
        readings = await asyncio.get_running_loop().run_in_executor(self._io, self._read)
        self._newest = readings.host
        resident = "process_resident_memory_bytes"
        self._resident_bytes = next((r.value for r in readings.process if r.name == resident), None)
        now_ms = self._clock.now_ms()
        self._write(readings.host, HOST_SERVICE, self._host_name, now_ms)
        own = (*readings.process, *self._counted(), *self._read_engine())
        self._write(own, COLLECTOR, COLLECTOR, now_ms)

    def view(self) -> dict[str, object]:
        """The host in the shape of ``/stats`` and ``metrics/system``; null before a look."""
        values: dict[str, float] = {}
        network: dict[str, dict[str, float]] = {}
        disks: dict[str, float] = {}
        for reading in self._newest:
            labels = dict(reading.labels)
            if "interface" in labels:
                short = reading.name.removeprefix("network_").removesuffix("_total")
                network.setdefault(labels["interface"], {})[short] = reading.value
            elif reading.name == "disk_percent":
                disks[labels["path"]] = reading.value
            elif not labels:
                values[reading.name] = reading.value
        shown = ("load1", "load5", "load15", "swap_percent", "memory_used_bytes",
                 "memory_total_bytes")  # fmt: skip
        return {
            "host": self._host_name,
            "process_resident_memory_bytes": self._resident_bytes,
            "cpu_percent": values.get("cpu_percent"),
            "memory_percent": values.get("memory_percent"),
            "disk_percent": disks.get("/", max(disks.values(), default=None)),
            "disks": disks,
            "network": network,
            **{name: values.get(name) for name in shown},
        }

    def _counted(self) -> Iterable[Reading]:
        for family, labels in self._counters.snapshot().items():
            if family == "topics":
                continue  # as many series as strangers choose topics
            for label, count in labels.items():
                pairs = (("kind", label),) if label else ()
                name = f"{_COUNTED}{family}_total"
                text = f"What the collector counted as {family}, since its start."
                yield Reading(name, float(count), MetricType.COUNTER, text, "", pairs)

    def _write(self, readings: Iterable[Reading], service: str, instance: str, now_ms: int) -> None:
        samples = []
        metadata = {}
        for item in readings:
            labels = {**dict(item.labels), NAME: item.name, SERVICE: service, INSTANCE: instance}
            samples.append(Sample(LabelSet(labels), now_ms, item.value))
            metadata[service, item.name] = Metadata(item.type, item.unit, item.help)
        self._writer.post(Batch(samples, now_ms, metadata))
