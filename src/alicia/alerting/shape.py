"""An alert as the API answers it and the bus carries it (contract.md §3)."""

import math

from alicia.alerting.memory import AlertRecord
from alicia.alerting.state import Phase
from alicia.base.times import seconds
from alicia.series.labels import INSTANCE, SERVICE


def alert_to_api(
    record: AlertRecord,
    *,
    silenced_by: tuple[str, ...] = (),
    inhibited_by: tuple[str, ...] = (),
) -> dict[str, object]:
    """The alert object; a value that JSON has no number for is null."""
    alert, service = record.alert, record.labels.get(SERVICE, "")
    shape: dict[str, object] = {
        "alert_id": record.alert_id,
        "rule_name": record.rule_name,
        "service_name": service,
        "instance_id": record.labels.get(INSTANCE, service),
        "severity": record.severity.value,
        "state": alert.phase.value,
        "message": record.message,
        "value": record.value if math.isfinite(record.value) else None,
        "threshold": record.threshold,
        "labels": dict(record.labels),
        "annotations": dict(record.annotations),
        "timestamp": seconds(record.updated_ms),
        "active_at": seconds(alert.active_ms),
        "resolved": alert.phase is Phase.RESOLVED,
        "no_data": record.no_data,
        "announced": record.announced,
        "silenced_by": list(silenced_by),
        "inhibited_by": list(inhibited_by),
    }
    if alert.fired_ms is not None:
        shape["fired_at"] = seconds(alert.fired_ms)
    if alert.resolved_ms is not None:
        shape["resolved_at"] = seconds(alert.resolved_ms)
    if record.reason:
        shape["reason"] = record.reason
    return shape
