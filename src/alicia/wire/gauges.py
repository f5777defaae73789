"""Status messages as metrics: every numeric leaf becomes a gauge (bus.md §2)."""

import math
from collections.abc import Iterator, Mapping
from typing import Final

from alicia.base.errors import BadField
from alicia.base.times import parse_time_ms
from alicia.wire.values import number_in

LEAVES_MAX: Final = 200
_DEPTH_MAX: Final = 8
# Numbers that describe the message or name a thing, and are no measurement; and copies of what
# somebody else sent.
_NO_MEASURE: Final = frozenset(
    {"timestamp", "ttl", "message_id", "port", "pid", "hops", "max_hops", "version", "routing",
     "request_data", "instance_id", "device_id"}
)  # fmt: skip


def numeric_leaves(
    value: object, *, labels: Mapping[str, str] | None = None, texts: bool = False
) -> list[dict[str, object]]:
    """Metric objects as ``decode_metrics`` reads them: ``{"cpu": {"load": 1}}`` is ``cpu_load``.

    Booleans count as 1 and 0; with ``texts`` a text that is a number (T1) counts too; other texts
    and lists are no measurements. Every metric gets ``labels``. At most LEAVES_MAX.
    """
    leaves: list[dict[str, object]] = []
    for path, number in _walk(value, (), 0, texts=texts):
        leaf: dict[str, object] = {"name": "_".join(path) or "value", "value": number}
        if labels:
            leaf["labels"] = labels
        leaves.append(leaf)
        if len(leaves) == LEAVES_MAX:
            break
    return leaves


def metric_body(value: object, metrics: list[dict[str, object]]) -> dict[str, object]:
    """A body for ``decode_metrics`` of metrics found in ``value``, and who and when it tells.

    A time that cannot be read is no reason to lose the metrics.
    """
    if not isinstance(value, Mapping):
        return {"metrics": metrics}
    named = value.get("service_name") or value.get("service")
    return {
        "metrics": metrics,
        "service_name": named if isinstance(named, str) else None,
        "instance_id": value.get("instance_id") or None,
        "timestamp": _time(value.get("timestamp")),
    }


def _walk(
    value: object, path: tuple[str, ...], depth: int, *, texts: bool
) -> Iterator[tuple[tuple[str, ...], float]]:
    if isinstance(value, str):
        number = number_in(value) if texts else None
        if number is not None:
            yield path, number
    elif isinstance(value, bool | int | float):
        number = _finite(value)
        if number is not None:
            yield path, number
    elif isinstance(value, Mapping) and depth < _DEPTH_MAX:
        for key, member in value.items():
            if key not in _NO_MEASURE:
                yield from _walk(member, (*path, key), depth + 1, texts=texts)


def _finite(value: float) -> float | None:
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def _time(raw: object) -> object:
    if not isinstance(raw, str | int | float):
        return None
    try:
        parse_time_ms(raw)
    except BadField:
        return None
    return raw
