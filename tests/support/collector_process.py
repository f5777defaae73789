"""A real collector in a process of its own."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.support.service_process import ServiceProcess


class CollectorProcess(ServiceProcess):
    """What tests ask of a collector."""

    def __init__(self, data_dir: Path, *, mqtt_port: int, **settings: str) -> None:
        super().__init__("collector", data_dir, mqtt_port=mqtt_port, **settings)

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
