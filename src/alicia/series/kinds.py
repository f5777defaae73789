"""Kinds of metrics; values equal those of the API."""

from enum import StrEnum


class MetricType(StrEnum):
    """What a metric's number means over time."""

    COUNTER = "counter"  # only grows, except for a reset to near zero
    GAUGE = "gauge"  # any number at any time
    HISTOGRAM = "histogram"  # cumulative buckets, sum, count
    SUMMARY = "summary"  # quantiles computed by the sender, sum, count
    UNKNOWN = "unknown"
