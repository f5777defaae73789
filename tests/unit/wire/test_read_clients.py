"""What the Prometheus client for Python writes is read as it was meant."""

from collections import Counter as Bag
from collections.abc import Callable

import prometheus_client
import pytest
from prometheus_client import CollectorRegistry, Counter, Enum, Gauge, Histogram, Info, Summary
from prometheus_client.openmetrics import exposition as openmetrics

from alicia.series.kinds import MetricType
from alicia.series.labels import LabelSet
from alicia.series.samples import bits
from alicia.wire.read_exposition import Exposition, read_text
from alicia.wire.read_openmetrics import read_openmetrics
from alicia.wire.read_series import SeriesTexts


def filled() -> CollectorRegistry:
    registry = CollectorRegistry()
    rows = Counter("rows", 'Rows "written"\\\n.', ["table"], registry=registry)
    rows.labels('a "b"\n\\').inc(3, exemplar={"trace": "x"})
    rows.labels("é").inc(2)
    for value in (float("nan"), float("inf"), -0.0):
        Gauge(f"g{value}".replace("-", "m").replace(".", "_"), "", registry=registry).set(value)
    Gauge("room.climate", "Degrees.", ["a.b"], registry=registry, unit="celsius").labels("x").set(1)
    Histogram("took_seconds", "", registry=registry, buckets=(1, 2.5, 1e6)).observe(2)
    Summary("size_bytes", "", registry=registry).observe(10)
    Info("build", "", registry=registry).info({"version": "1"})
    Enum("phase", "", registry=registry, states=["idle", "busy"]).state("busy")
    return registry


@pytest.mark.parametrize(
    ("write", "read"),
    [
        (prometheus_client.generate_latest, read_text),
        (openmetrics.generate_latest, read_openmetrics),
    ],
)
def test_all_kinds_of_metrics_are_read(
    write: Callable[..., bytes], read: Callable[[bytes, SeriesTexts], Exposition]
) -> None:
    registry = filled()
    found = read(write(registry, escaping="allow-utf-8"), SeriesTexts())
    meant = [sample for family in registry.collect() for sample in family.samples]
    assert Bag((row.labels, f"{row.value}") for row in found.rows) == Bag(
        (LabelSet({**sample.labels, "__name__": sample.name}), f"{float(sample.value)}")
        for sample in meant
    )
    types = {name: data.type for name, data in found.metadata.items()}
    assert (types["rows_total"], types["took_seconds"], types["size_bytes"]) == (
        MetricType.COUNTER,
        MetricType.HISTOGRAM,
        MetricType.SUMMARY,
    )
    assert found.metadata["rows_total"].help == 'Rows "written"\\\n.'
    (zero,) = (row for row in found.rows if row.labels.name == "gm0_0")
    assert bits(zero.value) == -(2**63)
