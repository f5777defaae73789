"""A fleet on paper: what the two APIs answer in layout tests, hostile words included."""

import math
import time
from typing import Any

GROUPS = {
    "core": "security_gateway device_registry discovery_service health_monitor config_service",
    "management": "load_balancer metrics_collector event_scheduler configuration_manager"
    " service_orchestrator",
    "voice": "stt_service ai_service tts_service voice_router",
    "devices": "sonos_service device_manager ha_bridge device_control",
    "advanced": "grok_integration personality_system multi_language advanced_voice",
}
# Each would run, or leave its element, if any screen wrote words as markup.
HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(2)>',
    "<svg/onload=alert(3)>",
    "</script><script>alert(4)</script>",
    "javascript:alert(5)",
    "{{constructor.constructor('alert(6)')()}}",
    "\u202eevil\u202c",
    "a" * 200,
)


class Fleet:
    """The answers of one pretended backend; tests change them and send live events."""

    def __init__(self, now: float) -> None:
        self.now = now
        self.sampled = now - 14
        self.step = 15.0  # seconds between samples
        self.held = 3600.0  # seconds back from the newest sample
        self.known = True  # whether the page is served with a snapshot
        self.services = [
            self._service(name, group) for group, names in GROUPS.items() for name in names.split()
        ]
        self.alerts = [self._alert(), self._alert(rule="high_cpu", service="ai_service")]
        self.events = self._events()
        self.bus: dict[str, Any] = {
            "connected": True,
            "address": "127.0.0.1:1883",
            "messages": 1234,
            "messages_per_second": 18.4,
        }
        self.scheduler_up = True
        troubles = {
            "stt_service": ("down", "silent 94 s; usually every 30 s", 3),
            "ai_service": ("degraded", "reports busy", 0),
            "multi_language": ("unknown", "never heard", 0),
            "config_service": ("muted", "in maintenance", 0),
        }
        for name, (status, reason, restarts) in troubles.items():
            row = self.service(name)
            row.update(status=status, reason=reason, restarts=restarts)
            row["bars"] = [*row["bars"][:-4], *[status] * 4]
        self.service("multi_language").update(bars=[None] * 96, last_seen=None)

    def service(self, name: str) -> dict[str, Any]:
        return next(row for row in self.services if row["service_name"] == name)

    def turn_hostile(self) -> None:
        """Put hostile words into every field that the page shows."""
        for word, row in zip(HOSTILE, self.services, strict=False):
            row.update(
                service_name=word, reason=word, version=word, capabilities=[word], group=word[:40]
            )
            row["instances"] = [{**row["instances"][0], "instance_id": word + n} for n in "ab"]
        for word, alert in zip(HOSTILE, self.alerts, strict=False):
            alert.update(rule_name=word, service_name=word, message=word)
        for word, event in zip(HOSTILE, self.events, strict=False):
            event.update(name=word, schedule_text=word, target_service=word)

    def stats(self) -> dict[str, Any]:
        return {
            "uptime": 86_000.0,
            "series": 846,
            "samples_per_second": 27.3,
            "rejected_total": {"bad_value": 2},
            "bus": self.bus,
            "timestamp": self.now,
        }

    def snapshot(self) -> dict[str, Any]:
        if not self.known:
            return {"now": time.time()}
        return {
            "now": time.time(),
            "services": {"services": self.services},
            "alerts": {"alerts": self.alerts},
            "stats": self.stats(),
        }

    def metrics_of(self, service: str) -> dict[str, Any]:
        rows = [
            self._row(name, service, self.sampled, kind)
            for name, kind in (
                ("cpu_percent", "gauge"),
                ("memory_percent", "gauge"),
                ("requests_total", "counter"),
                ("response_time_ms", "gauge"),
            )
        ]
        if service in HOSTILE:
            rows.append({**rows[0], "name": service, "labels": {service: service}})
        return {
            "service_name": service,
            "instances": {service: {"metrics": rows, "last_updated": self.now}},
        }

    def samples(self, service: str, metric: str, start: float, end: float) -> dict[str, Any]:
        kind = "counter" if metric.endswith("_total") else "gauge"
        end = min(end, self.sampled)
        start = max(start, self.sampled - self.held)
        count = int((end - start) // self.step) + 1 if end >= start else 0
        times = [end - self.step * i for i in range(count)]
        rows = [self._row(metric, service, t, kind) for t in times]
        return {"service_name": service, "metric_name": metric, "samples": rows}

    def _row(self, name: str, service: str, t: float, kind: str) -> dict[str, Any]:
        phase = sum(map(ord, service + name)) % 97
        wave = 38 + 22 * math.sin(t / 230 + phase) + 7 * math.sin(t / 37 + phase * 3)
        value = wave if kind == "gauge" else (t % 86_400) * (2 + phase % 5) + wave
        return {
            "name": name,
            "value": value,
            "timestamp": t,
            "labels": {service: service} if service in HOSTILE else {},
            "metric_type": kind,
            "unit": "ms" if name.endswith("_ms") else "",
            "service_name": service,
            "instance_id": service,
        }

    def _service(self, name: str, group: str) -> dict[str, Any]:
        seed = sum(map(ord, name))
        bars: list[str | None] = ["up"] * 96
        for start in range(seed % 41, 96, 53):
            bars[start] = "down" if seed % 3 == 0 else "degraded"
        return {
            "service_name": name,
            "group": group,
            "status": "up",
            "reason": "answers",
            "last_seen": self.now - seed % 25,
            "cadence": 30,
            "restarts": 1 if seed % 7 == 0 else 0,
            "version": f"1.{seed % 9}.0",
            "capabilities": ["health", "metrics"],
            "instances": [
                {"instance_id": name, "status": "up", "last_seen": self.now, "version": "1.0.0"}
            ],
            "bars": bars,
        }

    def _alert(self, rule: str = "service_down", service: str = "stt_service") -> dict[str, Any]:
        return {
            "alert_id": f"{rule}-{service}",
            "rule_name": rule,
            "service_name": service,
            "instance_id": service,
            "severity": "critical" if rule == "service_down" else "warning",
            "state": "firing",
            "message": f"{service}: {rule}",
            "value": 94.2,
            "threshold": 90.0,
            "active_at": self.now - 240,
            "fired_at": self.now - 180,
            "resolved": False,
            "silenced_by": [],
        }

    def _events(self) -> list[dict[str, Any]]:
        planned = (
            ("morning_briefing", "every day at 07:30", "tts_service", 95),
            ("nightly_backup", "every day at 03:00", "config_service", 3 * 3600 + 130),
            ("sync_playlists", "every 15 minutes", "sonos_service", 305),
            ("rotate_models", "on the 1st of the month at 02:00", "ai_service", 6 * 86_400),
        )
        return [
            {
                "event_id": f"e{number}",
                "name": name,
                "status": "pending",
                "schedule_text": text,
                "target_service": target,
                "next_run": self.now + after,
                "last_status": "completed",
            }
            for number, (name, text, target, after) in enumerate(planned)
        ]
