"""The machine's own metrics, read through psutil. Blocking: belongs to an I/O thread."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, NamedTuple, final

import psutil

from alicia.adapters.host_disks import disk_readings
from alicia.adapters.host_process import ProcessProbe
from alicia.adapters.host_reading import Reading, counter, gauge

_INTERFACES_MAX: Final = 32
_SENSORS_MAX: Final = 32
_FILE_NR: Final = Path("/proc/sys/fs/file-nr")


class HostReadings(NamedTuple):
    """One look at the machine and at our own process."""

    host: tuple[Reading, ...]
    process: tuple[Reading, ...]


@final
class HostProbe:
    """Reads everything at once; a part that this machine does not offer is left out.

    CPU percentages cover the time since the last look, so that the first ones cover the time
    since the probe was built. ``watched`` are folders whose file systems matter to us.
    """

    def __init__(self, watched: tuple[Path, ...] = ()) -> None:
        self._watched = watched
        self._process = ProcessProbe()
        # psutil's own percentages are kept per thread, and we run in any of several.
        self._cpu_before = psutil.cpu_times(percpu=True)

    def read(self) -> HostReadings:
        """Look now; takes a few milliseconds, longer where a file system hangs."""
        parts: tuple[Callable[[], Iterator[Reading]], ...] = (
            self._cpu,
            _load,
            _memory,
            _network,
            _descriptors,
            _temperatures,
            lambda: disk_readings(self._watched),
        )
        host: list[Reading] = []
        for part in parts:
            try:
                host += part()
            except (OSError, psutil.Error, AttributeError, NotImplementedError):
                continue  # containers and other systems lack some of these
        return HostReadings(tuple(host), tuple(self._process.read()))

    def _cpu(self) -> Iterator[Reading]:
        before, now = self._cpu_before, psutil.cpu_times(percpu=True)
        self._cpu_before = now
        if len(before) == len(now):  # else a core came or went, and the differences mean nothing
            cores = [_busy_percent(*pair) for pair in zip(before, now, strict=True)]
            whole = sum(cores) / len(cores)
            yield gauge("cpu_percent", whole, "Busy share of all cores.", "percent")
            for number, percent in enumerate(cores):
                text = "Busy share of one core."
                yield gauge("cpu_core_percent", percent, text, "percent", core=str(number))
        yield from _cpu_times()


def _busy_percent(before: tuple[float, ...], now: tuple[float, ...]) -> float:
    """The share of a core's time between two looks that was not idle, from 0 to 100."""
    names = type(now)._fields  # type: ignore[attr-defined] # a named tuple that differs by system
    spent = {
        name: max(after - earlier, 0.0)
        for name, earlier, after in zip(names, before, now, strict=True)
    }
    # A guest's time is contained in ``user`` and ``nice`` already.
    whole = sum(spent.values()) - spent.get("guest", 0.0) - spent.get("guest_nice", 0.0)
    idle = spent.get("idle", 0.0) + spent.get("iowait", 0.0)
    return 100 * (whole - idle) / whole if whole > 0 else 0.0


def _cpu_times() -> Iterator[Reading]:
    times = psutil.cpu_times()
    for mode in ("user", "system", "idle", "iowait"):
        if hasattr(times, mode):
            yield counter(
                "cpu_seconds_total", getattr(times, mode), "Time of all cores by mode.", mode=mode
            )
    yield gauge("boot_time_seconds", psutil.boot_time(), "When the machine started.", "seconds")


def _load() -> Iterator[Reading]:
    for name, value in zip(("load1", "load5", "load15"), psutil.getloadavg(), strict=True):
        yield gauge(name, value, f"Mean number of runnable tasks over {name[4:]} min.")


def _memory() -> Iterator[Reading]:
    memory, swap = psutil.virtual_memory(), psutil.swap_memory()
    yield gauge("memory_percent", memory.percent, "Memory in use.", "percent")
    yield gauge("memory_total_bytes", memory.total, "Memory of the machine.", "bytes")
    yield gauge("memory_used_bytes", memory.used, "Memory in use.", "bytes")
    yield gauge("memory_available_bytes", memory.available, "Memory that can be had.", "bytes")
    yield gauge("swap_percent", swap.percent, "Swap space in use.", "percent")
    yield gauge("swap_total_bytes", swap.total, "Swap space of the machine.", "bytes")
    yield gauge("swap_used_bytes", swap.used, "Swap space in use.", "bytes")


def _network() -> Iterator[Reading]:
    interfaces = psutil.net_io_counters(pernic=True)
    for interface, io in sorted(interfaces.items())[:_INTERFACES_MAX]:
        for name, value, text in (
            ("network_received_bytes_total", io.bytes_recv, "Bytes received."),
            ("network_sent_bytes_total", io.bytes_sent, "Bytes sent."),
            ("network_receive_errors_total", io.errin, "Packets received with errors."),
            ("network_send_errors_total", io.errout, "Packets not sent for errors."),
            ("network_receive_drops_total", io.dropin, "Received packets dropped."),
            ("network_send_drops_total", io.dropout, "Packets dropped before they were sent."),
        ):
            yield counter(name, value, text, interface=interface)


def _descriptors() -> Iterator[Reading]:
    allocated, _, maximum = _FILE_NR.read_text(encoding="ascii").split()
    yield gauge("file_descriptors_open", int(allocated), "Open files of the machine.")
    yield gauge("file_descriptors_max", int(maximum), "Most open files of the machine.")


def _temperatures() -> Iterator[Reading]:
    left = _SENSORS_MAX
    for chip, sensors in sorted(psutil.sensors_temperatures().items()):
        for number, sensor in enumerate(sensors[:left]):
            yield gauge(
                "temperature_celsius",
                sensor.current,
                "Temperature of a sensor.",
                "celsius",
                chip=chip,
                sensor=sensor.label or str(number),
            )
        left -= len(sensors[:left])
