"""Metrics of our own process, under the names that Prometheus clients use."""

from collections.abc import Iterator
from typing import final

import psutil

from alicia.adapters.host_reading import Reading, counter, gauge


@final
class ProcessProbe:
    """Reads the process that built it."""

    def __init__(self) -> None:
        self._process = psutil.Process()

    def read(self) -> Iterator[Reading]:
        """Look now."""
        with self._process.oneshot():
            times = self._process.cpu_times()
            yield counter("process_cpu_seconds_total", times.user + times.system, "CPU time used.")
            memory = self._process.memory_info()
            yield gauge("process_resident_memory_bytes", memory.rss, "Resident memory.", "bytes")
            yield gauge("process_virtual_memory_bytes", memory.vms, "Address space.", "bytes")
            yield gauge("process_threads", self._process.num_threads(), "Threads.")
            started = self._process.create_time()
            yield gauge("process_start_time_seconds", started, "When it started.", "seconds")
        if hasattr(self._process, "num_fds"):
            yield gauge("process_open_fds", self._process.num_fds(), "Open file descriptors.")
