"""What the store needs of a disk."""

from collections.abc import Sequence
from typing import Protocol

from alicia.base.errors import AliciaError, Kind

Chunk = bytes | memoryview


class DiskFault(AliciaError):
    """The disk refused an operation; its message names the file and the reason."""

    code = "disk_fault"
    kind = Kind.UNAVAILABLE


class DiskFull(DiskFault):
    """There is no room: the disk, a quota, or the size that a file may have is used up."""

    code = "disk_full"


class Appender(Protocol):
    """A file that only grows. After a failed sync() it must not be synced again."""

    @property
    def size(self) -> int:
        """Bytes that were appended and not cut off."""
        ...

    def append(self, parts: Sequence[Chunk]) -> None:
        """Write all parts behind the end, as one.

        Raises:
            DiskFault: some of the bytes may be there; cut() removes them.
        """
        ...

    def cut(self, size: int) -> None:
        """Shorten to ``size`` bytes.

        Raises:
            DiskFault: the end is not known; begin another file.
        """
        ...

    def sync(self) -> None:
        """Return once everything appended would survive a power cut.

        Raises:
            DiskFault: what was appended since the last sync may be lost.
        """
        ...

    def close(self) -> None:
        """Give the file back; safe to repeat."""
        ...


class Disk(Protocol):
    """One folder with everything below it; names are relative, with ``/``."""

    def names(self, folder: str) -> list[str]:
        """The files of a folder, sorted; none where there is no such folder."""
        ...

    def create(self, name: str) -> Appender:
        """A new empty file, whose name is durable on return.

        Raises:
            DiskFault: it exists, or cannot be made.
        """
        ...

    def read(self, name: str) -> bytes:
        """All of a file.

        Raises:
            DiskFault: it is not there or cannot be read.
        """
        ...

    def cut(self, name: str, size: int) -> None:
        """Shorten a file, durably.

        Raises:
            DiskFault: it is as it was.
        """
        ...

    def sync(self, name: str) -> None:
        """Return once the file, as it is, would survive a power cut.

        Raises:
            DiskFault: it might not.
        """
        ...

    def rename(self, name: str, other: str) -> None:
        """Give a file its final name, durably; a file of that name is replaced.

        Raises:
            DiskFault: it may have either name.
        """
        ...

    def map(self, name: str) -> memoryview:
        """All of a file, read from the disk as it is looked at; it must not change meanwhile.

        Raises:
            DiskFault: it is not there or cannot be read.
        """
        ...

    def link(self, name: str, other: str) -> None:
        """Let a file have a second name; an existing one stays as it is.

        Raises:
            DiskFault: it has not.
        """
        ...

    def remove(self, name: str) -> None:
        """Delete a file; one that is not there is no error.

        Raises:
            DiskFault: it is still there.
        """
        ...
