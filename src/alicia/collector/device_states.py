"""What devices say in words, as series: one per state, of which one is 1 (bus.md T12)."""

from collections import OrderedDict
from collections.abc import Mapping
from typing import Final

from alicia.wire.values import number_in

NAME: Final = "device_state"
DEVICES_KEPT: Final = 10_000
_TEXT_CHARS_MAX: Final = 64


class DeviceStates:
    """Remembers the last state of each device, so that leaving it can be written."""

    def __init__(self) -> None:
        self._last: OrderedDict[str, str] = OrderedDict()

    def turn(self, device: str, value: object) -> list[dict[str, object]]:
        """The metrics that a message of ``device`` adds; none where it names no state."""
        state = _state_in(value)
        if not device or not state:
            return []
        metrics = [_metric(device, state, 1)]
        before = self._last.pop(device, state)
        if before != state:
            metrics.append(_metric(device, before, 0))
        if len(self._last) >= DEVICES_KEPT:
            self._last.popitem(last=False)
        self._last[device] = state
        return metrics


def _state_in(value: object) -> str:
    if isinstance(value, Mapping):
        value = value.get("state") or value.get("status")
    if not isinstance(value, str) or not value.isprintable() or number_in(value) is not None:
        return ""
    return value.strip()[:_TEXT_CHARS_MAX]


def _metric(device: str, state: str, value: int) -> dict[str, object]:
    return {"name": NAME, "value": value, "labels": {"device": device, "state": state}}
