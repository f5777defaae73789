"""Status messages as metrics: every numeric leaf becomes a gauge (bus.md §2)."""

import math
from collections.abc import Iterator, Mapping
from typing import Final

LEAVES_MAX: Final = 200
_DEPTH_MAX: Final = 8
# Numbers that describe the message or name a thing, and are no measurement.
_NO_MEASURE: Final = frozenset(
    {"timestamp", "ttl", "message_id", "port", "pid", "hops", "max_hops", "version", "routing"}
)


def numeric_leaves(value: object) -> list[dict[str, object]]:
    """Metric objects as ``decode_metrics`` reads them: ``{"cpu": {"load": 1}}`` is ``cpu_load``.

    Booleans count as 1 and 0; texts and lists are no measurements. At most LEAVES_MAX.
    """
    leaves: list[dict[str, object]] = []
    for path, number in _walk(value, (), 0):
        leaves.append({"name": "_".join(path) or "value", "value": number})
        if len(leaves) == LEAVES_MAX:
            break
    return leaves


def _walk(
    value: object, path: tuple[str, ...], depth: int
) -> Iterator[tuple[tuple[str, ...], float]]:
    if isinstance(value, bool | int | float):
        number = _finite(value)
        if number is not None:
            yield path, number
    elif isinstance(value, Mapping) and depth < _DEPTH_MAX:
        for key, member in value.items():
            if key not in _NO_MEASURE:
                yield from _walk(member, (*path, key), depth + 1)


def _finite(value: float) -> float | None:
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None
