"""Reading the store, from any thread."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Final

import numpy as np

from alicia.series.columns import Columns
from alicia.series.labels import LabelSet
from alicia.series.matchers import Matcher
from alicia.series.samples import STALE_BITS, Metadata, Sample
from alicia.tsdb.head import Head, Reading
from alicia.tsdb.kernels.bits import Words
from alicia.tsdb.kernels.head import NEVER_MS
from alicia.tsdb.series_table import Limits, SeriesTable

LOOKBACK_MS: Final = 5 * 60 * 1000
PAIRS: Final = 2000
FAR_MS: Final = 2**62


class StoreReader:
    """What everybody may ask of the store; each answer is of one moment, and the asker's own."""

    def __init__(self, limits: Limits, guard: AbstractContextManager[object], *, seed: int) -> None:
        self._limits = limits
        self._guard = guard
        self._head = Head()
        self._table = SeriesTable(limits, self._head, seed=seed)
        self._floor_ms = NEVER_MS

    def select(self, matchers: tuple[Matcher, ...], start_ms: int, end_ms: int) -> Columns:
        """Samples from ``start_ms`` to ``end_ms``, both inclusive, markers included.

        Series without a sample there are left out; the others come in order of creation.
        """
        return self._columns(lambda: self._table.find(matchers), start_ms, end_ms)

    def select_of(self, series: Sequence[LabelSet], start_ms: int, end_ms: int) -> Columns:
        """As select(), for given series, of which some may have ended meanwhile."""
        return self._columns(lambda: self._table.refs_of(series), start_ms, end_ms)

    def latest(
        self, matchers: tuple[Matcher, ...], at_ms: int, lookback_ms: int = LOOKBACK_MS
    ) -> list[Sample]:
        """Per series its newest sample with at - lookback < t <= at; none where it is a marker.

        Source: metrics.md §3.
        """
        with self._guard:
            return self._latest(self._table.find(matchers), at_ms, lookback_ms)

    def latest_of(
        self, series: Sequence[LabelSet], at_ms: int, lookback_ms: int = LOOKBACK_MS
    ) -> list[Sample]:
        """As latest(), for given series, of which some may have ended meanwhile."""
        with self._guard:
            return self._latest(self._table.refs_of(series), at_ms, lookback_ms)

    def newest(self, labels: LabelSet) -> Sample | None:
        """The newest sample of a series, be it a marker; None where the series has ended."""
        with self._guard:
            refs = self._table.refs_of((labels,))
            if not len(refs):
                return None
            t_ms, values = self._head.last(refs)
            return Sample(labels, int(t_ms[0]), float(values.view(np.float64)[0]))

    def samples(
        self, labels: LabelSet, *, start_ms: int | None = None, end_ms: int | None = None
    ) -> list[Sample]:
        """The samples of a series in time, bounds inclusive, None being open."""
        start = NEVER_MS if start_ms is None else start_ms
        found = self.select_of((labels,), start, FAR_MS if end_ms is None else end_ms)
        return [
            Sample(labels, t_ms, value)
            for t_ms, value in zip(found.t_ms.tolist(), found.values.tolist(), strict=True)
        ]

    def series(self, matchers: tuple[Matcher, ...]) -> list[LabelSet]:
        """The label sets that match, in order of creation."""
        with self._guard:
            return list(map(self._table.catalog.labels, self._table.find(matchers).tolist()))

    def page(
        self, matchers: tuple[Matcher, ...], *, after: int, limit: int
    ) -> list[tuple[int, LabelSet]]:
        """The first ``limit`` matching series that were created after number ``after``.

        Each with its own number, in order; numbers begin with 1 and are never used again.
        """
        with self._guard:
            refs = self._table.find(matchers)
            numbers = self._head.numbers(refs)
            wanted = numbers > after
            refs, numbers = refs[wanted][:limit], numbers[wanted][:limit]
            labels = map(self._table.catalog.labels, refs.tolist())
            return list(zip(numbers.tolist(), labels, strict=True))

    def number(self, labels: LabelSet) -> int:
        """A series' place in the order of creation, for paging; 0 where it has ended."""
        with self._guard:
            numbers = self._head.numbers(self._table.refs_of((labels,)))
            return int(numbers[0]) if len(numbers) else 0

    def label_values(self, name: str) -> list[str]:
        """Every value of a label in use, sorted."""
        with self._guard:
            return self._table.postings.values(name)

    def label_value_count(self, name: str) -> int:
        """How many values of a label are in use."""
        with self._guard:
            return self._table.postings.value_count(name)

    def label_pairs(self) -> Iterator[list[tuple[str, str, int]]]:
        """Label pairs in use, each with the number of series that have it, PAIRS at a step.

        Between two steps others may read and write; what ended meanwhile may be missing.
        """
        with self._guard:
            names = self._table.postings.names()
        for name in names:
            with self._guard:
                values = self._table.postings.unsorted_values(name)
            for start in range(0, len(values), PAIRS):
                part = values[start : start + PAIRS]
                with self._guard:
                    counts = self._table.postings.counts(name, part)
                yield [(name, v, n) for v, n in zip(part, counts, strict=True) if n]

    def metadata(self, service: str, metric: str) -> Metadata:
        """Type, unit and help of a metric; a guess by its name where nobody said."""
        with self._guard:
            return self._table.metadata.of(service, metric)

    def family(self, labels: LabelSet) -> tuple[str, Metadata]:
        """The metric that a series belongs to, and what is known of it."""
        with self._guard:
            return self._table.family(labels)

    def all_metadata(self) -> list[tuple[str, str, Metadata]]:
        """Service, metric and metadata of everything that was described."""
        with self._guard:
            return self._table.metadata.items()

    @property
    def series_count(self) -> int:
        """How many series there are."""
        return len(self._table)

    def series_per_service(self) -> Mapping[str, int]:
        """How many series each service has, "" for those without a service."""
        return self._table.per_service

    def _begin(self, refs: Words, start_ms: int, end_ms: int) -> Reading:
        return self._head.begin_read(
            refs,
            max(start_ms, self._floor_ms),
            end_ms,
            samples_max=self._limits.max_samples_per_series,
        )

    def _columns(self, find: Callable[[], Words], start_ms: int, end_ms: int) -> Columns:
        """Blocks are read without the guard; who ended meanwhile is left out."""
        with self._guard:
            refs = find()
            numbers = self._head.numbers(refs)
            reading = self._begin(refs, start_ms, end_ms)
        runs = reading.finish()
        with self._guard:
            lives = self._head.numbers(refs) == numbers
            held = np.flatnonzero(lives & (np.diff(runs.offsets) > 0))
            labels = tuple(map(self._table.catalog.labels, refs[held].tolist()))
        if not lives.all():
            runs = runs.of(lives)
        return Columns(
            labels,
            np.unique(runs.offsets) if len(held) else np.zeros(1, np.int64),
            runs.t_ms,
            runs.values.view(np.float64),
        )

    def _latest(self, refs: Words, at_ms: int, lookback_ms: int) -> list[Sample]:
        start_ms = max(at_ms - lookback_ms + 1, self._floor_ms)
        t_ms, values = (column.copy() for column in self._head.last(refs))
        ahead = np.flatnonzero(t_ms > at_ms)
        if len(ahead):
            runs = self._begin(refs[ahead], start_ms, at_ms).finish()
            held = np.diff(runs.offsets) > 0
            t_ms[ahead] = NEVER_MS
            ends = runs.offsets[1:][held] - 1
            t_ms[ahead[held]], values[ahead[held]] = runs.t_ms[ends], runs.values[ends]
        found = np.flatnonzero((t_ms >= start_ms) & (values != STALE_BITS))
        floats = values.view(np.float64)
        return [
            Sample(self._table.catalog.labels(ref), t, value)
            for ref, t, value in zip(
                refs[found].tolist(), t_ms[found].tolist(), floats[found].tolist(), strict=True
            )
        ]
