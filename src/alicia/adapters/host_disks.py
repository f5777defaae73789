"""File systems and disks of the machine."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

import psutil

from alicia.adapters.host_reading import Reading, counter, gauge

_MOUNTS_MAX: Final = 16
_DISKS_MAX: Final = 32
# Images are always full, which is no reason for an alert.
_IMAGES: Final = frozenset({"squashfs", "iso9660", "erofs", "udf"})
_VIRTUAL: Final = ("loop", "ram", "zram")


def disk_readings(watched: Iterable[Path]) -> Iterator[Reading]:
    """Space of every real file system, the root and the watched folders; I/O of every disk."""
    for path in _mounts(watched):
        try:
            usage = psutil.disk_usage(path)
        except OSError:
            continue  # unmounted since, or not ours to see
        if usage.total:
            yield gauge("disk_percent", usage.percent, "Space in use.", "percent", path=path)
            yield gauge("disk_total_bytes", usage.total, "Size.", "bytes", path=path)
            yield gauge("disk_used_bytes", usage.used, "Space in use.", "bytes", path=path)
            yield gauge("disk_free_bytes", usage.free, "Space that can be had.", "bytes", path=path)
    disks = psutil.disk_io_counters(perdisk=True) or {}
    real = [(name, io) for name, io in sorted(disks.items()) if not name.startswith(_VIRTUAL)]
    for disk, io in real[:_DISKS_MAX]:
        yield counter("disk_read_bytes_total", io.read_bytes, "Bytes read.", disk=disk)
        yield counter("disk_written_bytes_total", io.write_bytes, "Bytes written.", disk=disk)
        yield counter("disk_reads_total", io.read_count, "Read operations.", disk=disk)
        yield counter("disk_writes_total", io.write_count, "Write operations.", disk=disk)


def _mounts(watched: Iterable[Path]) -> list[str]:
    """One path per device: the root, then mount points, then what the caller watches."""
    paths = ["/"]
    paths += [part.mountpoint for part in psutil.disk_partitions() if part.fstype not in _IMAGES]
    paths += map(str, watched)
    found: dict[int, str] = {}
    for path in paths:
        try:
            found.setdefault(Path(path).stat().st_dev, path)
        except OSError:
            continue
    return list(found.values())[:_MOUNTS_MAX]
