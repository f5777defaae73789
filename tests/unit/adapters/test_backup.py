"""A data folder as one file and back: whole, checked, private, and taken in mid-work."""

import sqlite3
import tarfile
import threading
from pathlib import Path

import pytest

from alicia.adapters.backup import BackupRefused, BadBackup, restore_backup, write_backup
from alicia.adapters.disk import FolderDisk
from alicia.series.labels import LabelSet
from alicia.series.samples import Sample
from alicia.tsdb.series_table import Limits
from alicia.tsdb.store import Batch, Store

T = 10_000_000
MINUTE = 60_000
LIMITS = Limits(retention_ms=10_000 * MINUTE, max_samples_per_series=10**6)
SERIES = LabelSet({"__name__": "x"})


def opened(data_dir: Path) -> Store:
    store = Store(LIMITS, disk=FolderDisk(data_dir / "metrics"))
    store.replay(T)
    return store


def values(store: Store) -> list[float]:
    return [sample.value for sample in store.samples(SERIES)]


def write(store: Store, number: int) -> None:
    store.write(Batch([Sample(SERIES, T + number * 1000, float(number))], T + number * 1000))


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    store = opened(folder)
    for number in range(100):
        write(store, number)
    for _ in store.compact(T + 2500 * MINUTE):
        pass
    for number in range(100, 150):
        write(store, number)
    store.close()
    with sqlite3.connect(folder / "collector.db") as database:
        database.execute("CREATE TABLE rules (name)")
        database.execute("INSERT INTO rules VALUES ('hot')")
    database.close()
    (folder / "tokens.json").write_text("[]")
    (folder / "broker").mkdir()
    (folder / "broker/own.password").write_text("s3cr3t")
    (folder / "cache").mkdir()
    (folder / "cache/large").write_text("needless")
    return folder


def test_what_is_restored_is_what_was_there(data_dir: Path, tmp_path: Path) -> None:
    contents = write_backup(data_dir, tmp_path / "b.tar", with_secrets=False)
    assert contents == restore_backup(tmp_path / "b.tar", tmp_path / "new/place")
    again = tmp_path / "new/place"
    assert values(opened(again)) == [float(number) for number in range(150)]
    with sqlite3.connect(again / "collector.db") as database:
        assert database.execute("SELECT name FROM rules").fetchall() == [("hot",)]
    database.close()
    assert not (again / "tokens.json").exists()
    assert not (again / "cache").exists()
    assert not (again / "broker").exists()
    assert again.stat().st_mode & 0o777 == 0o700
    assert (again / "collector.db").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "b.tar").stat().st_mode & 0o777 == 0o600


def test_secrets_come_along_only_when_they_are_asked_for(data_dir: Path, tmp_path: Path) -> None:
    write_backup(data_dir, tmp_path / "b.tar", with_secrets=True)
    restore_backup(tmp_path / "b.tar", tmp_path / "new")
    assert (tmp_path / "new/broker/own.password").read_text() == "s3cr3t"
    assert (tmp_path / "new/tokens.json").read_text() == "[]"


def test_a_backup_in_mid_work_holds_all_that_was_acknowledged_before(
    data_dir: Path, tmp_path: Path
) -> None:
    store, stop, written = opened(data_dir), threading.Event(), [150]

    def work() -> None:
        while not stop.is_set():
            write(store, written[0])
            written[0] += 1
            if written[0] % 40 == 0:
                for _ in store.compact(T + 2500 * MINUTE * written[0]):
                    pass

    thread = threading.Thread(target=work)
    thread.start()
    try:
        for i in range(10):
            before = written[0]
            write_backup(data_dir, tmp_path / f"{i}.tar", with_secrets=False)
            restore_backup(tmp_path / f"{i}.tar", tmp_path / str(i))
            found = values(opened(tmp_path / str(i)))
            assert found[:before] == [float(number) for number in range(before)]
            assert found == sorted(set(found))
    finally:
        stop.set()
        thread.join()
        store.close()


def test_nothing_is_written_over(data_dir: Path, tmp_path: Path) -> None:
    target = tmp_path / "b.tar"
    target.write_text("mine")
    with pytest.raises(BackupRefused, match="exists"):
        write_backup(data_dir, target, with_secrets=False)
    with pytest.raises(BackupRefused, match="no data folder"):
        write_backup(tmp_path / "nowhere", tmp_path / "c.tar", with_secrets=False)
    write_backup(data_dir, tmp_path / "c.tar", with_secrets=False)
    with pytest.raises(BackupRefused, match="not empty"):
        restore_backup(tmp_path / "c.tar", data_dir)
    assert target.read_text() == "mine"


def test_any_damage_is_found_and_nothing_is_left(data_dir: Path, tmp_path: Path) -> None:
    write_backup(data_dir, tmp_path / "b.tar", with_secrets=True)
    content = (tmp_path / "b.tar").read_bytes()
    damaged = tmp_path / "damaged.tar"
    step = len(content) // 60
    refused = 0
    for place in range(0, len(content), step):
        broken = bytearray(content)
        broken[place] ^= 0x41
        damaged.write_bytes(broken)
        try:
            restore_backup(damaged, tmp_path / "new")
        except BadBackup:
            refused += 1
            assert not (tmp_path / "new").exists()
        else:  # a byte of the padding, which means nothing
            assert values(opened(tmp_path / "new")) == [float(n) for n in range(150)]
            break
    assert refused > 0
    for size in (0, 100, len(content) // 2):
        damaged.write_bytes(content[:size])
        with pytest.raises(BadBackup):
            restore_backup(damaged, tmp_path / "other")
    assert [path.name for path in tmp_path.iterdir() if "restoring" in path.name] == []


@pytest.mark.parametrize("name", ["../evil", "/etc/evil", "metrics/wal/../../evil", "run/evil"])
def test_a_file_that_belongs_elsewhere_is_refused(tmp_path: Path, name: str) -> None:
    with tarfile.open(tmp_path / "b.tar", "w") as tar:
        tar.addfile(tarfile.TarInfo(name))
    with pytest.raises(BadBackup, match="does not belong"):
        restore_backup(tmp_path / "b.tar", tmp_path / "new")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["b.tar"]


def test_links_are_refused(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "b.tar", "w") as tar:
        link = tarfile.TarInfo("metrics/wal/evil")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tar.addfile(link)
    with pytest.raises(BadBackup, match="no file"):
        restore_backup(tmp_path / "b.tar", tmp_path / "new")
