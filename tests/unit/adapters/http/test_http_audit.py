import errno
import json
import os
import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest

from alicia.adapters.http.audit import (
    AuditLog,
    audit_files,
    cut_torn_tail,
    month_file,
    month_is_over,
)
from alicia.adapters.http.audit_chain import Change, encode_line, first_break
from alicia.adapters.http.audited import change_made
from alicia.adapters.http.roles import CALLER, Caller, Role


def instant(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


class HandClock:
    def __init__(self, text: str) -> None:
        self.ms = instant(text)

    def now_ms(self) -> int:
        return self.ms

    def now_us(self) -> int:
        return self.ms * 1000

    def monotonic_ms(self) -> int:
        return self.ms


def change(status: int = 200, **kwargs: object) -> Change:
    return Change("tok_1", "10.0.0.1", "PUT /x/{id}", "/x/7", status, **kwargs)


def chain(count: int) -> list[bytes]:
    lines: list[bytes] = []
    for number in range(count):
        previous = lines[-1] if lines else None
        lines.append(encode_line(change(200 + number), now_ms=number, previous=previous))
    return lines


def test_a_whole_chain_holds_and_any_tampering_breaks_it() -> None:
    lines = chain(6)
    assert first_break(lines) is None
    assert first_break([]) is None
    assert first_break(lines[2:]) is None, "the oldest go by age"
    assert first_break([*lines[:2], *lines[3:]]) == 3, "one removed"
    assert first_break([*lines[:2], lines[3], lines[2], *lines[4:]]) == 3, "two swapped"
    for position in range(5):
        changed = lines[position].replace(b"10.0.0.1", b"10.0.0.2")
        assert first_break([*lines[:position], changed, *lines[position + 1 :]]) == position + 2
    assert first_break([*lines[:3], b"nonsense"]) == 4


def test_a_line_says_who_what_and_where_without_secrets() -> None:
    made = change(before={"url": "http://u:p@h/"}, after={"password": "hunter2", "name": "a\nb"})
    line = encode_line(made, now_ms=instant("2026-11-25T08:00:00"), previous=None, withheld=3)
    assert b"\n" not in line
    assert json.loads(line) == {
        "prev": "",
        "time": "2026-11-25T08:00:00.000+00:00",
        "who": "tok_1",
        "address": "10.0.0.1",
        "action": "PUT /x/{id}",
        "object": "/x/7",
        "status": 200,
        "before": {"url": "http://***@h/"},
        "after": {"password": "***", "name": "a\nb"},
        "withheld": 3,
    }


async def test_the_chain_goes_on_over_months_and_restarts(tmp_path: Path) -> None:
    clock = HandClock("2026-11-30T23:59:59")
    log = AuditLog(tmp_path / "audit", "collector", clock)
    log.record(change())
    log.record(change())
    await log.settled()
    clock.ms += 2000
    log.record(change())
    await log.settled()
    again = AuditLog(tmp_path / "audit", "collector", clock)
    again.record(change())
    await again.settled()
    files = audit_files(tmp_path / "audit", "collector")
    assert [path.name for path in files] == ["collector-2026-11.jsonl", "collector-2026-12.jsonl"]
    lines = [line for path in files for line in path.read_bytes().splitlines()]
    assert len(lines) == 4
    assert first_break(lines) is None
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}


async def test_ninety_days_are_kept(tmp_path: Path) -> None:
    for month in ("2026-06", "2026-07", "2026-08", "2026-10"):
        (tmp_path / f"scheduler-{month}.jsonl").write_bytes(chain(1)[0] + b"\n")
    (tmp_path / "collector-2026-01.jsonl").write_bytes(b"")
    log = AuditLog(tmp_path, "scheduler", HandClock("2026-11-25T00:00:00"))
    log.record(change())
    await log.settled()
    kept = [path.name for path in audit_files(tmp_path, "scheduler")]
    assert kept == [f"scheduler-2026-{month}.jsonl" for month in ("08", "10", "11")]
    assert (tmp_path / "collector-2026-01.jsonl").exists(), "another service's own"


@pytest.mark.parametrize(
    ("name", "now", "over"),
    [
        ("x-2026-12.jsonl", "2027-04-01T00:00:00", False),
        ("x-2026-12.jsonl", "2027-04-01T00:00:01", True),
        ("x-2026-02.jsonl", "2026-05-30T00:00:00", False),
        ("x-2026-02.jsonl", "2026-05-31T00:00:00", True),
    ],
)
def test_months_end(name: str, now: str, over: bool) -> None:
    assert month_is_over(name, now_ms=instant(now)) is over
    assert month_file("x", instant("2026-02-28T23:59:59")) == "x-2026-02.jsonl"


def test_a_torn_tail_is_cut(tmp_path: Path) -> None:
    path, lines = tmp_path / "a-2026-11.jsonl", chain(2)
    whole = b"\n".join(lines) + b"\n"
    path.write_bytes(whole + b'{"prev": "ab')
    assert cut_torn_tail(path) == lines[-1]
    assert path.read_bytes() == whole
    assert cut_torn_tail(path) == lines[-1]
    path.write_bytes(b"torn")
    assert cut_torn_tail(path) is None
    assert path.read_bytes() == b""


async def test_a_flood_of_refusals_is_counted_not_kept(tmp_path: Path) -> None:
    clock = HandClock("2026-11-25T00:00:00")
    log = AuditLog(tmp_path, "collector", clock)
    for _ in range(1000):
        log.record(change(403))
    log.record(change(200))
    await log.settled()
    lines = audit_files(tmp_path, "collector")[0].read_bytes().splitlines()
    assert len(lines) == 61
    assert json.loads(lines[-1])["withheld"] == 940
    clock.ms += 60_000
    log.record(change(403))
    await log.settled()
    assert len(audit_files(tmp_path, "collector")[0].read_bytes().splitlines()) == 62


@pytest.mark.parametrize("size", [10, (1 << 20) - 1, 1 << 20, 3_000_000])
@pytest.mark.parametrize("torn", [b"", b'{"prev": "ab', b"x" * 3_000_000])
def test_a_line_of_any_length_is_found_again(tmp_path: Path, size: int, torn: bytes) -> None:
    path = tmp_path / "a-2026-11.jsonl"
    path.write_bytes(b"first\n" + b"x" * size + b"\n" + torn)
    assert cut_torn_tail(path) == b"x" * size
    assert path.stat().st_size == len(b"first\n") + size + 1


async def test_a_torn_first_line_of_a_month_breaks_no_chain(tmp_path: Path) -> None:
    log = AuditLog(tmp_path, "collector", HandClock("2026-11-30T00:00:00"))
    log.record(change())
    await log.settled()
    (tmp_path / "collector-2026-12.jsonl").write_bytes(b"torn")
    log = AuditLog(tmp_path, "collector", HandClock("2026-12-01T00:00:00"))
    log.record(change())
    await log.settled()
    files = audit_files(tmp_path, "collector")
    assert first_break([line for path in files for line in path.read_bytes().splitlines()]) is None


class FaultyDisk:
    """Stands in for ``os`` in the audit log: one call goes wrong."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._write, self._sync, self._truncate = os.write, os.fsync, os.ftruncate
        self.fault = ""
        for name in ("write", "fsync", "ftruncate"):
            monkeypatch.setattr(f"alicia.adapters.http.audit.os.{name}", getattr(self, name))

    def write(self, handle: int, data: bytes) -> int:
        if self.fault in ("part", "torn", "stuck"):
            written = self._write(handle, data[:40])
            if self.fault == "part":
                self.fault = ""
                return written
            raise OSError(errno.ENOSPC, "No space left on device")
        return self._write(handle, data)

    def fsync(self, handle: int) -> None:
        if self.fault == "unsynced":
            raise OSError(errno.EIO, "Input/output error")
        self._sync(handle)

    def ftruncate(self, handle: int, size: int) -> None:
        if self.fault == "stuck":
            raise OSError(errno.EIO, "Input/output error")
        self._truncate(handle, size)


@pytest.mark.parametrize(
    ("fault", "faults"), [("part", 0), ("torn", 1), ("unsynced", 1), ("stuck", 1)]
)
async def test_lines_that_a_disk_refuses_are_written_when_it_takes_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: str, faults: int
) -> None:
    disk = FaultyDisk(monkeypatch)
    log = AuditLog(tmp_path, "collector", HandClock("2026-11-25T00:00:00"))
    log.record(change(200))
    await log.settled()
    disk.fault = fault
    log.record(change(201))
    log.record(change(202))
    await log.settled()
    assert log.faults == faults
    if fault in ("torn", "unsynced"):
        content = audit_files(tmp_path, "collector")[0].read_bytes()
        assert content.endswith(b"\n"), "the doctor may look meanwhile"
        assert content.count(b"\n") == 1
    disk.fault = ""
    log.record(change(203))
    await log.settled()
    lines = audit_files(tmp_path, "collector")[0].read_bytes().splitlines()
    assert [json.loads(line)["status"] for line in lines] == [200, 201, 202, 203]
    assert first_break(lines) is None


async def test_a_disk_that_refuses_fails_no_request_and_the_end_tries_again(
    tmp_path: Path,
) -> None:
    place = tmp_path / "file"
    place.write_text("in the way")
    log = AuditLog(place, "collector", HandClock("2026-11-25T00:00:00"))
    log.record(change())
    await log.settled()
    assert log.faults == 1
    place.unlink()
    await log.settled()
    assert len(audit_files(place, "collector")[0].read_bytes().splitlines()) == 1


async def test_no_more_lines_wait_for_the_disk_than_memory_has_room_for(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    log = AuditLog(tmp_path / "file", "collector", HandClock("2026-11-25T00:00:00"))
    for _ in range(10_003):
        log.record(change())
    await log.settled()
    assert log.faults == 3 + 1, "given up, and the disk's own"


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_reading_is_not_kept(method: str) -> None:
    assert change_made({"method": method, "path": "/x"}, status=200) is None


def test_an_attempt_that_reached_no_route_is_kept() -> None:
    scope = {"method": "POST", "path": "/events", "client": ("10.0.0.9", 1)}
    made = change_made(scope, status=403)
    assert made is not None
    assert (made.who, made.address, made.action) == ("nobody", "10.0.0.9", "POST /events")
    assert change_made({"method": "POST", "path": "/nowhere"}, status=404) is None
    scope[CALLER] = Caller(Role.EDITOR, "10.0.0.8", token_id="tok_9")
    kept = change_made(scope, status=200)
    assert kept is not None
    assert (kept.who, kept.address) == ("tok_9", "10.0.0.8")
