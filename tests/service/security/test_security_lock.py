"""One writer per data folder; the lock dies with its holder (reliability.md §6, row 25)."""

import os
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from alicia.adapters.files import create_once, write_atomically
from alicia.adapters.lockfile import DataLock, DataLocked

HOLD = """
import sys, time
from pathlib import Path
from alicia.adapters.lockfile import DataLock
DataLock(Path(sys.argv[1])).acquire({"address": "127.0.0.1:8024"})
print("held", flush=True)
time.sleep(600)
"""


@pytest.fixture(autouse=True)
def usual_umask() -> Iterator[None]:
    before = os.umask(0o022)
    yield
    os.umask(before)


def test_the_second_writer_is_told_who_is_first(tmp_path: Path) -> None:
    path = tmp_path / "data" / "collector.lock"
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path)], stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(DataLocked) as caught:
            DataLock(path).acquire()
        for part in (str(path.parent), "collector", str(holder.pid), "127.0.0.1:8024"):
            assert part in str(caught.value)
        other = DataLock(path.with_name("scheduler.lock"))
        other.acquire()
        other.release()
        holder.send_signal(signal.SIGKILL)
    lock = DataLock(path)  # a lock left by a killed process is stale by itself
    lock.acquire()
    lock.release()
    lock.release()


def test_a_lock_taken_twice_in_one_process_is_refused_too(tmp_path: Path) -> None:
    first, second = DataLock(tmp_path / "x.lock"), DataLock(tmp_path / "x.lock")
    first.acquire()
    with pytest.raises(DataLocked):
        second.acquire()
    first.note({"address": "127.0.0.1:9"})
    with pytest.raises(DataLocked, match=r"127\.0\.0\.1:9"):
        second.acquire()
    first.release()
    second.acquire()
    second.release()


def test_what_a_writer_creates_is_private(tmp_path: Path) -> None:
    path = tmp_path / "data" / "collector.lock"
    lock = DataLock(path)
    lock.acquire()
    try:
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        (path.parent / "later").write_text("x")
        assert stat.S_IMODE((path.parent / "later").stat().st_mode) == 0o600
    finally:
        lock.release()


def test_files_are_replaced_as_a_whole(tmp_path: Path) -> None:
    path = tmp_path / "f"
    write_atomically(path, b"old")
    with path.open("rb") as reader:
        write_atomically(path, b"new")
        assert reader.read() == b"old"
    assert path.read_bytes() == b"new"
    assert create_once(path, b"other") == b"new"
    assert create_once(tmp_path / "g", b"first") == b"first"
    assert sorted(item.name for item in tmp_path.iterdir()) == ["f", "g"]
