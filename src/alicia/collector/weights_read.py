"""How an instance did lately, from the metrics that it reports."""

import math
from typing import Final

import numpy as np

from alicia.collector.service_stats import ERRORS, LATENCIES, REQUESTS, mean_rate
from alicia.collector.view import equal
from alicia.fleet.weights import Load
from alicia.series.columns import Columns
from alicia.series.labels import INSTANCE, NAME, SERVICE
from alicia.tsdb.store import Store
from alicia.tsdb.trend import distribution

WINDOW_MS: Final = 5 * 60_000
# Shares of a resource in use, in percent; the scarcest counts.
_SATURATIONS: Final = ("saturation_percent", "cpu_percent", "queue_percent")
_BUCKET: Final = "_bucket"


def read_load(store: Store, service: str, instance: str, *, now_ms: int, degraded: bool) -> Load:
    """Latency, errors and saturation of one instance over the last WINDOW_MS."""
    reader = _Reader(store, service, instance, now_ms)
    return Load(reader.p95_seconds(), reader.error_ratio(), reader.saturation(), degraded)


class _Reader:
    def __init__(self, store: Store, service: str, instance: str, now_ms: int) -> None:
        self._store = store
        self._of = (equal(SERVICE, service), equal(INSTANCE, instance))
        self._now_ms = now_ms

    def p95_seconds(self) -> float | None:
        """By a histogram if there is one, else by the samples of a gauge."""
        for name in LATENCIES:
            unit = 1000 if name.endswith("_ms") else 1
            found = _quantile(self._columns(name + _BUCKET), 0.95)
            if found is None:
                tails = [shape.p95 for _, _, values in self._columns(name)
                         if (shape := distribution(values)) is not None]  # fmt: skip
                found = max(tails, default=None)
            if found is not None and math.isfinite(found) and found >= 0:
                return found / unit
        return None

    def error_ratio(self) -> float | None:
        """Failed requests by all; None without requests."""
        requests, errors = self._rate(REQUESTS), self._rate(ERRORS)
        if not requests or errors is None:
            return None
        return min(errors / requests, 1.0)

    def saturation(self) -> float | None:
        """The mean use of the scarcest resource."""
        means = [
            shape.avg / 100
            for name in _SATURATIONS
            for _, _, values in self._columns(name)
            if (shape := distribution(values)) is not None and math.isfinite(shape.avg)
        ]
        return min(max(max(means), 0.0), 1.0) if means else None

    def _columns(self, name: str) -> Columns:
        matchers = (*self._of, equal(NAME, name))
        return self._store.select(matchers, self._now_ms - WINDOW_MS, self._now_ms)

    def _rate(self, names: tuple[str, ...]) -> float | None:
        for name in names:
            found = [
                value
                for _, t_ms, values in self._columns(name)
                if (value := mean_rate(t_ms, values)) is not None and math.isfinite(value)
            ]
            if found:
                return sum(found)
        return None


def _quantile(buckets: Columns, q: float) -> float | None:
    """The bound that a share ``q`` of the observations of the window stays below.

    Linear inside a bucket; the last finite bound where it lies above all. None without any.
    """
    grown: dict[float, float] = {}
    for labels, t_ms, values in buckets:
        rate = mean_rate(t_ms, values)
        bound = _bound(labels.get("le", ""))
        if rate is not None and bound is not None:
            grown[bound] = grown.get(bound, 0.0) + rate
    bounds = sorted(grown)
    if len(bounds) < 2 or bounds[-1] != math.inf or not grown[math.inf] > 0:
        return None
    counts = np.maximum.accumulate([grown[bound] for bound in bounds])
    rank = q * counts[-1]
    i = int(np.searchsorted(counts, rank))
    if i == len(bounds) - 1:
        return bounds[-2]
    low, below = (bounds[i - 1], counts[i - 1]) if i else (0.0, 0.0)
    share = (rank - below) / (counts[i] - below) if counts[i] > below else 1.0
    return float(low + (bounds[i] - low) * share)


def _bound(text: str) -> float | None:
    try:
        bound = float(text)
    except ValueError:
        return None
    return None if math.isnan(bound) else bound
