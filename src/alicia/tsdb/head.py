"""The series in memory: a batch is staged by pure judgement, then applied."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, NamedTuple

from alicia.base.limits import TOO_FAR_AHEAD_MS
from alicia.series.labels import SERVICE, LabelSet
from alicia.series.samples import Metadata, Sample
from alicia.tsdb.ring import Ring
from alicia.tsdb.sizes import Sizes
from alicia.tsdb.verdict import Verdict, judge


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of the store; each is the setting of the same name."""

    retention_ms: int = 3_600_000
    max_samples_per_series: int = 1000
    max_series: int = 200_000
    max_series_per_service: int = 10_000


# NamedTuples where one is built for every message: they cost half of a frozen dataclass.
class Batch(NamedTuple):
    """Samples that were received together, with the time of receipt (wall clock, ms)."""

    samples: Sequence[Sample]
    received_ms: int
    metadata: Mapping[tuple[str, str], Metadata] = MappingProxyType({})


class Staged(NamedTuple):
    """What applying a batch will do; nothing has changed yet.

    ``puts`` are the samples to store, ``born`` the series they create, in order of creation.
    """

    verdicts: tuple[Verdict, ...]
    puts: Sequence[Sample]
    born: Sequence[LabelSet]
    refused: Sequence[LabelSet]


class Head:
    """All series by label set. ``stage`` decides and changes nothing; ``apply`` cannot fail."""

    def __init__(self, limits: Limits) -> None:
        self.limits: Final = limits
        self._rings: dict[LabelSet, Ring] = {}
        self._per_service: Counter[str] = Counter()
        self.sizes: Final = Sizes()

    def __len__(self) -> int:
        return len(self._rings)

    def ring(self, labels: LabelSet) -> Ring:
        """The samples of an existing series."""
        return self._rings[labels]

    def find(self, labels: LabelSet) -> Ring | None:
        """The samples of a series; None where there is none."""
        return self._rings.get(labels)

    def per_service(self) -> Mapping[str, int]:
        """Series by service, "" for those without."""
        return self._per_service

    def stage(self, batch: Batch) -> Staged:
        """Judge every sample as if its predecessors in the batch were stored."""
        stage = _Stage(self._rings, self._per_service, self.limits, batch.received_ms)
        verdicts = tuple(map(stage.verdict, batch.samples))
        return Staged(verdicts, stage.puts, tuple(stage.born), stage.refused)

    def apply(self, staged: Staged, *, received_ms: int) -> None:
        """Store what was staged; the head is as it was when ``stage`` looked."""
        for labels in staged.born:
            self._rings[labels] = Ring(self.limits.max_samples_per_series)
            self._per_service[labels.get(SERVICE, "")] += 1
        floor_ms = received_ms - self.limits.retention_ms
        for sample in staged.puts:
            ring = self._rings[sample.labels]
            before = len(ring)
            ring.put(sample.t_ms, sample.value)
            ring.trim(floor_ms)
            self.sizes.wrote(sample.t_ms, grown=len(ring) - before)

    def label_sets(self) -> list[LabelSet]:
        """All series, in order of creation."""
        return list(self._rings)

    def expire(self, series: Iterable[LabelSet], floor_ms: int) -> list[LabelSet]:
        """Drop samples of ``series`` older than ``floor_ms``; those that have none left go.

        Series that ended before are passed over.
        """
        gone = []
        for labels in series:
            ring = self._rings.get(labels)
            if ring is None:
                continue
            before = len(ring)
            ring.trim(floor_ms)
            self.sizes.samples -= before - len(ring)
            if len(ring):
                self.sizes.see(ring.oldest_ms, ring.newest_ms)
            else:
                gone.append(labels)
        self._forget(gone)
        return gone

    def _forget(self, gone: Iterable[LabelSet]) -> None:
        for labels in gone:
            del self._rings[labels]
            service = labels.get(SERVICE, "")
            self._per_service[service] -= 1
            if not self._per_service[service]:
                del self._per_service[service]


class _Stage:
    """One batch being judged: the head as it is, and what the batch has added so far."""

    __slots__ = (
        "_ahead", "_born_per_service", "_ceiling_ms", "_floor_ms", "_limits", "_per_service",
        "_rings", "born", "puts", "refused",
    )  # fmt: skip

    def __init__(
        self,
        rings: Mapping[LabelSet, Ring],
        per_service: Mapping[str, int],
        limits: Limits,
        received_ms: int,
    ) -> None:
        self._rings = rings
        self._per_service = per_service
        self._limits = limits
        self._floor_ms = received_ms - limits.retention_ms
        self._ceiling_ms = received_ms + TOO_FAR_AHEAD_MS
        self._ahead: dict[tuple[LabelSet, int], float] = {}  # put by this batch
        self._born_per_service: dict[str, int] = {}
        self.born: dict[LabelSet, None] = {}
        self.puts: list[Sample] = []
        self.refused: list[LabelSet] = []

    def verdict(self, sample: Sample) -> Verdict:
        ring = self._rings.get(sample.labels)
        held = self._ahead.get((sample.labels, sample.t_ms)) if self._ahead else None
        if held is None and ring is not None:
            held = ring.at(sample.t_ms)
        verdict = judge(sample, held=held, floor_ms=self._floor_ms, ceiling_ms=self._ceiling_ms)
        if verdict is not Verdict.STORED:
            return verdict
        if ring is None and sample.labels not in self.born:
            verdict = self._birth(sample.labels)
            if verdict is not Verdict.STORED:
                self.refused.append(sample.labels)
                return verdict
        self._ahead[sample.labels, sample.t_ms] = sample.value
        self.puts.append(sample)
        return Verdict.STORED

    def _birth(self, labels: LabelSet) -> Verdict:
        service = labels.get(SERVICE, "")
        if len(self._rings) + len(self.born) >= self._limits.max_series:
            return Verdict.SERIES_LIMIT
        born = self._born_per_service.get(service, 0)
        if self._per_service.get(service, 0) + born >= self._limits.max_series_per_service:
            return Verdict.SERVICE_SERIES_LIMIT
        self.born[labels] = None
        self._born_per_service[service] = born + 1
        return Verdict.STORED
