"""Series and samples that a home's machines might send, the same ones in every round."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from alicia.series.labels import INSTANCE, NAME, SERVICE, LabelSet
from alicia.series.samples import SampleList
from alicia.tsdb.store import Batch

INTERVAL_MS = 15_000
METRICS_PER_INSTANCE = 50
_KINDS = 5  # a third gauge that never changes, counters, and measured values of two decimals


def label_sets(series: int) -> list[LabelSet]:
    """Fifty metrics of each of so many instances, ten instances to a service."""
    return [
        LabelSet(
            {
                NAME: f"metric_{i % METRICS_PER_INSTANCE}_total",
                SERVICE: f"service_{i // (10 * METRICS_PER_INSTANCE)}",
                INSTANCE: f"host-{i // METRICS_PER_INSTANCE}:9100",
                "room": f"room_{i // METRICS_PER_INSTANCE % 8}",
            }
        )
        for i in range(series)
    ]


def scrapes(series: int, *, start_ms: int, count: int) -> Iterator[tuple[int, NDArray[np.float64]]]:
    """Time and the value of every series, scrape by scrape.

    Of five series one never changes, two count requests, two are measured to two decimals.
    """
    random = np.random.default_rng(7)
    kind = np.arange(series) % _KINDS
    values = np.round(random.uniform(0, 100, series), 2)
    counts, measured = np.isin(kind, (1, 2)), kind > 2
    values[counts] = np.round(values[counts])
    for i in range(count):
        yield start_ms + i * INTERVAL_MS, values.copy()
        values[counts] += random.integers(0, 30, int(counts.sum()))
        steps = random.normal(0, 0.5, int(measured.sum()))
        values[measured] = np.round(values[measured] + steps, 2)


def batches(
    labels: list[LabelSet], *, start_ms: int, count: int, size: int = 1000
) -> Iterator[Batch]:
    """The scrapes as the store takes them, so many samples at once, received when they were."""
    for t_ms, values in scrapes(len(labels), start_ms=start_ms, count=count):
        for first in range(0, len(labels), size):
            samples = SampleList()
            samples.labels = labels[first : first + size]
            samples.values = values[first : first + size].tolist()
            samples.t_ms = [t_ms] * len(samples.labels)
            yield Batch(samples, t_ms)
