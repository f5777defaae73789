"""What a simulated service says, as values; oddities of the real fleet included (bus.md §5)."""

import base64
import math
from collections.abc import Mapping

from alicia.cli.demo import patterns
from alicia.cli.demo.cast import Role
from alicia.wire.envelope import seal

VERSION = "1.0.0"
Payload = dict[str, object]


def wrap(role: Role, payload: Mapping[str, object], *, now_ms: int, message_id: str) -> bytes:
    """The payload in its sender's envelope, or in two where the sender does that."""
    body: Mapping[str, object] = payload
    if role.wraps_twice:
        body = {
            "message_id": f"{role.name.split('_')[0]}_response_{message_id[-8:]}",
            "timestamp": now_ms / 1000,
            "source": role.name,
            "destination": "broadcast",
            "message_type": "response",
            "priority": "normal",
            "ttl": 300,
            "payload": payload,
            "routing": {"hops": 0, "max_hops": 10},
        }
    return seal(
        body, source=role.name, message_id=message_id, now_ms=now_ms, destination="broadcast"
    )


def registration(role: Role, *, port: int, now: float) -> Payload:
    """``register`` of discovery; where the service answers HTTP."""
    return {
        "service_name": role.name,
        "status": "online",
        "timestamp": now,
        "capabilities": _capabilities(role),
        "version": VERSION,
        "host": "127.0.0.1",
        "port": port,
    }


def health(role: Role, *, status: str, uptime: float, messages: int, errors: int) -> Payload:
    """A health report, on the bus and by HTTP."""
    return {
        "service_name": role.name,
        "status": status,
        "uptime": round(uptime, 3),
        "version": VERSION,
        "messages_processed": messages,
        "errors": errors,
    }


def metrics(
    role: Role, t: float, *, uptime: float, requests: float, errors: float, slowness: float
) -> Payload:
    """A body of ``metrics/collect``."""
    latency = patterns.latency_ms(role.name, t, usual_ms=role.latency_ms) * slowness
    ratio = 100 * errors / requests if requests else 0.0
    usual = role.latency_ms * (1 + (slowness - 1) / 20)
    return {
        "service_name": role.name,
        "metrics": [
            _metric("requests_total", math.floor(requests), "counter"),
            _metric("errors_total", math.floor(errors), "counter"),
            _metric("latency_ms", round(latency, 2), "gauge", unit="ms"),
            _metric("response_time", round(latency / 1000, 5), "gauge", unit="seconds"),
            _metric("error_rate", round(ratio, 3), "gauge", unit="percent"),
            # Like several of the fleet it sends numbers as text now and then (T1).
            _metric("cpu_percent", f"{patterns.cpu_percent(role.name, t):.1f}", "gauge"),
            _metric(
                "memory_mb", round(patterns.memory_mb(role.name, t, uptime=uptime), 1), "gauge"
            ),
            _metric(
                "request_duration_seconds",
                patterns.histogram(requests, usual),
                "histogram",
                unit="seconds",
            ),
        ],
    }


def device_status(role: Role, t: float) -> Payload:
    """The state of the device that the service owns: numbers, switches and words."""
    swing = patterns.load(role.device, t)
    return {
        "device_id": role.device,
        "state": "on" if swing > 0.4 else "off",
        "power": swing > 0.4,
        "battery": f"{60 + 40 * patterns.noise(role.device, 0):.0f} %",
        "temperature": round(17 + 6 * swing, 1),
    }


def voice_request(session_id: str) -> Payload:
    """What begins a stage of the voice pipeline."""
    return {"session_id": session_id, "language": "en"}


def voice_response(session_id: str, *, latency_ms: float) -> Payload:
    """What ends it; audio is echoed, as the real pipeline does."""
    audio = base64.b64encode(session_id.encode() * 40).decode()
    return {"session_id": session_id, "processing_time_ms": round(latency_ms, 1), "audio": audio}


def voice_error(session_id: str) -> Payload:
    """A stage that failed."""
    return {"session_id": session_id, "error": "the microphone heard nothing"}


def completion(execution_id: str, *, worked: bool, seconds: float) -> Payload:
    """The outcome of a command of the scheduler."""
    outcome: Payload = {"execution_id": execution_id, "status": "completed" if worked else "failed"}
    if worked:
        return {**outcome, "result": {"seconds": round(seconds, 3)}}
    return {**outcome, "error": "the simulated device did not answer"}


def _metric(name: str, value: object, kind: str, *, unit: str = "") -> Payload:
    metric: Payload = {"name": name, "value": value, "metric_type": kind}
    return {**metric, "unit": unit} if unit else metric


def _capabilities(role: Role) -> list[object]:
    words: list[object] = ["health", "metrics"]
    if role.stage:
        words.append({"name": f"voice.{role.stage}", "version": 1})
    if role.device:
        words.append(f"device.{role.device}")
    return words
