"""The store against a dictionary: whatever is written, the same is read."""

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from alicia.series.labels import LabelSet
from alicia.series.samples import STALE, Sample, bits, is_stale
from alicia.tsdb.series_table import Limits
from alicia.tsdb.store import Batch, Store
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
# A sample behind the cut may be held still or not; each of these says that it does not show.
_TAKEN = {Verdict.STORED, Verdict.REPEAT, Verdict.DUPLICATE_TIMESTAMP}
_offsets = st.integers(-RETENTION - 20, 20) | st.sampled_from([AHEAD, AHEAD + 1])


class StoreIsADict(RuleBasedStateMachine):
    """Writes, the passing of time and expiry, in any order.

    The model keeps every sample. What is older than an expiry may be gone or not, as memory is
    given back in large pieces; it shows again only if the clock goes back.
    """

    def __init__(self) -> None:
        super().__init__()
        self.now = START
        self.expired_ms = 0
        self.model: dict[LabelSet, dict[int, float]] = {}

    @initialize(
        samples_max=st.integers(1, 8),
        series_max=st.integers(1, 8),
        service_max=st.integers(1, 5),
    )
    def open_store(self, samples_max: int, series_max: int, service_max: int) -> None:
        self.limits = Limits(RETENTION, samples_max, series_max, service_max)
        self.store = Store(self.limits)

    @rule(batch=st.lists(st.tuples(_labels, _offsets, _values), max_size=40))
    def write(self, batch: list[tuple[LabelSet, int, float]]) -> None:
        self.floor = self.now - RETENTION
        samples = [Sample(labels, self.now + offset, v) for labels, offset, v in batch]
        verdicts = self.store.write(Batch(samples, self.now))
        # All are judged before any is stored, so that the cut acts between batches.
        shown = {labels: self._shown(labels) for labels in self.model}
        for sample, verdict in zip(samples, verdicts, strict=True):
            expected = self._expect(sample)
            hidden = sample.t_ms not in shown.get(sample.labels, {sample.t_ms: 0.0})
            if not hidden or not {expected, verdict} <= _TAKEN:
                assert verdict is expected, sample
            if verdict is Verdict.STORED:
                self.model.setdefault(sample.labels, {})[sample.t_ms] = sample.value

    @rule(passed=st.integers(-10, 60))
    def pass_time(self, passed: int) -> None:
        self.now += passed

    @rule()
    def expire(self) -> None:
        self.floor = self.now - RETENTION
        self.expired_ms = max(self.expired_ms, self.floor)
        ended = [labels for labels, held in self.model.items() if max(held) < self.floor]
        for labels in ended:
            del self.model[labels]
        assert sum(self.store.expire(self.now)) == len(ended)

    @invariant()
    def reads_match(self) -> None:
        columns = self.store.select((), 0, START * 2)
        read = {
            labels: dict(zip(t_ms.tolist(), values.tolist(), strict=True))
            for labels, t_ms, values in columns
        }
        for labels in self.model:
            self._compare(labels, read.pop(labels, {}))
        assert read == {}
        stats = self.store.stats(self.now)
        assert self.store.series_count == stats.series == len(self.model)
        assert stats.newest_ms == max(map(max, self.model.values()), default=None)

    def _shown(self, labels: LabelSet) -> dict[int, float]:
        """All that a read may show of a series."""
        held = self.model[labels]
        times = sorted(t for t in held if t >= self.floor)
        return {t: held[t] for t in times[-self.limits.max_samples_per_series :]}

    def _compare(self, labels: LabelSet, read: dict[int, float]) -> None:
        shown = self._shown(labels)
        assert list(read) == sorted(read)
        assert {t: bits(v) for t, v in read.items()}.items() <= {
            t: bits(v) for t, v in shown.items()
        }.items()
        assert {t for t in shown if t >= self.expired_ms} <= read.keys()

    def _expect(self, sample: Sample) -> Verdict:
        if sample.t_ms < self.now - RETENTION:
            return Verdict.TOO_OLD
        if sample.t_ms > self.now + AHEAD:
            return Verdict.TOO_FAR_AHEAD
        before = self.model.get(sample.labels, {}).get(sample.t_ms)
        if before is not None and bits(before) == bits(sample.value):
            return Verdict.REPEAT
        if before is not None and not is_stale(before):
            return Verdict.DUPLICATE_TIMESTAMP
        if sample.labels not in self.model:
            if len(self.model) >= self.limits.max_series:
                return Verdict.SERIES_LIMIT
            of_service = [s for s in self.model if s["service"] == sample.labels["service"]]
            if len(of_service) >= self.limits.max_series_per_service:
                return Verdict.SERVICE_SERIES_LIMIT
        return Verdict.STORED


TestStoreIsADict = StoreIsADict.TestCase
