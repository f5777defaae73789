"""A real service in a process of its own; may be killed and started again."""

import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import httpx


class ServiceProcess:
    """``alicia collector`` or ``alicia scheduler`` on a data folder."""

    def __init__(self, service: str, data_dir: Path, *, mqtt_port: int, **settings: str) -> None:
        self._service = service
        self._data_dir = data_dir
        self._errors = data_dir.parent / f"{service}.err"
        self._environment = {
            **{k: v for k, v in os.environ.items() if not k.startswith(("ALICIA_", "MQTT_"))},
            "ALICIA_DATA_DIR": str(data_dir),
            "ALICIA_MQTT_URL": f"mqtt://127.0.0.1:{mqtt_port}",
            f"ALICIA_{service.upper()}_PORT": "0",
            **{f"ALICIA_{key}": value for key, value in settings.items()},
        }
        self._process: subprocess.Popen[str] | None = None
        self.wrapper: Sequence[str] = ()  # a program that runs it, with arguments
        self.url = ""

    @property
    def errors(self) -> str:
        """What all its lives wrote to stderr."""
        return self._errors.read_text()

    def start(self) -> None:
        """Start, and wait until it says that it listens."""
        self.spawn()
        self.until_ready()

    def spawn(self) -> None:
        """Start, and do not wait."""
        with self._errors.open("a") as err:
            self._process = subprocess.Popen(
                [*self.wrapper, sys.executable, "-m", "alicia", self._service],
                env=self._environment,
                cwd=self._data_dir.parent,
                stdout=subprocess.PIPE,
                stderr=err,
                text=True,
            )

    def until_ready(self) -> None:
        """Wait until it says that it listens."""
        assert self._process is not None, "it does not run"
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert "listening on" in line, f"{line!r} {self.errors}"
        self.url = line.split()[-1]

    def kill(self) -> None:
        """SIGKILL: nothing is saved on the way."""
        process = self._taken()
        process.kill()
        process.wait()

    def stop(self) -> tuple[int, float]:
        """SIGTERM; the exit code, and the seconds it took."""
        process, began = self._taken(), time.monotonic()
        process.terminate()
        code = process.wait(timeout=10)
        return code, time.monotonic() - began

    @property
    def pid(self) -> int:
        """The number of the running process."""
        assert self._process is not None, "it does not run"
        return self._process.pid

    def close(self) -> None:
        """End it if it runs."""
        self.ensure_stopped()

    def ensure_stopped(self) -> None:
        if self._process is not None:
            self.kill()

    def get(self, path: str) -> dict[str, Any]:
        reply = httpx.get(self.url + path, timeout=30)
        assert reply.status_code == 200, reply.text
        return dict(reply.json())

    def send(
        self, method: str, path: str, body: Mapping[str, object] | None = None
    ) -> dict[str, Any]:
        reply = httpx.request(method, self.url + path, json=body, timeout=10)
        assert reply.is_success, reply.text
        return dict(reply.json())

    def _taken(self) -> subprocess.Popen[str]:
        assert self._process is not None, "it does not run"
        process, self._process = self._process, None
        assert process.stdout is not None
        process.stdout.close()
        return process
