"""Checks of the machine, each with its fix."""

import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from alicia.adapters.http.audit_chain import Change, encode_line
from alicia.adapters.settings import Settings
from alicia.cli.api import Api
from alicia.cli.doctor import machine, services
from alicia.cli.doctor.finding import Finding, Verdict


def test_trouble_comes_with_its_fix() -> None:
    with pytest.raises(AssertionError):
        Finding("x", Verdict.FAIL, "broken")
    with pytest.raises(AssertionError):
        Finding("x", Verdict.OK, "fine", "nothing to do")


@pytest.mark.parametrize(
    ("mode", "verdict"), [(0o700, Verdict.OK), (0o750, Verdict.WARN), (0o707, Verdict.WARN)]
)
def test_the_data_folder_is_ours_alone(tmp_path: Path, mode: int, verdict: Verdict) -> None:
    tmp_path.chmod(mode)
    assert machine.data_folder(Settings(data_dir=tmp_path)).verdict is verdict


def test_a_data_folder_that_is_absent_or_no_folder(tmp_path: Path) -> None:
    absent = machine.data_folder(Settings(data_dir=tmp_path / "new"))
    assert (absent.verdict, "will be created" in absent.detail) == (Verdict.OK, True)
    file = tmp_path / "file"
    file.touch()
    assert machine.data_folder(Settings(data_dir=file)).verdict is Verdict.FAIL
    assert machine.data_folder(Settings(data_dir=file / "below")).verdict is Verdict.FAIL


def test_the_disk_is_judged_by_its_reserve(tmp_path: Path) -> None:
    free = os.statvfs(tmp_path).f_bavail * os.statvfs(tmp_path).f_frsize

    def verdict(reserve: int) -> Verdict:
        settings = Settings(data_dir=tmp_path / "new", min_free_disk=reserve)
        return machine.disk_space(settings).verdict

    assert verdict(0) is Verdict.OK
    assert verdict(free * 3 // 4) is Verdict.WARN
    assert verdict(free * 2) is Verdict.FAIL


@pytest.mark.parametrize(
    ("version", "verdict"),
    [
        ((3, 40, 1), Verdict.WARN),
        ((3, 44, 5), Verdict.WARN),
        ((3, 44, 6), Verdict.OK),
        ((3, 45, 9), Verdict.WARN),
        ((3, 50, 6), Verdict.WARN),
        ((3, 50, 7), Verdict.OK),
        ((3, 51, 2), Verdict.WARN),
        ((3, 51, 3), Verdict.OK),
        ((3, 52, 0), Verdict.OK),
        ((4, 0, 0), Verdict.OK),
    ],
)
def test_sqlite(version: tuple[int, int, int], verdict: Verdict) -> None:
    assert machine.sqlite_version(version).verdict is verdict


class ClockAt:
    def __init__(self, now_ms: int) -> None:
        self._now_ms = now_ms

    def now_ms(self) -> int:
        return self._now_ms

    def now_us(self) -> int:
        return self._now_ms * 1000

    def monotonic_ms(self) -> int:
        return 0


def test_a_clock_before_this_program_was_made_is_wrong() -> None:
    assert machine.wall_clock(ClockAt(0)).verdict is Verdict.FAIL
    assert machine.wall_clock(ClockAt(1_795_425_234_000)).verdict is Verdict.OK


@pytest.mark.parametrize(
    ("host", "insecure", "token", "verdict"),
    [
        ("127.0.0.1", False, False, Verdict.OK),
        ("localhost", False, False, Verdict.OK),
        ("::1", False, False, Verdict.OK),
        ("0.0.0.0", False, False, Verdict.FAIL),
        ("0.0.0.0", False, True, Verdict.OK),
        ("0.0.0.0", True, False, Verdict.WARN),
        ("alicia.home", False, False, Verdict.FAIL),
    ],
)
def test_exposure(tmp_path: Path, host: str, insecure: bool, token: bool, verdict: Verdict) -> None:
    if token:
        (tmp_path / "tokens.json").touch()
    settings = Settings(data_dir=tmp_path, host=host, insecure=insecure)
    assert machine.exposure(settings).verdict is verdict


def test_exposure_looks_at_the_address_in_use_first(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    assert machine.exposure(settings, bound="0.0.0.0").verdict is Verdict.FAIL


def test_no_broker_program_matters_only_without_an_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "find_mosquitto", lambda: None)
    assert machine.mosquitto_program(Settings()).verdict is Verdict.WARN
    configured = Settings(mqtt_url="mqtt://broker")
    assert machine.mosquitto_program(configured).verdict is Verdict.OK


def test_a_host_without_an_address_is_a_finding(tmp_path: Path) -> None:
    found = machine.exposure(Settings(data_dir=tmp_path, host="no such host"))
    assert found.verdict is Verdict.FAIL
    assert "has no address" in found.detail


CHANGE = Change("loopback", "127.0.0.1", "PUT /events/{event_id}", "/events/e1", 200)


def chain(count: int, previous: bytes | None = None) -> list[bytes]:
    lines: list[bytes] = []
    for number in range(count):
        before = lines[-1] if lines else previous
        lines.append(encode_line(CHANGE, now_ms=number, previous=before))
    return lines


def written(folder: Path, name: str, lines: list[bytes], *, torn: bytes = b"") -> None:
    (folder / "audit").mkdir(exist_ok=True)
    (folder / "audit" / name).write_bytes(b"".join(line + b"\n" for line in lines) + torn)


def test_the_audit_log_is_one_chain_over_all_months(tmp_path: Path) -> None:
    october = chain(3)
    written(tmp_path, "collector-2026-10.jsonl", october)
    written(tmp_path, "collector-2026-11.jsonl", chain(2, october[-1]), torn=b'{"prev"')
    written(tmp_path, "scheduler-2026-11.jsonl", chain(1))
    found = machine.audit_log(Settings(data_dir=tmp_path))
    assert (found.verdict, found.detail) == (Verdict.OK, "6 lines, the chain is whole")


@pytest.mark.parametrize(
    ("october", "november", "place"),
    [
        (lambda lines: [lines[0], lines[2]], lambda lines: lines, "10.jsonl, line 2 "),
        (lambda lines: lines[:2], lambda lines: lines, "11.jsonl, line 1 "),
        (lambda lines: lines, lambda lines: [lines[0], b"{}"], "11.jsonl, line 2 "),
    ],
)
def test_a_changed_audit_log_is_told_by_its_line(
    tmp_path: Path,
    october: Callable[[list[bytes]], list[bytes]],
    november: Callable[[list[bytes]], list[bytes]],
    place: str,
) -> None:
    first = chain(3)
    written(tmp_path, "collector-2026-10.jsonl", october(first))
    written(tmp_path, "collector-2026-11.jsonl", november(chain(2, first[-1])))
    found = machine.audit_log(Settings(data_dir=tmp_path))
    assert found.verdict is Verdict.FAIL
    assert place in found.detail


def test_a_service_that_is_there_but_silent_is_named_with_its_process() -> None:
    with socket.create_server(("127.0.0.1", 0)) as stopped:
        port = stopped.getsockname()[1]
        api = Api("collector", f"http://127.0.0.1:{port}", timeout_seconds=0.05)
        found = services.service(api)
    assert found.verdict is Verdict.FAIL
    assert "is not answering: it is there, but said nothing for 0.05 s" in found.detail
    assert found.fix.startswith("end ")
    assert f"(pid {os.getpid()})" in found.fix
