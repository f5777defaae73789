"""The supervisor over small real programs: start, restart, stop, and its own death."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

HARNESS = Path(__file__).with_name("supervisor_harness.py")


class Supervised:
    """The harness in a process of its own, and what it said so far."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.said: list[dict[str, Any]] = []

    def wait_for(self, **wanted: object) -> dict[str, Any]:
        """The next line that has all these values."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.said.append(json.loads(line))
            if wanted.items() <= self.said[-1].items():
                return self.said[-1]
        raise AssertionError(f"{wanted} was never said, but {self.said}")

    def end(self, number: int) -> float:
        """Send a signal, wait for the end; the seconds that it took."""
        began = time.monotonic()
        self.process.send_signal(number)
        self.process.wait(10)
        return time.monotonic() - began


@contextmanager
def supervised(*parts: str) -> Iterator[Supervised]:
    command = [sys.executable, str(HARNESS), *parts]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield Supervised(process)
        finally:
            process.kill()


def gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    state = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]
    return state == "Z"


def eventually(condition: Callable[[], bool]) -> bool:
    """Poll a process table, which sends no signals, for at most five seconds."""
    deadline = time.monotonic() + 5
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_stops_every_part(number: int) -> None:
    with supervised("polite", "polite") as run:
        pids = [run.wait_for(state="ready")["pid"] for _ in range(2)]
        run.wait_for(state="all_ready")
        assert run.end(number) < 2
        assert run.process.returncode == 0
        assert all(gone(pid) for pid in pids)


def test_a_part_that_will_not_stop_is_killed_in_time_with_what_it_started() -> None:
    with supervised("stubborn") as run:
        ready = run.wait_for(state="ready")
        assert 4 < run.end(signal.SIGTERM) < 5.5
        assert run.process.returncode == 0
        assert gone(ready["pid"])
        assert eventually(lambda: gone(int(ready["address"])))


def test_a_second_signal_changes_nothing() -> None:
    with supervised("slow") as run:
        run.wait_for(state="ready")
        run.process.send_signal(signal.SIGTERM)
        run.wait_for(state="stopping")
        for _ in range(3):
            run.process.send_signal(signal.SIGINT)
        rest = [json.loads(line) for line in run.process.stdout or ()]
        run.process.wait(10)
        assert run.process.returncode == 0
        assert [line["line"] for line in rest if line["state"] == "printed"] == ["saved"]


def test_the_broker_stops_after_those_who_say_good_bye() -> None:
    with supervised("last", "slow") as run:
        for _ in range(2):
            run.wait_for(state="ready")
        run.process.send_signal(signal.SIGTERM)
        lines = [json.loads(line) for line in run.process.stdout or ()]
        said = [(line["name"], line["line"]) for line in lines if line["state"] == "printed"]
        assert said == [("slow-1", "saved"), ("last-0", "saved")]


def test_a_killed_part_is_started_again_and_counted_and_keeps_its_address() -> None:
    with supervised("polite") as run:
        first = run.wait_for(state="ready")
        os.kill(first["pid"], signal.SIGKILL)
        ended = run.wait_for(state="ended")
        assert (ended["code"], ended["restarts"]) == (-9, 1)
        again = run.wait_for(state="ready")
        assert again["pid"] != first["pid"]
        assert again["given"] == first["address"]
        os.kill(again["pid"], signal.SIGKILL)
        assert run.wait_for(state="ended")["restarts"] == 2


def test_a_part_that_cannot_start_again_says_why_and_is_tried_again() -> None:
    with supervised("blocked") as run:
        first = run.wait_for(state="ready")
        os.kill(first["pid"], signal.SIGKILL)
        killed = run.wait_for(state="ended")
        assert (killed["how"], killed["restarts"]) == ("ended by SIGKILL", 1)
        blocked = run.wait_for(state="ended")
        assert (blocked["how"], blocked["restarts"]) == ("somebody has the port", 2)
        assert run.wait_for(state="ready")["pid"] != first["pid"]


def test_a_part_that_refuses_at_first_ends_all() -> None:
    with supervised("polite", "refusing") as run:
        assert run.wait_for(state="refused")["code"] == 1
        run.process.wait(10)
        assert run.process.returncode == 1


def test_a_late_part_starts_after_the_others_and_may_refuse() -> None:
    with supervised("late-refusing", "polite") as run:
        run.wait_for(state="refused")
        states = [line["state"] for line in run.said if line["state"] != "changed"]
        assert states == ["ready", "all_ready", "refused"]
        assert run.process.poll() is None
        run.end(signal.SIGTERM)
        assert run.process.returncode == 0


def test_a_program_that_is_not_there_is_said_in_one_line() -> None:
    with supervised("absent") as run:
        lines = [json.loads(line) for line in run.process.stdout or ()]
        assert lines[-1] == {
            "state": "error",
            "text": "cannot start /nowhere/to/be/found: No such file or directory",
        }


def test_a_part_with_a_probe_is_ready_when_its_port_answers() -> None:
    with supervised("probed") as run:
        ready = run.wait_for(state="ready")
        assert ready["address"] == ""


@pytest.mark.parametrize("kind", ["watching", "tethered"])
def test_no_part_outlives_a_killed_supervisor(kind: str) -> None:
    with supervised(kind) as run:
        pid = run.wait_for(state="ready")["pid"]
        run.end(signal.SIGKILL)
        assert eventually(lambda: gone(pid))


def test_much_output_is_passed_on_whole() -> None:
    with supervised("chatty") as run:
        run.wait_for(state="ready")
        run.wait_for(line="end of talk")
        lines = [line["line"] for line in run.said if line["state"] == "printed"]
        assert lines == [f"{n} " + "x" * 1000 for n in range(300)] + ["end of talk"]
