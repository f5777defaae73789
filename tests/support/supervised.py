"""``alicia up`` with real parts, for tests: started, listened to, looked into, stopped."""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import psutil

OURS = (sys.executable, "-m", "alicia")


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


class Up:
    """One running ``alicia up --json``, and what it said so far."""

    def __init__(self, process: subprocess.Popen[str], stderr: Path, environment: Any) -> None:
        self.process = process
        self.said: list[dict[str, Any]] = []
        self.environment = environment
        self._stderr = stderr

    def wait_for(self, **wanted: object) -> dict[str, Any]:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.said.append(json.loads(line))
            if wanted.items() <= self.said[-1].items():
                return self.said[-1]
        raise AssertionError(f"{wanted} was never said, but {self.said}; {self.complaints}")

    def ready(self) -> dict[str, str]:
        """Wait until all parts answer; the address of each."""
        self.wait_for(part="up", state="next")
        return {s["part"]: s["address"] for s in self.said if s["state"] == "ready"}

    def children(self) -> dict[str, psutil.Process]:
        found = psutil.Process(self.process.pid).children(recursive=True)
        return {_part(process): process for process in found}

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*OURS, *words],
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )

    @property
    def complaints(self) -> str:
        return self._stderr.read_text(encoding="utf-8")


def _part(process: psutil.Process) -> str:
    command = process.cmdline()
    is_broker = "mosquitto" in command[0] or "alicia.adapters.broker.trial_child" in command
    return "broker" if is_broker else command[-1]


def settings_of(folder: Path, **more: object) -> dict[str, str]:
    given = {
        "DATA_DIR": folder / "data",
        "COLLECTOR_PORT": 0,
        "SCHEDULER_PORT": 0,
        "MQTT_PORT_LOCAL": free_port(),
        **more,
    }
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("ALICIA_", "MQTT_"))}
    return clean | {f"ALICIA_{key}": str(value) for key, value in given.items()}


@contextmanager
def running(
    folder: Path, words: Sequence[str] = (), *, program: Sequence[str] = OURS, **more: object
) -> Iterator[Up]:
    """``program`` stands for the ``alicia`` that supervises; ``more`` are settings."""
    environment = settings_of(folder, **more)
    stderr = folder / "stderr"
    with (
        stderr.open("a") as complaints,
        subprocess.Popen(
            [*program, "up", "--json", *words],
            cwd=folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=complaints,
            text=True,
        ) as process,
    ):
        up = Up(process, stderr, environment)
        try:
            yield up
        finally:
            if process.poll() is None:
                process.terminate()
                drain(process.stdout)
                process.wait(10)


def drain(stream: IO[str] | None) -> None:
    for _ in stream or ():
        pass


def get(url: str) -> Any:
    with urllib.request.urlopen(url, timeout=5) as answer:
        return json.load(answer)


def eventually(condition: Callable[[], bool], seconds: float = 5) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def all_gone(processes: Sequence[psutil.Process]) -> bool:
    return not any(p.is_running() and p.status() != psutil.STATUS_ZOMBIE for p in processes)
