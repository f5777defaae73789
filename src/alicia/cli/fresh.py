"""``alicia up --fresh``: begin with an empty data folder, and keep the old one aside."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from alicia.adapters.lockfile import DataLock
from alicia.cli.exits import Failed

_LOCKS: Final = ("up.lock", "collector.lock", "scheduler.lock")


def set_aside(data_dir: Path, *, now_ms: int) -> Path | None:
    """Rename the data folder; its new place, or None where there was no folder.

    Raises:
        DataLocked: a process of ours still writes it.
        Failed: it cannot be renamed, as a mount point cannot.
    """
    if not data_dir.exists():
        return None
    locks = [DataLock(data_dir / name) for name in _LOCKS]
    try:
        for lock in locks:
            lock.acquire()
        return _rename(data_dir, now_ms)
    finally:
        for lock in locks:
            lock.release()


def _rename(data_dir: Path, now_ms: int) -> Path:
    stamp = datetime.fromtimestamp(now_ms / 1000, UTC).strftime("%Y%m%dT%H%M%S")
    aside = data_dir.with_name(f"{data_dir.name}.before-{stamp}")
    try:
        return data_dir.rename(aside)
    except OSError as error:
        raise Failed(
            f"{data_dir}: cannot be renamed ({error.strerror}); empty it by hand, or choose"
            " another folder with --data-dir"
        ) from None
