"""Files below one folder, as the store wants them."""

import errno
import mmap
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import Final

from alicia.tsdb.ports import Chunk, DiskFault, DiskFull

_MODE: Final = 0o600
_FOLDER_MODE: Final = 0o700


class FolderDisk:
    """All files of the store below ``root``, which is created; fits ``tsdb.ports.Disk``."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def names(self, folder: str) -> list[str]:
        """The files of a folder, sorted."""
        place = self._root / folder
        with _faults(place):
            if not place.is_dir():
                return []
            return sorted(entry.name for entry in os.scandir(place) if entry.is_file())

    def create(self, name: str) -> "AppendedFile":
        """A new empty file, whose name is durable on return."""
        path = self._root / name
        with _faults(path):
            _make_folder(path.parent)
            flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC
            descriptor = os.open(path, flags, _MODE)
            try:
                _sync_folder(path.parent)
            except OSError:
                os.close(descriptor)
                path.unlink(missing_ok=True)  # else the next attempt finds it in its way
                raise
        return AppendedFile(path, descriptor)

    def read(self, name: str) -> bytes:
        """All of a file."""
        path = self._root / name
        with _faults(path):
            return path.read_bytes()

    def cut(self, name: str, size: int) -> None:
        """Shorten a file, durably."""
        path = self._root / name
        with _faults(path), path.open("r+b") as file:
            file.truncate(size)
            os.fsync(file.fileno())

    def sync(self, name: str) -> None:
        """Return once the file, as it is, would survive a power cut."""
        path = self._root / name
        with _faults(path), path.open("rb") as file:
            os.fsync(file.fileno())

    def rename(self, name: str, other: str) -> None:
        """Give a file its final name, durably."""
        path = self._root / name
        with _faults(path):
            path.replace(self._root / other)
            _sync_folder(path.parent)

    def map(self, name: str) -> memoryview:
        """All of a file, read from the disk as it is looked at."""
        path = self._root / name
        with _faults(path), path.open("rb") as file:
            if os.fstat(file.fileno()).st_size == 0:
                return memoryview(b"")
            return memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))

    def link(self, name: str, other: str) -> None:
        """Let a file have a second name."""
        path = self._root / name
        with _faults(path):
            try:
                os.link(path, self._root / other)
            except FileExistsError:
                return
            _sync_folder(path.parent)

    def remove(self, name: str) -> None:
        """Delete a file; one that is not there is no error."""
        path = self._root / name
        with _faults(path):
            path.unlink(missing_ok=True)


class AppendedFile:
    """A file that only grows; fits ``tsdb.ports.Appender``."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self._path = path
        self._descriptor = descriptor
        self._size = 0
        self._is_sound = True
        self._open = Lock()  # held by a sync, so that close() waits for it

    @property
    def size(self) -> int:
        """Bytes that were appended and not cut off."""
        return self._size

    def append(self, parts: Sequence[Chunk]) -> None:
        """Write all parts behind the end, as one."""
        total = sum(map(len, parts))
        with _faults(self._path):
            written = os.writev(self._descriptor, parts)
            if written < total:  # a full disk takes what it can
                rest = memoryview(b"".join(parts))[written:]
                while rest:
                    rest = rest[os.write(self._descriptor, rest) :]
        self._size += total

    def cut(self, size: int) -> None:
        """Shorten to ``size`` bytes."""
        with _faults(self._path):
            os.ftruncate(self._descriptor, size)
        self._size = size

    def sync(self) -> None:
        """Return once everything appended would survive a power cut.

        The kernel tells of what it could not write only once, and would then call the file safe;
        so after a failure every further call fails.
        """
        with self._open, _faults(self._path):
            if not self._is_sound:
                raise OSError(errno.EIO, "an earlier sync failed")
            if self._descriptor >= 0:
                try:
                    os.fdatasync(self._descriptor)
                except OSError:
                    self._is_sound = False
                    raise

    def close(self) -> None:
        """Give the file back, once a sync in another thread has ended; safe to repeat."""
        with self._open:
            if self._descriptor >= 0:
                os.close(self._descriptor)
                self._descriptor = -1


@contextmanager
def _faults(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
        if full:
            raise DiskFull(f"{path}: {error.strerror}; free space on its file system") from error
        raise DiskFault(f"{path}: {error.strerror}; see the system's log") from error


def _make_folder(folder: Path) -> None:
    """Create a folder and those above it, each with a durable name."""
    if not folder.is_dir():
        _make_folder(folder.parent)
        folder.mkdir(mode=_FOLDER_MODE, exist_ok=True)
        _sync_folder(folder.parent)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
