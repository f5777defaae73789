"""Kinds of metrics; values equal those of the API."""

from enum import StrEnum
from typing import Final


class MetricType(StrEnum):
    """What a metric's number means over time."""

    COUNTER = "counter"  # only grows, except for a reset to near zero
    GAUGE = "gauge"  # any number at any time
    HISTOGRAM = "histogram"  # cumulative buckets, sum, count
    SUMMARY = "summary"  # quantiles computed by the sender, sum, count
    UNKNOWN = "unknown"


# Services of the fleet count under these names without saying so (bus.md, T10).
_COUNTED: Final = frozenset({"messages_processed", "errors"})


def usual_type(name: str) -> MetricType:
    """The type of a metric whose sender named none."""
    return MetricType.COUNTER if name.endswith("_total") or name in _COUNTED else MetricType.GAUGE
