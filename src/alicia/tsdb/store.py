"""The metric store: written by one thread, read through matchers.

Samples live in memory: decide (``Head.stage``), then apply. A log belongs between the two, and
callers need not know, since a returned verdict means "written".
"""

from array import array
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from alicia.series.columns import Columns
from alicia.series.labels import NAME, SERVICE, LabelSet
from alicia.series.matchers import Matcher, MatchOp
from alicia.series.samples import Metadata, Sample, is_stale
from alicia.tsdb.cardinality import Cardinality, Culprit
from alicia.tsdb.head import Batch, Head, Limits
from alicia.tsdb.index import Index
from alicia.tsdb.metadata import COMPOUND_SUFFIXES, MetadataTable
from alicia.tsdb.verdict import Verdict

_SAMPLE_BYTES: Final = 16
_ACCUSED_BY_MAX: Final = 1000  # series looked at to find the label that varies
EXPIRE_SLICE: Final = 2000
LOOKBACK_MS: Final = 5 * 60 * 1000


@dataclass(frozen=True, slots=True)
class StoreStats:
    """Sizes of the store; times are None while it is empty."""

    series: int
    samples: int
    bytes: int
    oldest_ms: int | None
    newest_ms: int | None
    refused: Mapping[str, int]  # refused series by service
    culprits: tuple[Culprit, ...]


class Store:
    """All series of the product; fits ``promql.ports.Querier``."""

    def __init__(self, limits: Limits) -> None:
        self._head = Head(limits)
        self._index = Index()
        self._metadata = MetadataTable(entries_max=limits.max_series)
        self._cardinality = Cardinality()

    def write(self, batch: Batch) -> tuple[Verdict, ...]:
        """Take a batch: one verdict per sample, in order; a bad one never fails its neighbours."""
        staged = self._head.stage(batch)
        self._head.apply(staged, received_ms=batch.received_ms)
        for labels in staged.born:
            self._index.add(labels)
            self._cardinality.born(labels, now_ms=batch.received_ms)
        for labels in staged.refused:
            self._cardinality.refused(labels, now_ms=batch.received_ms)
        for (service, metric), metadata in batch.metadata.items():
            self._metadata.describe(service, metric, metadata)
        return staged.verdicts

    def expire(self, now_ms: int) -> Iterator[int]:
        """Drop what is older than RETENTION, EXPIRE_SLICE series at each step.

        A step tells how many series ended; between two of them others may read and write.
        """
        floor_ms = now_ms - self._head.limits.retention_ms
        series = self._head.label_sets()
        self._head.sizes.begin()
        for start in range(0, len(series), EXPIRE_SLICE):
            gone = self._head.expire(series[start : start + EXPIRE_SLICE], floor_ms)
            for labels in gone:
                self._index.remove(labels)
            for family in {self._family_key(labels) for labels in gone}:
                self._forget_if_ended(*family)
            yield len(gone)
        self._head.sizes.end()

    def select(self, matchers: tuple[Matcher, ...], start_ms: int, end_ms: int) -> Columns:
        """Samples from ``start_ms`` to ``end_ms``, both inclusive, markers included.

        Series without a sample there are left out; the others come in order of creation.
        """
        return self.select_of(self._index.find(matchers), start_ms, end_ms)

    def select_of(self, series: Iterable[LabelSet], start_ms: int, end_ms: int) -> Columns:
        """As select(), for given series, of which some may have ended meanwhile."""
        labels: list[LabelSet] = []
        offsets, times, values = [0], array("q"), array("d")
        for found in series:
            ring = self._head.find(found)
            if ring is None:
                continue
            t_ms, value = ring.span(start_ms, end_ms)
            if t_ms:
                labels.append(found)
                times += t_ms
                values += value
                offsets.append(len(times))
        return Columns(
            tuple(labels),
            np.array(offsets, dtype=np.int64),
            np.frombuffer(times, dtype=np.int64) if times else np.empty(0, np.int64),
            np.frombuffer(values, dtype=np.float64) if values else np.empty(0, np.float64),
        )

    def latest(
        self, matchers: tuple[Matcher, ...], at_ms: int, lookback_ms: int = LOOKBACK_MS
    ) -> list[Sample]:
        """Per series its newest sample with at - lookback < t <= at; none where it is a marker.

        Source: metrics.md §3.
        """
        return self.latest_of(self._index.find(matchers), at_ms, lookback_ms)

    def latest_of(
        self, series: Iterable[LabelSet], at_ms: int, lookback_ms: int = LOOKBACK_MS
    ) -> list[Sample]:
        """As latest(), for given series, of which some may have ended meanwhile."""
        found = []
        for labels in series:
            ring = self._head.find(labels)
            newest = ring.newest_until(at_ms) if ring else None
            if newest and newest[0] > at_ms - lookback_ms and not is_stale(newest[1]):
                found.append(Sample(labels, *newest))
        return found

    def newest(self, labels: LabelSet) -> Sample:
        """The newest sample of an existing series, be it a marker."""
        ring = self._head.ring(labels)
        t_ms = ring.newest_ms
        value = ring.at(t_ms)
        assert value is not None, "a series has a sample"
        return Sample(labels, t_ms, value)

    def samples(
        self, labels: LabelSet, *, start_ms: int | None = None, end_ms: int | None = None
    ) -> list[Sample]:
        """The samples of an existing series in time, bounds inclusive, None being open."""
        ring = self._head.ring(labels)
        start = ring.oldest_ms if start_ms is None else start_ms
        end = ring.newest_ms if end_ms is None else end_ms
        return [
            Sample(labels, t_ms, value) for t_ms, value in zip(*ring.span(start, end), strict=True)
        ]

    def series(self, matchers: tuple[Matcher, ...]) -> list[LabelSet]:
        """The label sets that match, in order of creation."""
        return self._index.find(matchers)

    def number(self, labels: LabelSet) -> int:
        """A series' place in the order of creation, for paging."""
        return self._index.number(labels)

    def label_values(self, name: str) -> list[str]:
        """Every value of a label in use, sorted."""
        return self._index.values(name)

    def metadata(self, service: str, metric: str) -> Metadata:
        """Type, unit and help of a metric; a guess by its name where nobody said."""
        return self._metadata.of(service, metric)

    def family(self, labels: LabelSet) -> tuple[str, Metadata]:
        """The metric that a series belongs to, and what is known of it."""
        return self._metadata.family(labels.get(SERVICE, ""), labels.name)

    def all_metadata(self) -> list[tuple[str, str, Metadata]]:
        """Service, metric and metadata of everything that was described."""
        return self._metadata.items()

    @property
    def series_count(self) -> int:
        """How many series there are."""
        return len(self._head)

    def series_per_service(self) -> Mapping[str, int]:
        """How many series each service has, "" for those without a service; a live view."""
        return self._head.per_service()

    def stats(self, now_ms: int) -> StoreStats:
        """Sizes now; the times are those of the last expire() and of what was written since."""
        sizes = self._head.sizes
        return StoreStats(
            len(self._head),
            sizes.samples,
            sizes.samples * _SAMPLE_BYTES,
            sizes.span.oldest_ms,
            sizes.span.newest_ms,
            self._cardinality.refusals(),
            tuple(map(self._culprit, self._cardinality.suspects(now_ms=now_ms))),
        )

    def _culprit(self, service: str) -> Culprit:
        existing = self._index.find((Matcher(SERVICE, MatchOp.EQUAL, service),))
        return self._cardinality.accuse(service, existing[-_ACCUSED_BY_MAX:])

    def _family_key(self, labels: LabelSet) -> tuple[str, str]:
        service = labels.get(SERVICE, "")
        return service, self._metadata.family(service, labels.name)[0]

    def _forget_if_ended(self, service: str, metric: str) -> None:
        of_service = Matcher(SERVICE, MatchOp.EQUAL, service)
        names = (metric, *(metric + suffix for suffix in COMPOUND_SUFFIXES))
        if not any(
            self._index.find((of_service, Matcher(NAME, MatchOp.EQUAL, name))) for name in names
        ):
            self._metadata.forget(service, metric)
