"""Commands against an HTTP server that answers what it is told: requests, output, exit codes."""

import contextlib
import io
import json
import os
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from alicia.cli.exits import Exit
from alicia.cli.main import main

WAKE = {
    "event_id": "e1",
    "name": "wake",
    "schedule_text": "at 07:30",
    "status": "pending",
    "timezone": "Europe/Riga",
    "next_run": 4102444800.0,
    "next_runs": [4102444800.0],
    "run_count": 3,
}
ALERT = {
    "alert_id": "a1",
    "state": "firing",
    "severity": "critical",
    "rule_name": "hot",
    "service_name": "stt_service",
    "message": "31 is \x1b[31mabove 30",
    "silenced_by": [],
}
RULE = {"name": "hot", "severity": "critical", "expr": "t > 30", "for": "5m", "enabled": True}
HEALTH = {"service_name": "metrics_collector", "status": "healthy", "uptime": 61.0}
ANSWERS: dict[str, tuple[int, Any]] = {
    "GET /health": (200, HEALTH),
    "GET /services": (
        200,
        {"services": [{"service_name": "stt_service", "status": "down", "reason": "silent 94 s"}]},
    ),
    "GET /alerts": (200, {"alerts": [ALERT]}),
    "GET /alerts/rules": (
        200,
        {"rules": [RULE]},
    ),
    "GET /api/v1/query": (
        200,
        {
            "status": "success",
            "data": {
                "resultType": "vector",
                "result": [{"metric": {"__name__": "t", "room": "k"}, "value": [1.0, "21.5"]}],
            },
        },
    ),
    "GET /api/v1/query_range": (
        200,
        {
            "status": "success",
            "data": {
                "resultType": "matrix",
                "result": [{"metric": {"__name__": "t"}, "values": [[1, "1"], [2, "3"]]}],
            },
        },
    ),
    "POST /metrics": (
        200,
        {"accepted": 1, "rejected": [{"index": 1, "reason": "bad_value", "detail": "no number"}]},
    ),
    "GET /events": (200, {"events": [WAKE]}),
    "POST /events": (201, {"event_id": "e1", "event": WAKE}),
    "GET /events/e1": (200, {"event": WAKE}),
    "GET /events/wake": (404, {"detail": "there is no event 'wake'"}),
    "GET /events/other": (404, {"detail": "there is no event 'other'"}),
    "POST /events/e1/trigger": (202, {"execution_id": "x1"}),
    "POST /events/e1/pause": (200, {"event": WAKE}),
    "DELETE /events/e1": (204, None),
    "GET /executions": (
        200,
        {
            "executions": [
                {
                    "execution_id": "x1",
                    "event_id": "e1",
                    "status": "completed",
                    "kind": "manual",
                    "retry_count": 2,
                    "result": {"seconds": 0.5},
                }
            ]
        },
    ),
    "GET /executions/x1": (
        200,
        {"execution": {"execution_id": "x1", "attempts": [{"n": 1, "outcome": "done"}]}},
    ),
    "POST /executions/x1/cancel": (200, {"execution": {"execution_id": "x1"}}),
    "POST /events/import": (
        200,
        {
            "dry_run": True,
            "accepted": 1,
            "events": [WAKE],
            "rejected": [{"line": 3, "code": "bad_cron", "detail": "minute: 61"}],
            "warnings": ["PATH is ignored"],
        },
    ),
    "GET /alerts/rules/hot": (200, RULE),
    "PUT /alerts/rules/hot": (200, RULE | {"enabled": False}),
    "DELETE /alerts/rules/hot": (200, {"deleted": "hot"}),
    "POST /alerts/rules/test": (
        200,
        {
            "evaluations": 120,
            "series": 1,
            "fired": [
                {
                    "labels": {"room": "k"},
                    "fired_at": 1.0,
                    "duration_seconds": 60,
                    "resolved_at": None,
                    "message": "31 is above 30",
                }
            ],
        },
    ),
    "DELETE /alerts/silences/s1": (204, None),
}


class Server(ThreadingHTTPServer):
    """Keeps the requests it got."""

    requests: list[tuple[str, str, Any, str]]


class Handler(BaseHTTPRequestHandler):
    server: Server

    def answer(self) -> None:
        sent = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        is_json = self.headers.get("Content-Type") == "application/json"
        body = json.loads(sent) if is_json else sent or None
        token = self.headers.get("Authorization", "")
        route = f"{self.command} {self.path.partition('?')[0]}"
        self.server.requests.append((route, self.path, body, token))
        status, value = ANSWERS.get(route, (418, "no JSON"))
        content = b"" if value is None else json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = do_PUT = do_DELETE = answer

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """A running server that both services' notes point to."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ALICIA_DATA_DIR", str(tmp_path))
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"* * * * * true")))
    with Server(("127.0.0.1", 0), Handler) as made:
        made.requests = []
        (tmp_path / "run").mkdir()
        for name in ("collector", "scheduler"):
            note = {"pid": os.getpid(), "url": f"http://127.0.0.1:{made.server_port}"}
            (tmp_path / "run" / f"{name}.json").write_text(json.dumps(note), encoding="utf-8")
        thread = threading.Thread(target=made.serve_forever, args=(0.01,))
        thread.start()
        yield made
        made.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("line", "code", "shown"),
    [
        ("query t", Exit.DONE, ['t{room="k"}', "21.5"]),
        ("query t --start -1h --step 1m", Exit.DONE, ["SERIES", "2       1    2    3    3"]),
        ("push a=1 b=2", Exit.FAILED, ["accepted 1, rejected 1", "b: no number"]),
        ("alerts", Exit.DONE, ["firing", "critical", "31 is \N{REPLACEMENT CHARACTER}[31mabove"]),
        ("rules list", Exit.DONE, ["hot", "t > 30", "5m"]),
        ("events list", Exit.DONE, ["wake", "at 07:30", "pending"]),
        ("events add wake --every 5m", Exit.DONE, ["added e1: at 07:30; next run in"]),
        ("events show e1", Exit.DONE, ["run_count"]),
        ("events next wake", Exit.DONE, ["2100-01-01 02:00:00 EET"]),
        ("events trigger wake", Exit.DONE, ["started execution x1"]),
        ("events pause e1 --until +2h", Exit.DONE, ["paused e1"]),
        ("events cancel e1", Exit.DONE, ["cancelled e1"]),
        ("events cancel e1 --purge", Exit.DONE, ["removed e1"]),
        ("events import -", Exit.FAILED, ["wake", "line 3: minute: 61", "would import 1, left"]),
        (
            "executions list",
            Exit.DONE,
            ["x1         wake", 'completed  manual; 3 tries; {"seconds": 0.5}'],
        ),
        ("executions cancel x1", Exit.DONE, ["cancelled x1"]),
        ("rules show hot", Exit.DONE, ["t > 30"]),
        ("rules disable hot", Exit.DONE, ["disabled hot"]),
        ("rules remove hot", Exit.DONE, ["removed hot"]),
        ("rules test new t>30", Exit.DONE, ['{room="k"}', "60 s", "120 evaluations of 1 series"]),
        ("rules backtest hot", Exit.DONE, ["31 is above 30"]),
        ("executions show x1", Exit.DONE, ["OUTCOME", "done"]),
        ("silence end s1", Exit.DONE, ["ended: s1"]),
        ("status", Exit.DONE, ["healthy", "61 s", "1 down", "1 firing", "silent 94 s", "wake"]),
        ("top", Exit.DONE, ["stt_service", "down", "silent 94 s"]),
    ],
)
def test_output_for_people(
    server: Server, line: str, code: Exit, shown: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(line.split()) == code
    said = capsys.readouterr()
    for text in shown:
        assert text in said.out
    assert "\x1b" not in said.out
    assert said.err == ""


@pytest.mark.parametrize(
    ("line", "route"),
    [
        ("query t", "GET /api/v1/query"),
        ("push a=1 b=2", "POST /metrics"),
        ("alerts", "GET /alerts"),
        ("rules list", "GET /alerts/rules"),
        ("events list", "GET /events"),
        ("events add wake --every 5m", "POST /events"),
        ("events show e1", "GET /events/e1"),
        ("events trigger e1", "POST /events/e1/trigger"),
        ("executions list", "GET /executions"),
        ("executions show x1", "GET /executions/x1"),
        ("top", "GET /services"),
    ],
)
def test_json_is_what_the_service_answered(
    server: Server, line: str, route: str, capsys: pytest.CaptureFixture[str]
) -> None:
    main([*line.split(), "--json"])
    assert json.loads(capsys.readouterr().out) == ANSWERS[route][1]


def test_status_as_json(server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["status", "--json"]) == Exit.DONE
    report = json.loads(capsys.readouterr().out)
    assert report["collector"]["status"] == "healthy"
    assert report["alerts"] == [ALERT]
    assert report["next_runs"][0]["event_id"] == "e1"


@pytest.mark.parametrize(
    ("line", "route"),
    [("events list", "GET /events"), ("executions list", "GET /executions")],
)
def test_a_list_says_that_it_goes_on(
    server: Server,
    line: str,
    route: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    page = ANSWERS[route][1] | {"next_cursor": "abc"}
    monkeypatch.setitem(ANSWERS, route, (200, page))
    assert main(line.split()) == Exit.DONE
    assert capsys.readouterr().err == (
        "alicia: these are the first 1, more follow; --limit N shows up to 10000\n"
    )
    assert main([*line.split(), "--json"]) == Exit.DONE
    said = capsys.readouterr()
    assert (json.loads(said.out)["next_cursor"], said.err) == ("abc", "")


@pytest.mark.parametrize(
    "note",
    [
        {"parts": [1], "broker": "x"},
        {"parts": {"collector": 1}, "broker": {"kind": "trial"}},
        {"url": "http://[bad"},
        {"url": "http://h:99999999"},
        {"url": 7},
    ],
)
def test_notes_of_somebody_else_are_passed_over(
    tmp_path: Path, note: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    monkeypatch.chdir(tmp_path)
    for key in ("COLLECTOR_PORT", "SCHEDULER_PORT"):
        monkeypatch.setenv(f"ALICIA_{key}", str(port))
    monkeypatch.setenv("ALICIA_DATA_DIR", str(tmp_path))
    (tmp_path / "run").mkdir()
    for name in ("up", "collector", "scheduler"):
        text = json.dumps({"pid": os.getpid(), **note})
        (tmp_path / "run" / f"{name}.json").write_text(text, encoding="utf-8")
    assert main(["status"]) == Exit.UNREACHABLE


def test_status_says_within_seconds_that_a_service_is_not_answering(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ALICIA_DATA_DIR", str(tmp_path))
    monkeypatch.setattr("alicia.cli.status._PATIENCE_SECONDS", 0.05)
    with socket.create_server(("127.0.0.1", 0), backlog=50) as stopped:
        port = stopped.getsockname()[1]
        for key in ("COLLECTOR_PORT", "SCHEDULER_PORT"):
            monkeypatch.setenv(f"ALICIA_{key}", str(port))
        assert main(["status", "--json"]) == Exit.UNREACHABLE
        stopped.setblocking(False)
        visits = 0
        with contextlib.suppress(BlockingIOError):
            while stopped.accept()[0].close() is None:
                visits += 1
    report = json.loads(capsys.readouterr().out)
    assert visits == 2  # one for each service: more questions would only cost time
    for name in ("collector", "scheduler"):
        assert report[name]["status"] == "unreachable"
        assert "is not answering: it is there, but said nothing for" in report[name]["detail"]


def test_status_says_what_it_may_not_see(
    server: Server, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(ANSWERS, "GET /services", (401, {"detail": "a token is needed"}))
    assert main(["status"]) == Exit.FAILED
    assert "services: a token is needed (give a token in ALICIA_TOKEN" in capsys.readouterr().out


def test_what_was_asked(server: Server) -> None:
    main(["alerts", "--all", "--severity", "error", "--service", "s", "--token", "secret"])
    main(["events", "trigger", "e1", "--payload", "{}"])
    main(["executions", "list", "e1", "--status", "failed", "--limit", "5"])
    assert server.requests == [
        (
            "GET /alerts",
            "/alerts?active_only=false&severity=error&service=s",
            None,
            "Bearer secret",
        ),
        ("GET /events/e1", "/events/e1", None, ""),
        ("POST /events/e1/trigger", "/events/e1/trigger", {"payload": {}}, ""),
        ("GET /events/e1", "/events/e1", None, ""),
        ("GET /executions", "/executions?event_id=e1&status=failed&limit=5", None, ""),
        ("GET /events", "/events?limit=10000", None, ""),
    ]


def test_what_is_asked_of_stored_rules(server: Server) -> None:
    main(["rules", "disable", "hot"])
    main(["rules", "backtest", "hot", "--window", "2h"])
    assert [body for _, _, body, _ in server.requests if body] == [
        RULE | {"enabled": False},
        {"rule": RULE, "window": 7200},
    ]


@pytest.mark.parametrize(
    ("name", "words", "asked"),
    [
        ("plan", [], "dry_run=false"),
        ("plan.yaml", ["--dry-run"], "dry_run=true"),
        ("plan", ["--system"], "dry_run=false&system=true"),
    ],
)
def test_an_import_sends_the_file_as_it_is(
    server: Server, tmp_path: Path, name: str, words: list[str], asked: str
) -> None:
    (tmp_path / name).write_bytes(b"# \xff")
    main(["events", "import", str(tmp_path / name), *words])
    assert server.requests == [
        ("POST /events/import", f"/events/import?{asked}", b"# \xff", ""),
    ]


def test_a_histogram_is_pushed_as_the_object_it_is(server: Server) -> None:
    value = {"count": 2, "sum": 0.3, "buckets": {"+Inf": 2}}
    main(["push", f"lat={json.dumps(value)}", "--type", "histogram", "--json"])
    (metric,) = server.requests[0][2]["metrics"]
    assert metric == {"name": "lat", "value": value, "metric_type": "histogram"}


def test_the_token_of_the_environment(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALICIA_TOKEN", "secret")
    main(["alerts"])
    assert server.requests[0][3] == "Bearer secret"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("events show other", "alicia: there is no event 'other'\n"),
        ("events show e9", "alicia: HTTP 418 I'm a Teapot\n"),
    ],
)
def test_errors_of_a_service_are_one_line_and_1(
    server: Server, line: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(line.split()) == Exit.FAILED
    assert capsys.readouterr().err == said


@pytest.mark.parametrize(
    "line", ["query up", "push a=1", "events list", "executions list", "alerts", "rules list"]
)
def test_a_service_that_does_not_answer_is_3(
    line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ALICIA_DATA_DIR", str(tmp_path))
    # Nobody holds port 1, which only root could.
    ports = ["--collector-port", "1", "--scheduler-port", "1"]
    assert main([*line.split(), *ports]) == Exit.UNREACHABLE
    said = capsys.readouterr()
    assert "does not answer at http://127.0.0.1:1 (connection refused)" in said.err
    assert said.err.count("\n") == 1
