"""A disk in memory that tears, fails and forgets on demand; fits ``tsdb.ports.Disk``."""

from collections.abc import Sequence

from alicia.tsdb.ports import DiskFault


class PowerCut(Exception):
    """The process is gone in the middle of an operation."""


class FaultDisk:
    """Files as bytes, of which the first ``synced`` survive a power cut.

    ``fail_append`` lets the next append() write so many bytes and fail; ``crash_append`` lets the
    process die there. ``fail_sync`` and ``fail_cut`` count the calls that are to fail.
    """

    def __init__(self) -> None:
        self.files: dict[str, bytearray] = {}
        self.synced: dict[str, int] = {}
        self.fail_append: int | None = None
        self.crash_append: int | None = None
        self.fail_sync = 0
        self.fail_cut = 0
        self.syncs = 0

    def names(self, folder: str) -> list[str]:
        inside = f"{folder}/"
        return sorted(name.removeprefix(inside) for name in self.files if name.startswith(inside))

    def create(self, name: str) -> "FaultFile":
        if name in self.files:
            raise DiskFault(f"{name}: file exists")
        self.files[name] = bytearray()
        self.synced[name] = 0
        return FaultFile(self, name)

    def read(self, name: str) -> bytes:
        if name not in self.files:
            raise DiskFault(f"{name}: no such file")
        return bytes(self.files[name])

    def cut(self, name: str, size: int) -> None:
        del self.files[name][size:]
        self.synced[name] = size

    def sync(self, name: str) -> None:
        self.synced[name] = len(self.files[name])

    def rename(self, name: str, other: str) -> None:
        self.files[other] = self.files.pop(name)
        self.synced[other] = self.synced.pop(name)

    def map(self, name: str) -> memoryview:
        return memoryview(self.read(name))

    def link(self, name: str, other: str) -> None:
        self.files.setdefault(other, self.files[name])
        self.synced.setdefault(other, len(self.files[name]))

    def remove(self, name: str) -> None:
        self.files.pop(name, None)
        self.synced.pop(name, None)

    def cut_power(self, *, kept: int) -> None:
        """Lose what was not synced, but for ``kept`` bytes of each file."""
        for name, content in self.files.items():
            del content[self.synced[name] + kept :]
            self.synced[name] = len(content)


class FaultFile:
    """One file of a FaultDisk; fits ``tsdb.ports.Appender``."""

    def __init__(self, disk: FaultDisk, name: str) -> None:
        self._disk = disk
        self._name = name
        self._is_good = True

    @property
    def size(self) -> int:
        return len(self._disk.files[self._name])

    def append(self, parts: Sequence[bytes | memoryview]) -> None:
        content = b"".join(parts)
        disk = self._disk
        if disk.crash_append is not None:
            taken, disk.crash_append = disk.crash_append, None
            disk.files[self._name] += content[:taken]
            raise PowerCut
        if disk.fail_append is not None:
            taken, disk.fail_append = disk.fail_append, None
            disk.files[self._name] += content[: min(taken, len(content) - 1)]
            raise DiskFault(f"{self._name}: no space left")
        disk.files[self._name] += content

    def cut(self, size: int) -> None:
        if self._disk.fail_cut:
            self._disk.fail_cut -= 1
            raise DiskFault(f"{self._name}: input/output error")
        del self._disk.files[self._name][size:]

    def sync(self) -> None:
        assert self._is_good, "a file whose sync failed is never synced again"
        if self._disk.fail_sync:
            self._disk.fail_sync -= 1
            self._is_good = False
            raise DiskFault(f"{self._name}: input/output error")
        self._disk.syncs += 1
        self._disk.synced[self._name] = self.size

    def close(self) -> None:
        pass
