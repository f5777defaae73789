"""What a real disk's refusals become, and what is never promised after one."""

import errno
import os
from pathlib import Path

import pytest

from alicia.adapters.disk import FolderDisk
from alicia.tsdb.ports import DiskFault, DiskFull


def failing(number: int) -> object:
    def call(*_: object) -> int:
        raise OSError(number, os.strerror(number))

    return call


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        (errno.ENOSPC, DiskFull),
        (errno.EDQUOT, DiskFull),
        (errno.EFBIG, DiskFull),
        (errno.EIO, DiskFault),
        (errno.EROFS, DiskFault),
    ],
)
def test_a_refused_write_says_whether_there_is_room(
    number: int, kind: type[DiskFault], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = FolderDisk(tmp_path).create("wal/1")
    monkeypatch.setattr(os, "writev", failing(number))
    with pytest.raises(DiskFault, match="wal/1") as caught:
        file.append([b"x"])
    assert type(caught.value) is kind
    file.close()


def test_after_a_failed_sync_no_sync_of_the_file_succeeds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = FolderDisk(tmp_path).create("wal/1")
    file.append([b"x"])
    file.sync()
    with monkeypatch.context() as patch:
        patch.setattr(os, "fdatasync", failing(errno.EIO))
        with pytest.raises(DiskFault):
            file.sync()
    with pytest.raises(DiskFault, match="earlier"):  # the kernel would tell us that all is well
        file.sync()
    file.close()


def test_a_file_that_could_not_be_made_is_not_in_the_way_of_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = FolderDisk(tmp_path)
    disk.create("wal/1").close()
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", failing(errno.ENOSPC))
        with pytest.raises(DiskFull):
            disk.create("wal/2")
    assert disk.names("wal") == ["1"]
    disk.create("wal/2").close()
