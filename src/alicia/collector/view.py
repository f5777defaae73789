"""Stored samples in the shapes of the API."""

import math

from alicia.base.times import seconds
from alicia.series.kinds import MetricType
from alicia.series.labels import INSTANCE, NAME, SERVICE, LabelSet
from alicia.series.matchers import Matcher, MatchOp
from alicia.series.samples import Sample
from alicia.tsdb.metadata import COMPOUND_SUFFIXES
from alicia.tsdb.store import Store

_OURS = (NAME, SERVICE, INSTANCE)


def metric_row(sample: Sample, store: Store) -> dict[str, object]:
    """One sample as ``GET /metrics`` lists it; a value that JSON cannot hold is null."""
    labels = sample.labels
    metadata = store.family(labels)[1]
    row: dict[str, object] = {
        "name": labels.name,
        "value": sample.value if math.isfinite(sample.value) else None,
        "timestamp": seconds(sample.t_ms),
        "labels": {name: value for name, value in labels.pairs if name not in _OURS},
        "metric_type": metadata.type.value,
        "service_name": labels.get(SERVICE, ""),
        "instance_id": labels.get(INSTANCE, ""),
    }
    if metadata.unit:
        row["unit"] = metadata.unit
    return row


def equal(name: str, value: str) -> Matcher:
    """A matcher for exactly one value."""
    return Matcher(name, MatchOp.EQUAL, value)


def series_of_metric(store: Store, service: str, metric: str) -> list[LabelSet]:
    """The series of one metric of a service; of a histogram or summary with all their parts."""
    compound = store.metadata(service, metric).type in (MetricType.HISTOGRAM, MetricType.SUMMARY)
    names = (metric, *(metric + suffix for suffix in COMPOUND_SUFFIXES if compound))
    of_service = equal(SERVICE, service)
    return [labels for name in names for labels in store.series((of_service, equal(NAME, name)))]
