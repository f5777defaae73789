"""The numbers of ``GET /stats/{service}``: every metric of one service over a window."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Final

from alicia.base.times import seconds
from alicia.series.columns import Columns
from alicia.series.kinds import MetricType
from alicia.series.labels import INSTANCE, SERVICE, LabelSet
from alicia.series.samples import Metadata
from alicia.tsdb.trend import Floats, Times, Trend, distribution, rates, trend

# Names under which services of the fleet report these, the first found counts.
REQUESTS: Final = ("requests_total", "http_requests_total", "request_count", "requests",
                    "messages_processed")  # fmt: skip
ERRORS: Final = ("errors_total", "http_errors_total", "error_count", "errors")
LATENCIES: Final = ("latency_seconds", "response_time_seconds", "request_duration_seconds",
                     "latency_ms", "response_time_ms", "response_time", "latency")  # fmt: skip


def service_stats(
    service: str, columns: Columns, known: Mapping[LabelSet, Metadata], *, window_ms: int
) -> dict[str, object]:
    """Statistics of each series of a service; ``columns`` are its samples in the window.

    The key is the metric's name where it has one series, else the series as text. ``known``
    tells of every series its metric. Pure, since for many series it is work for a thread.
    """
    names = _short_names(columns.labels)
    found: dict[str, dict[str, object]] = {}
    for labels, t_ms, values in columns:
        row = _row(labels, known[labels], t_ms, values, window_ms)
        if row is not None:
            found[names[labels]] = row
    return {
        "service_name": service,
        "window": window_ms / 1000,
        "metrics": found,
        **_golden(columns, known),
    }


def _row(
    labels: LabelSet, metadata: Metadata, t_ms: Times, values: Floats, window_ms: int
) -> dict[str, object] | None:
    shape = distribution(values)
    if shape is None:
        return None
    counts = metadata.type in (MetricType.COUNTER, MetricType.HISTOGRAM) or (
        metadata.type is MetricType.SUMMARY and labels.name.endswith(("_count", "_sum"))
    )
    row: dict[str, object] = {**asdict(shape), "metric_type": metadata.type.value}
    line_t, line_v = t_ms, values
    if counts:
        line_t, line_v = rates(t_ms, values)
        row["rate"] = mean_rate(t_ms, values)
    line = trend(line_t, line_v, window_ms=window_ms, unit=metadata.unit)
    row["trend"] = None if line is None else _trend(line)
    return row


def _trend(line: Trend) -> dict[str, object]:
    return {
        "slope_per_hour": line.slope_per_hour,
        "r2": line.r2,
        "direction": line.direction,
        "forecast": [
            {"t": seconds(point.t_ms), "value": point.value, "low": point.low, "high": point.high}
            for point in line.forecast
        ],
        # The baseline needs three days of the same hour; raw samples never span that long.
        "anomaly_score": None,
    }


def _golden(columns: Columns, known: Mapping[LabelSet, Metadata]) -> dict[str, object]:
    """Request rate, error rate and latency, where the service reports them."""
    requests = _rate_of(columns, REQUESTS)
    errors = _rate_of(columns, ERRORS)
    return {
        "request_rate": requests,
        "error_rate": errors / requests if errors is not None and requests else None,
        "latency": _latency(columns, known),
    }


def _rate_of(columns: Columns, names: tuple[str, ...]) -> float | None:
    for name in names:
        rate = [
            value
            for labels, t_ms, values in columns
            if labels.name == name and (value := mean_rate(t_ms, values)) is not None
        ]
        if rate:
            return sum(rate)
    return None


def _latency(columns: Columns, known: Mapping[LabelSet, Metadata]) -> Mapping[str, object] | None:
    for name in LATENCIES:
        for labels, _, values in columns:
            if labels.name == name and (shape := distribution(values)) is not None:
                return {
                    "metric": name,
                    "unit": known[labels].unit,
                    "p50": shape.median,
                    "p95": shape.p95,
                    "p99": shape.p99,
                }
    return None


def mean_rate(t_ms: Times, values: Floats) -> float | None:
    """Growth per second of a counter over all its samples; None for fewer than 2."""
    if len(values) < 2:
        return None
    times, per_second = rates(t_ms, values)
    spans = (times - t_ms[:-1]) / 1000
    return float((per_second * spans).sum() / spans.sum())


def _short_names(series: tuple[LabelSet, ...]) -> dict[LabelSet, str]:
    counts: dict[str, int] = {}
    for labels in series:
        counts[labels.name] = counts.get(labels.name, 0) + 1
    instances = {labels.get(INSTANCE, "") for labels in series}
    hidden = (SERVICE, INSTANCE) if len(instances) == 1 else (SERVICE,)
    return {
        labels: labels.name if counts[labels.name] == 1 else str(labels.without(*hidden))
        for labels in series
    }
