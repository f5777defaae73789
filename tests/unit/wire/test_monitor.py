from typing import Any

import pytest

from alicia.wire.monitor import MonitorAlert, decode_monitor_alerts
from alicia.wire.names import FLEET


def told(**fields: Any) -> MonitorAlert:
    base = {"service": "a", "instance": "", "kind": "", "severity": "", "message": "",
            "value": None, "threshold": None, "over": False}  # fmt: skip
    return MonitorAlert(**{**base, **fields})


# value | alerts
CASES: list[tuple[object, list[MonitorAlert]]] = [
    ({"alert_id": "a_cpu_1795425234", "service_name": "STT-Service", "alert_type": "high_cpu",
      "severity": "WARNING", "message": "CPU 93%", "value": "93 %", "threshold": 80},
     [told(service="stt_service", kind="high_cpu", severity="warning", message="CPU 93%",
           value=93.0, threshold=80.0)]),
    ({"service": "a", "message": "service offline"},
     [told(kind="service offline", message="service offline")]),
    ({"service": "a", "kind": "cpu", "resolved": True}, [told(kind="cpu", over=True)]),
    ({"service": "a", "kind": "cpu", "status": "Resolved"}, [told(kind="cpu", over=True)]),
    ({"alerts": [{"service": "a"}, 7, {"service": "b/c"}, {"message": "of nobody"}]}, [told()]),
    ([{"service": "a"}], [told()]),
    ({"service": "a", "kind": {"x": 1}, "value": "NaN", "message": "x\x00y\ud800"},
     [told(kind="xy", message="xy")]),
    ({"alerts": [{"service": "a"}] * 150}, [told()] * 100),
    ("text", []),
    (None, []),
]  # fmt: skip


@pytest.mark.parametrize(("value", "alerts"), CASES)
def test_alerts_of_health_monitor(value: object, alerts: list[MonitorAlert]) -> None:
    assert list(decode_monitor_alerts(value, FLEET)) == alerts
