"""A real collector in a process of its own."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import httpx


class CollectorProcess:
    """``alicia collector`` on a data folder; may be killed and started again."""

    def __init__(self, data_dir: Path, *, mqtt_port: int, **settings: str) -> None:
        self._data_dir = data_dir
        self._errors = data_dir.parent / "collector.err"
        self._environment = {
            **{k: v for k, v in os.environ.items() if not k.startswith(("ALICIA_", "MQTT_"))},
            "ALICIA_DATA_DIR": str(data_dir),
            "ALICIA_MQTT_URL": f"mqtt://127.0.0.1:{mqtt_port}",
            "ALICIA_COLLECTOR_PORT": "0",
            **{f"ALICIA_{key}": value for key, value in settings.items()},
        }
        self._process: subprocess.Popen[str] | None = None
        self.url = ""

    def start(self) -> None:
        """Start, and wait until it says that it listens."""
        with self._errors.open("a") as err:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "alicia", "collector"],
                env=self._environment,
                cwd=self._data_dir.parent,
                stdout=subprocess.PIPE,
                stderr=err,
                text=True,
            )
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert "listening on" in line, f"{line!r} {self._errors.read_text()}"
        self.url = line.split()[-1]

    def kill(self) -> None:
        """SIGKILL: nothing is saved on the way."""
        assert self._process is not None, "it does not run"
        process, self._process = self._process, None
        assert process.stdout is not None
        process.stdout.close()
        process.kill()
        process.wait()

    def ensure_stopped(self) -> None:
        if self._process is not None:
            self.kill()

    def get(self, path: str) -> dict[str, Any]:
        reply = httpx.get(self.url + path, timeout=30)
        assert reply.status_code == 200, reply.text
        return dict(reply.json())

    def send(self, method: str, path: str, body: Mapping[str, object] | None = None) -> None:
        reply = httpx.request(method, self.url + path, json=body, timeout=10)
        assert reply.is_success, reply.text

    def push(self, name: str, value: float) -> None:
        metric = {"name": name, "value": value, "service_name": "stt"}
        self.send("POST", "/metrics", metric)

    def alert_of(self, rule: str) -> dict[str, Any]:
        """The one alert of a rule, resolved or not; empty where there is none."""
        found = self.get("/alerts?active_only=false")["alerts"]
        alerts = [alert for alert in found if alert["rule_name"] == rule]
        assert len(alerts) <= 1, alerts
        return dict(alerts[0]) if alerts else {}

    def until(self, true: Callable[[], bool], *, seconds: float = 15) -> None:
        """Ask again and again; services offer a browser no other signal over plain HTTP."""
        deadline = time.monotonic() + seconds
        while not true():
            assert time.monotonic() < deadline, "it did not happen in time"
            time.sleep(0.05)
