"""The store against a dictionary: whatever is written, the same is read."""

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from alicia.series.labels import LabelSet
from alicia.series.samples import STALE, Sample, bits, is_stale
from alicia.tsdb.head import Batch, Limits
from alicia.tsdb.store import Store
from alicia.tsdb.verdict import Verdict

RETENTION = 100
AHEAD = 600_000
START = 10_000_000

_labels = st.builds(
    lambda service, n: LabelSet({"__name__": "x", "service": service, "n": n}),
    st.sampled_from("ab"),
    st.sampled_from("1234"),
)
_values = st.sampled_from([0.0, -0.0, 1.0, 2.5, float("nan"), STALE])
_offsets = st.integers(-RETENTION - 20, 20) | st.sampled_from([AHEAD, AHEAD + 1])


class StoreIsADict(RuleBasedStateMachine):
    """Writes, the passing of time and expiry, in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.now = START
        self.model: dict[LabelSet, dict[int, float]] = {}

    @initialize(
        samples_max=st.integers(1, 8),
        series_max=st.integers(1, 8),
        service_max=st.integers(1, 5),
    )
    def open_store(self, samples_max: int, series_max: int, service_max: int) -> None:
        self.limits = Limits(RETENTION, samples_max, series_max, service_max)
        self.store = Store(self.limits)

    @rule(batch=st.lists(st.tuples(_labels, _offsets, _values), max_size=12))
    def write(self, batch: list[tuple[LabelSet, int, float]]) -> None:
        samples = [Sample(labels, self.now + offset, v) for labels, offset, v in batch]
        verdicts = self.store.write(Batch(samples, self.now))
        # All are judged before any is stored, so that limits of a ring act between batches.
        held = {labels: dict(found) for labels, found in self.model.items()}
        expected = [self._expect(held, sample) for sample in samples]
        assert list(verdicts) == expected
        for sample, verdict in zip(samples, expected, strict=True):
            if verdict is Verdict.STORED:
                found = self.model.setdefault(sample.labels, {})
                found[sample.t_ms] = sample.value
                self._cut(found)

    @rule(passed=st.integers(-10, 60))
    def pass_time(self, passed: int) -> None:
        self.now += passed

    @rule()
    def expire(self) -> None:
        assert sum(self.store.expire(self.now)) == self._expired()
        times = [t for found in self.model.values() for t in found]
        stats = self.store.stats(self.now)
        assert (stats.oldest_ms, stats.newest_ms) == (
            min(times, default=None),
            max(times, default=None),
        )

    def _expired(self) -> int:
        floor = self.now - RETENTION
        for found in self.model.values():
            for t_ms in [t for t in found if t < floor]:
                del found[t_ms]
        before = len(self.model)
        self.model = {labels: found for labels, found in self.model.items() if found}
        return before - len(self.model)

    @invariant()
    def reads_match(self) -> None:
        columns = self.store.select((), 0, START * 2)
        read = {
            labels: [(int(t), bits(float(v))) for t, v in zip(t_ms, values, strict=True)]
            for labels, t_ms, values in columns
        }
        assert read == {
            labels: [(t, bits(found[t])) for t in sorted(found)]
            for labels, found in self.model.items()
        }
        assert self.store.series_count == len(self.model)
        assert self.store.stats(self.now).samples == sum(map(len, self.model.values()))

    def _expect(self, held: dict[LabelSet, dict[int, float]], sample: Sample) -> Verdict:
        if sample.t_ms < self.now - RETENTION:
            return Verdict.TOO_OLD
        if sample.t_ms > self.now + AHEAD:
            return Verdict.TOO_FAR_AHEAD
        before = held.get(sample.labels, {}).get(sample.t_ms)
        if before is not None and bits(before) == bits(sample.value):
            return Verdict.REPEAT
        if before is not None and not is_stale(before):
            return Verdict.DUPLICATE_TIMESTAMP
        if sample.labels not in held:
            if len(held) >= self.limits.max_series:
                return Verdict.SERIES_LIMIT
            of_service = [s for s in held if s["service"] == sample.labels["service"]]
            if len(of_service) >= self.limits.max_series_per_service:
                return Verdict.SERVICE_SERIES_LIMIT
        held.setdefault(sample.labels, {})[sample.t_ms] = sample.value
        return Verdict.STORED

    def _cut(self, found: dict[int, float]) -> None:
        for t_ms in sorted(found)[: max(len(found) - self.limits.max_samples_per_series, 0)]:
            del found[t_ms]
        for t_ms in [t for t in found if t < self.now - RETENTION]:
            del found[t_ms]


TestStoreIsADict = StoreIsADict.TestCase
