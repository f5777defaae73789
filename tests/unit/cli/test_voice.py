"""What ``alicia up`` says."""

import io
import json
import socket
from pathlib import Path

import pytest

from alicia.cli.children import ending
from alicia.cli.hosts import from_elsewhere
from alicia.cli.output import Output
from alicia.cli.voice import Speaker


def speak(*, as_json: bool) -> str:
    file = io.StringIO()
    speaker = Speaker(
        Output(file, as_json=as_json, environment={}),
        data_dir=Path("/data"),
        sentences={"broker": "mosquitto on port 1883"},
        note=lambda _states: None,
    )
    speaker.ready("broker", "")
    speaker.ready("collector", "http://127.0.0.1:8024")
    speaker.all_ready()
    speaker.ended("collector", "ended by SIGKILL", -9, restarts=1, wait_ms=400)
    speaker.refused("demo", 2)
    speaker.printed("demo", "hello")
    speaker.stopping()
    return file.getvalue()


def test_one_line_per_part_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    assert speak(as_json=False).splitlines() == [
        "broker     mosquitto on port 1883",
        "collector  http://127.0.0.1:8024",
        "data       /data",
        "dashboard  http://127.0.0.1:8024",
        "next       alicia status, alicia doctor; Ctrl-C stops all",
        "demo       hello",
        "stopping   all parts",
    ]
    assert capsys.readouterr().err.splitlines() == [
        "collector  ended by SIGKILL; restart 1 in 0.4 s",
        "demo       did not start (ended with code 2)",
    ]


def test_one_json_line_per_change_for_programs() -> None:
    lines = [json.loads(line) for line in speak(as_json=True).splitlines()]
    assert lines[1] == {
        "part": "collector",
        "state": "ready",
        "address": "http://127.0.0.1:8024",
        "text": "http://127.0.0.1:8024",
    }
    assert lines[5] == {
        "part": "collector",
        "state": "ended",
        "code": -9,
        "text": "ended by SIGKILL",
        "restarts": 1,
        "wait_ms": 400,
    }
    assert all({"part", "state"} <= set(line) for line in lines)


@pytest.mark.parametrize("every", ["0.0.0.0", "[::]"])
def test_an_address_of_all_interfaces_is_shown_as_others_reach_it(every: str) -> None:
    assert from_elsewhere(f"http://{every}:8024") == f"http://{socket.gethostname()}:8024"
    assert from_elsewhere("http://127.0.0.1:8024") == "http://127.0.0.1:8024"


class ClosedFile(io.StringIO):
    def __init__(self, tried: list[str]) -> None:
        super().__init__()
        self._tried = tried

    def write(self, text: str) -> int:
        self._tried.append(text)
        raise OSError("the terminal is gone")


def test_parts_outlive_the_terminal_and_a_full_disk() -> None:
    tried: list[str] = []

    def full_disk(_states: object) -> None:
        tried.append("note")
        raise OSError("no space left")

    speaker = Speaker(
        Output(ClosedFile(tried), as_json=False, environment={}),
        data_dir=Path("/data"),
        sentences={},
        note=full_disk,
    )
    speaker.stopping()
    speaker.changed(())
    assert tried == ["stopping   all parts\n", "note"]  # both failed, and neither raised


@pytest.mark.parametrize(
    ("code", "text"),
    [
        (0, "ended with code 0"),
        (3, "ended with code 3"),
        (-9, "ended by SIGKILL"),
        (-250, "ended by signal 250"),
    ],
)
def test_endings(code: int, text: str) -> None:
    assert ending(code) == text
