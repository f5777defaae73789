"""The alerts of health_monitor, which watches the fleet too; peer data never raises.

Source: bus.md §7.
"""

import math
from collections.abc import Container, Mapping
from dataclasses import dataclass
from typing import Final

from alicia.wire.names import canonical_service, check_service
from alicia.wire.rejects import Refused
from alicia.wire.values import parse_value

ALERTS_MAX: Final = 100  # of one message
_TEXT_CHARS_MAX: Final = 500
_SERVICE: Final = ("service_name", "service")
_KIND: Final = ("alert_type", "kind", "type", "category", "metric_name", "metric", "check")
_MESSAGE: Final = ("message", "description", "details", "reason")
_STATE: Final = ("state", "status", "event")
_OVER: Final = frozenset({"resolved", "cleared", "closed", "recovered", "ok", "inactive"})


@dataclass(frozen=True, slots=True)
class MonitorAlert:
    """One alert of health_monitor; texts are its own, numbers are finite or None.

    Its ``alert_id`` is not taken over: it holds the second, so it is none.
    """

    service: str
    instance: str
    kind: str
    severity: str
    message: str
    value: float | None
    threshold: float | None
    over: bool


def decode_monitor_alerts(value: object, registered: Container[str]) -> tuple[MonitorAlert, ...]:
    """The alerts of one message: one object, a list, or ``{"alerts": […]}``; odd ones are left out.

    ``registered``: names whose spelling is known (T9).
    """
    items = value.get("alerts", value) if isinstance(value, dict) else value
    listed = items if isinstance(items, list) else [items]
    found = (_alert(item, registered) for item in listed[:ALERTS_MAX] if isinstance(item, dict))
    return tuple(filter(None, found))


def _alert(item: Mapping[str, object], registered: Container[str]) -> MonitorAlert | None:
    try:
        service = canonical_service(check_service(_first(item, _SERVICE)), registered)
    except Refused:
        return None
    message = _first(item, _MESSAGE)
    return MonitorAlert(
        service=service,
        instance=_first(item, ("instance_id",)),
        kind=_first(item, _KIND) or message,
        severity=_first(item, ("severity", "level")).lower(),
        message=message,
        value=_number(item, "value", "current_value"),
        threshold=_number(item, "threshold"),
        over=item.get("resolved") is True or _first(item, _STATE).lower() in _OVER,
    )


def _first(item: Mapping[str, object], keys: tuple[str, ...]) -> str:
    """The first text under one of the keys, without what cannot be shown."""
    for key in keys:
        text = item.get(key)
        if isinstance(text, str) and text.strip():
            shown = "".join(char for char in text if char.isprintable())
            return shown.encode(errors="replace").decode().strip()[:_TEXT_CHARS_MAX]
    return ""


def _number(item: Mapping[str, object], *keys: str) -> float | None:
    for key in keys:
        try:
            number = parse_value(item[key], field=key)
        except (KeyError, Refused):
            continue
        if math.isfinite(number):
            return number
    return None
