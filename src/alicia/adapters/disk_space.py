"""Free disk space, and the reserve at which writing stops.

Source: reliability.md §4.
"""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_SHARE: Final = 0.05
_RESERVE_BYTES_MAX: Final = 256 * 1000 * 1000


@dataclass(frozen=True, slots=True)
class DiskSpace:
    """The file system below a folder at one moment, in bytes; free: for us, not for root."""

    total_bytes: int
    free_bytes: int
    reserve_bytes: int

    @property
    def is_low(self) -> bool:
        """Whether writing has to stop."""
        return self.free_bytes < self.reserve_bytes

    def sentence(self) -> str:
        """The state for people, with the fix where there is something to mend."""
        free, reserve = _megabytes(self.free_bytes), _megabytes(self.reserve_bytes)
        if not self.is_low:
            return f"{free} free, reserve {reserve}"
        return (
            f"{free} free, less than the reserve of {reserve}: writing is stopped until space is"
            " freed; shorten RETENTION or ROLLUPS, or lower MIN_FREE_DISK"
        )


def probe(folder: Path, *, min_free_bytes: int | None = None) -> DiskSpace:
    """The space below ``folder`` now; ``min_free_bytes`` is MIN_FREE_DISK.

    Raises:
        OSError: the file system does not answer.
    """
    status = os.statvfs(folder)
    total = status.f_blocks * status.f_frsize
    return DiskSpace(
        total_bytes=total,
        free_bytes=status.f_bavail * status.f_frsize,
        reserve_bytes=reserve_of(total) if min_free_bytes is None else min_free_bytes,
    )


def reserve_of(total_bytes: int) -> int:
    """The reserve where MIN_FREE_DISK is not set: the smaller of 5 % and 256 MB."""
    return min(int(total_bytes * _SHARE), _RESERVE_BYTES_MAX)


def _megabytes(size: int) -> str:
    return f"{size / 1_000_000:.0f} MB"
