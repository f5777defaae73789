"""What every disk promises (``tsdb.ports.Disk``), over each adapter."""

import os
from pathlib import Path

import pytest
from tests.support.fault_disk import FaultDisk

from alicia.adapters.disk import FolderDisk
from alicia.tsdb.ports import Disk, DiskFault


@pytest.fixture(params=["folder", "memory"])
def disk(request: pytest.FixtureRequest, tmp_path: Path) -> Disk:
    return FolderDisk(tmp_path / "metrics") if request.param == "folder" else FaultDisk()


def put(disk: Disk, name: str, content: bytes) -> None:
    file = disk.create(name)
    file.append([content])
    file.close()


def test_an_empty_disk(disk: Disk) -> None:
    assert disk.names("wal") == []
    disk.remove("wal/a")
    for use in (disk.read, disk.map):
        with pytest.raises(DiskFault, match="wal/a"):
            use("wal/a")


def test_what_is_appended_is_read(disk: Disk) -> None:
    file = disk.create("wal/a")
    assert (file.size, disk.read("wal/a")) == (0, b"")
    file.append([b"one", b"", memoryview(b"two")])
    file.sync()
    assert (file.size, disk.read("wal/a")) == (6, b"onetwo")
    file.cut(4)
    file.append([b"!"])
    assert (file.size, disk.read("wal/a")) == (5, b"onet!")
    file.close()
    file.close()
    assert bytes(disk.map("wal/a")) == b"onet!"


def test_names_are_of_one_folder_and_sorted(disk: Disk) -> None:
    for name in ("wal/b", "wal/a", "raw/c"):
        put(disk, name, b"")
    assert disk.names("wal") == ["a", "b"]
    disk.remove("wal/a")
    assert disk.names("wal") == ["b"]


def test_a_file_is_made_once(disk: Disk) -> None:
    put(disk, "wal/a", b"kept")
    with pytest.raises(DiskFault, match="exists"):
        disk.create("wal/a")
    assert disk.read("wal/a") == b"kept"


def test_a_file_that_nobody_writes_is_shortened(disk: Disk) -> None:
    put(disk, "wal/a", b"onetwo")
    disk.cut("wal/a", 3)
    disk.sync("wal/a")
    assert disk.read("wal/a") == b"one"


def test_a_renamed_file_replaces_another(disk: Disk) -> None:
    put(disk, "raw/a.new", b"new")
    put(disk, "raw/a", b"old")
    disk.rename("raw/a.new", "raw/a")
    assert (disk.names("raw"), disk.read("raw/a")) == (["a"], b"new")


def test_a_second_name_outlives_the_first_and_replaces_nothing(disk: Disk) -> None:
    put(disk, "wal/a", b"one")
    disk.link("wal/a", "wal/a.corrupt")
    disk.remove("wal/a")
    put(disk, "wal/a", b"two")
    disk.link("wal/a", "wal/a.corrupt")
    assert disk.read("wal/a.corrupt") == b"one"


def test_a_map_of_an_empty_file_is_empty(disk: Disk) -> None:
    put(disk, "raw/a", b"")
    assert bytes(disk.map("raw/a")) == b""


def test_new_folders_are_ours_alone_and_survive_a_power_cut(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[int] = []

    def fsync(descriptor: int) -> None:
        synced.append(os.fstat(descriptor).st_ino)

    monkeypatch.setattr(os, "fsync", fsync)
    root = tmp_path / "metrics"
    put(FolderDisk(root), "wal/a", b"")
    assert [path.stat().st_mode & 0o777 for path in (root, root / "wal")] == [0o700, 0o700]
    assert (root / "wal" / "a").stat().st_mode & 0o777 == 0o600
    for folder in (tmp_path, root, root / "wal"):
        assert folder.stat().st_ino in synced, folder
