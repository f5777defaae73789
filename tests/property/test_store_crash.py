"""The store over a disk that fails, tears and loses power: nothing acknowledged is lost.

A dictionary is the model. A sample that was written and not acknowledged may be there or not.
"""

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from tests.support.fault_disk import FaultDisk, PowerCut

from alicia.series.labels import LabelSet
from alicia.series.samples import Sample, bits
from alicia.tsdb.ports import DiskFault
from alicia.tsdb.series_table import Limits
from alicia.tsdb.store import Batch, Store
from alicia.tsdb.verdict import Verdict

START = 10_000_000
LIMITS = Limits(retention_ms=1_000_000_000, max_samples_per_series=10_000, max_series=6)

Point = tuple[LabelSet, int]

_labels = st.builds(lambda n: LabelSet({"__name__": "x", "n": n}), st.sampled_from("abcdefgh"))
_samples = st.builds(
    Sample,
    _labels,
    st.integers(START - 200, START + 200) | st.sampled_from([START - 10**9]),
    st.floats(width=32) | st.integers(-5, 5).map(float),
)
_batches = st.lists(_samples, max_size=30)


class StoreSurvives(RuleBasedStateMachine):
    """Writes, faults, kills and power cuts, in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.disk = FaultDisk()
        self.now = START
        self.acked: dict[Point, float] = {}
        self.unsynced: set[Point] = set()  # acknowledged since the last sync
        self.maybe: dict[Point, set[int]] = {}  # bits that may be there, unacknowledged
        self.start()

    def start(self) -> None:
        self.store = Store(LIMITS, disk=self.disk)
        self.store.replay(START)

    @rule(batch=_batches)
    def write(self, batch: list[Sample]) -> None:
        verdicts = self.store.write(Batch(batch, START))
        for sample, verdict in zip(batch, verdicts, strict=True):
            point = (sample.labels, sample.t_ms)
            if verdict.accepted:
                self.acked.setdefault(point, sample.value)
                assert bits(self.acked[point]) == bits(sample.value)
            if verdict is Verdict.STORED:
                self.unsynced.add(point)
            elif verdict is Verdict.DUPLICATE_TIMESTAMP and point not in self.acked:
                assert point in self.maybe

    @rule(batch=_batches, taken=st.integers(0, 400), keeps_the_end=st.booleans())
    def write_fails(self, batch: list[Sample], taken: int, keeps_the_end: bool) -> None:
        self.disk.fail_append, self.disk.fail_cut = taken, int(keeps_the_end)
        try:
            self.write(batch)
        except DiskFault:
            self._note_maybe(batch if keeps_the_end else [])
        self.disk.fail_append, self.disk.fail_cut = None, 0

    @rule(batch=_batches, taken=st.integers(0, 400))
    def crash_in_write(self, batch: list[Sample], taken: int) -> None:
        self.disk.crash_append = taken
        try:
            self.write(batch)
        except PowerCut:
            self._note_maybe(batch)
        self.disk.crash_append = None
        self.start()

    @rule()
    def sync(self) -> None:
        self.store.sync()
        self.unsynced.clear()

    @rule()
    def sync_fails(self) -> None:
        self.disk.fail_sync = 1
        self.store.sync()
        self.disk.fail_sync = 0
        self.unsynced.clear()

    @rule()
    def compact(self) -> None:
        self.now += LIMITS.retention_ms // 4 + 1
        for _ in self.store.compact(self.now):
            self.reads_match()
        self.unsynced.clear()

    @rule(taken=st.integers(0, 2000), steps=st.integers(0, 1))
    def compact_fails(self, taken: int, steps: int) -> None:
        self.now += LIMITS.retention_ms // 4 + 1
        writing = self.store.compact(self.now)
        try:
            for _ in range(steps):
                next(writing, None)
            self.disk.fail_append = taken
            for _ in writing:
                self.reads_match()
        except DiskFault:
            self.reads_match()
        self.disk.fail_append = None

    @rule(taken=st.integers(0, 2000), steps=st.integers(0, 1))
    def crash_in_compaction(self, taken: int, steps: int) -> None:
        self.now += LIMITS.retention_ms // 4 + 1
        writing = self.store.compact(self.now)
        try:
            for _ in range(steps):
                next(writing, None)
            self.disk.crash_append = taken
            for _ in writing:
                pass
        except PowerCut:
            pass
        self.disk.crash_append = None
        self.start()

    @rule()
    def kill(self) -> None:
        self.start()

    @rule(kept=st.integers(0, 300))
    def cut_power(self, kept: int) -> None:
        for point in self.unsynced:
            self.maybe.setdefault(point, set()).add(bits(self.acked.pop(point)))
        self.unsynced.clear()
        self.disk.cut_power(kept=kept)
        self.start()

    @invariant()
    def reads_match(self) -> None:
        columns = self.store.select((), START - 10**9, START + 10**9)
        read: dict[Point, int] = {}
        for labels, t_ms, values in columns:
            assert (t_ms[1:] > t_ms[:-1]).all()
            for t, value in zip(t_ms.tolist(), values.tolist(), strict=True):
                read[labels, t] = bits(value)
        for point, value in self.acked.items():
            assert read.pop(point) == bits(value)
        for point, value in read.items():
            assert value in self.maybe.get(point, ())

    def _note_maybe(self, batch: list[Sample]) -> None:
        for sample in batch:
            point = (sample.labels, sample.t_ms)
            if point not in self.acked:
                self.maybe.setdefault(point, set()).add(bits(sample.value))


TestStoreSurvives = StoreSurvives.TestCase
