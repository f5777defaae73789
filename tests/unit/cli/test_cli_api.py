"""Where a service is looked for, and how its errors read."""

import json
import os
from pathlib import Path

import pytest

from alicia.adapters.settings import Settings
from alicia.cli.api import Api, find_service, path, problem_line, read_note
from alicia.cli.exits import Refused


def note(folder: Path, **content: object) -> None:
    (folder / "run").mkdir(exist_ok=True)
    (folder / "run" / "collector.json").write_text(json.dumps(content), encoding="utf-8")


def test_a_running_service_is_found_at_its_real_port(tmp_path: Path) -> None:
    note(tmp_path, pid=os.getpid(), url="http://127.0.0.1:41234")
    settings = Settings(data_dir=tmp_path)
    assert find_service("collector", settings).url == "http://127.0.0.1:41234"
    assert find_service("scheduler", settings).url == "http://127.0.0.1:8025"


def test_a_service_on_all_addresses_is_asked_on_loopback(tmp_path: Path) -> None:
    note(tmp_path, pid=os.getpid(), url="https://[::]:41234")
    assert find_service("collector", Settings(data_dir=tmp_path)).url == "https://[::1]:41234"


@pytest.mark.parametrize(
    "content", ["", "[]", "{}", '{"pid": "x"}', '{"pid": 4194305, "url": "http://h:1"}']
)
def test_a_note_that_is_stale_or_damaged_counts_as_none(tmp_path: Path, content: str) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "collector.json").write_text(content, encoding="utf-8")
    assert read_note("collector", tmp_path) == {}


@pytest.mark.parametrize(
    ("host", "certificate", "url"),
    [
        ("0.0.0.0", None, "http://127.0.0.1:8024"),
        ("::", None, "http://[::1]:8024"),
        ("192.168.1.5", None, "http://192.168.1.5:8024"),
        ("alicia.home", Path("c.pem"), "https://alicia.home:8024"),
    ],
)
def test_the_address_of_the_settings(
    tmp_path: Path, host: str, certificate: Path | None, url: str
) -> None:
    settings = Settings(data_dir=tmp_path, host=host, tls_cert=certificate)
    assert find_service("collector", settings).url == url


def test_segments_of_a_path_may_hold_any_character() -> None:
    assert path("events", "a/b c?#é", "trigger") == "/events/a%2Fb%20c%3F%23%C3%A9/trigger"


@pytest.mark.parametrize(
    ("status", "problem", "line"),
    [
        (422, {"detail": "run_at: lies in the past"}, "run_at: lies in the past"),
        (
            422,
            {"detail": "two faults", "errors": [{"loc": ["name"], "msg": "missing"}, {"msg": "x"}]},
            "two faults; name: missing; x",
        ),
        (
            422,
            {"detail": "name: missing", "errors": [{"loc": ["name"], "msg": "name: missing"}]},
            "name: missing",
        ),
        (422, {"accepted": 0, "rejected": [{"index": 0, "detail": "bad"}]}, "bad"),
        (400, {"status": "error", "errorType": "bad_data", "error": "parse error"}, "parse error"),
        (503, {"title": "Service Unavailable"}, "Service Unavailable"),
        (500, {}, "HTTP 500"),
        (502, "<html>", "HTTP 502 Bad Gateway"),
        (599, None, "HTTP 599"),
        (
            401,
            {"detail": "no token"},
            "no token (give a token in ALICIA_TOKEN; see: alicia token create)",
        ),
    ],
)
def test_errors_are_one_line(status: int, problem: object, line: str) -> None:
    assert problem_line(status, problem) == line


class Unhealthy(Api):
    def __init__(self, problem: object) -> None:
        super().__init__("collector", "http://127.0.0.1:1")
        self._problem = problem

    def _call(self, method: str, target: str, body: object) -> object:
        raise Refused("sick", status=503, problem=self._problem)


def test_an_unhealthy_service_still_tells_its_health() -> None:
    health = {"service_name": "metrics_collector", "status": "unhealthy"}
    assert Unhealthy(health).health() == health
    with pytest.raises(Refused):
        Unhealthy({"detail": "no"}).health()
