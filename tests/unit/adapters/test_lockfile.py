"""The lock of a data folder where the system refuses something."""

import errno
import os
from pathlib import Path

import pytest

from alicia.adapters.lockfile import BadDataDir, DataLock, DataLocked


def test_a_folder_that_cannot_be_made_is_named_with_the_fix(tmp_path: Path) -> None:
    (tmp_path / "data").touch()
    lock = DataLock(tmp_path / "data" / "up.lock")
    with pytest.raises(BadDataDir, match="data: File exists; it is no folder; choose another"):
        lock.acquire()


def test_a_full_disk_costs_the_note_and_not_the_lock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_handle: int, _content: bytes, _offset: int) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "pwrite", full)
    first, second = DataLock(tmp_path / "up.lock"), DataLock(tmp_path / "up.lock")
    first.acquire()
    with pytest.raises(DataLocked, match="in use by another up;"):
        second.acquire()
    first.release()
    second.acquire()
    second.release()
