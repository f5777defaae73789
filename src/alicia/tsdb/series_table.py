"""Which series live: found by labels or matchers, begun within the limits, ended."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from alicia.series.labels import JOB, NAME, SERVICE, LabelSet, service_of
from alicia.series.matchers import Matcher, MatchOp
from alicia.series.samples import Metadata
from alicia.tsdb.cardinality import Cardinality, Culprit
from alicia.tsdb.catalog import Catalog
from alicia.tsdb.head import Head
from alicia.tsdb.identity import decode_labels, encode_labels
from alicia.tsdb.kernels.bits import Words
from alicia.tsdb.metadata import COMPOUND_SUFFIXES, MetadataTable
from alicia.tsdb.postings import Postings
from alicia.tsdb.verdict import Verdict

_ACCUSED_BY_MAX: Final = 1000  # series looked at to find the label that varies


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of the store; each is the setting of the same name."""

    retention_ms: int = 3_600_000
    max_samples_per_series: int = 1000
    max_series: int = 200_000
    max_series_per_service: int = 10_000


class SeriesTable:
    """All series by reference, with what is known of their metrics; their samples are in ``head``.

    ``seed`` is a secret number that keeps peers from choosing labels that collide.
    """

    def __init__(self, limits: Limits, head: Head, *, seed: int) -> None:
        self._limits = limits
        self._head = head
        self.catalog: Final = Catalog(seed)
        self.postings: Final = Postings(self.catalog.labels)
        self.metadata: Final = MetadataTable(entries_max=limits.max_series)
        self.cardinality: Final = Cardinality()
        self._per_service: Counter[str] = Counter()

    def __len__(self) -> int:
        return len(self.catalog)

    @property
    def per_service(self) -> Mapping[str, int]:
        """How many series each service has, "" for those without a service; a live view."""
        return self._per_service

    def find(self, matchers: tuple[Matcher, ...]) -> Words:
        """The references of the series that match, in order of creation."""
        refs = self.postings.find(matchers)
        return refs[np.argsort(self._head.numbers(refs))]

    def refs_of(self, series: Sequence[LabelSet]) -> Words:
        """The references of those of the series that live."""
        refs = np.array([self.catalog.find(labels) for labels in series], np.int64)
        return refs[refs >= 0]

    def begin(self, labels: LabelSet, *, now_ms: int) -> int | Verdict:
        """Begin a series, which must be new: its reference, or the limit that forbids it."""
        if len(self.catalog) >= self._limits.max_series:
            limit = Verdict.SERIES_LIMIT
        elif self._per_service[service_of(labels)] >= self._limits.max_series_per_service:
            limit = Verdict.SERVICE_SERIES_LIMIT
        else:
            self.cardinality.born(labels, now_ms=now_ms)
            return self._begin(labels, encode_labels(labels))
        self.cardinality.refused(labels, now_ms=now_ms)
        return limit

    def restore(self, key: bytes) -> int:
        """The series of its own key, begun if it is not there: limits are for what is new."""
        ref = self.catalog.find_key(key)
        return ref if ref >= 0 else self._begin(decode_labels(key), key)

    def _begin(self, labels: LabelSet, key: bytes) -> int:
        ref = self.catalog.add(key)
        self._head.open(ref)
        self.postings.add(ref, labels)
        self._per_service[service_of(labels)] += 1
        return ref

    def end(self, refs: Words) -> None:
        """Forget series and their samples, and what was known of metrics that have none left."""
        series = [(ref, self.catalog.labels(ref)) for ref in refs.tolist()]
        self.postings.remove(series)
        self.catalog.release(refs)
        self._head.release(refs)
        for _, labels in series:
            service = service_of(labels)
            self._per_service[service] -= 1
            if not self._per_service[service]:
                del self._per_service[service]
        for family in {self._family_key(labels) for _, labels in series}:
            self._forget_if_ended(*family)

    def family(self, labels: LabelSet) -> tuple[str, Metadata]:
        """The metric that a series belongs to, and what is known of it."""
        return self.metadata.family(labels.get(SERVICE, ""), labels.name)

    def culprits(self, now_ms: int) -> tuple[Culprit, ...]:
        """Who makes too many series."""
        return tuple(map(self._culprit, self.cardinality.suspects(now_ms=now_ms)))

    def _culprit(self, service: str) -> Culprit:
        existing = self._of(service)
        labels = map(self.catalog.labels, existing[-_ACCUSED_BY_MAX:].tolist())
        return self.cardinality.accuse(service, labels)

    def _of(self, service: str) -> Words:
        """The series that count as a service's, in order of creation; see service_of()."""
        says, job = (Matcher(label, MatchOp.EQUAL, service) for label in (SERVICE, JOB))
        silent = Matcher(SERVICE, MatchOp.EQUAL, "")
        found = [self.postings.find(matchers) for matchers in ((says,), (silent, job))]
        refs = np.concatenate(found)  # none is in both
        return refs[np.argsort(self._head.numbers(refs))]

    def _family_key(self, labels: LabelSet) -> tuple[str, str]:
        return labels.get(SERVICE, ""), self.family(labels)[0]

    def _forget_if_ended(self, service: str, metric: str) -> None:
        of_service = Matcher(SERVICE, MatchOp.EQUAL, service)
        names = (metric, *(metric + suffix for suffix in COMPOUND_SUFFIXES))
        if not any(
            len(self.postings.find((of_service, Matcher(NAME, MatchOp.EQUAL, name))))
            for name in names
        ):
            self.metadata.forget(service, metric)
