"""The store: batches, limits, selection, expiry."""

import pytest

from alicia.series.kinds import MetricType
from alicia.series.labels import LabelSet
from alicia.series.matchers import Matcher, MatchOp
from alicia.series.samples import STALE, Metadata, Sample
from alicia.tsdb.cardinality import BIRTHS_MAX, WINDOW_MS, Cardinality
from alicia.tsdb.series_table import Limits
from alicia.tsdb.store import EXPIRE_SLICE, Batch, Store
from alicia.tsdb.verdict import Verdict

NOW = 10_000_000
HOUR = 3_600_000


def series(name: str = "x", **labels: str) -> LabelSet:
    return LabelSet({"__name__": name, **labels})


def write(store: Store, *samples: tuple[LabelSet, int, float], now: int = NOW) -> list[Verdict]:
    return list(store.write(Batch([Sample(*sample) for sample in samples], now)))


def eq(name: str, value: str) -> Matcher:
    return Matcher(name, MatchOp.EQUAL, value)


def ended(store: Store, now: int) -> int:
    return sum(store.expire(now))


def test_a_bad_sample_costs_no_other() -> None:
    store = Store(Limits())
    verdicts = write(
        store, (series(), NOW, 1), (series(), NOW - HOUR - 1, 1), (series(), NOW + 1, 2)
    )
    assert verdicts == [Verdict.STORED, Verdict.TOO_OLD, Verdict.STORED]
    assert [sample.value for sample in store.samples(series())] == [1, 2]


def test_samples_of_one_batch_see_each_other() -> None:
    store = Store(Limits())
    verdicts = write(
        store,
        (series(), NOW, 1),
        (series(), NOW, 1),
        (series(), NOW, 2),
        (series(a="b"), NOW, STALE),
        (series(a="b"), NOW, 3),
        (series(a="b"), NOW, 4),
    )
    assert verdicts == [
        Verdict.STORED,
        Verdict.REPEAT,
        Verdict.DUPLICATE_TIMESTAMP,
        Verdict.STORED,
        Verdict.STORED,
        Verdict.DUPLICATE_TIMESTAMP,
    ]
    assert store.newest(series(a="b")).value == 3


def test_sending_a_batch_again_changes_nothing() -> None:
    store = Store(Limits())
    batch = [(series(), NOW - i, float(i)) for i in range(5)]
    write(store, *batch)
    before = store.stats(NOW)
    assert set(write(store, *batch)) == {Verdict.REPEAT}
    assert store.stats(NOW) == before


def test_a_refused_sample_makes_no_series() -> None:
    store = Store(Limits())
    write(store, (series(), NOW + HOUR, 1))
    assert (store.series_count, store.label_values("__name__")) == (0, [])


def test_new_series_above_the_cap_are_refused_and_old_ones_flow() -> None:
    store = Store(Limits(max_series=2))
    verdicts = write(store, *((series(i=str(i)), NOW, 1.0) for i in range(3)))
    assert verdicts == [Verdict.STORED, Verdict.STORED, Verdict.SERIES_LIMIT]
    assert write(store, (series(i="0"), NOW + 1, 2)) == [Verdict.STORED]


def test_one_service_cannot_take_the_place_of_others() -> None:
    store = Store(Limits(max_series_per_service=1))
    verdicts = write(
        store,
        (series(service="a"), NOW, 1),
        (series(service="a", user="1"), NOW, 1),
        (series(service="b"), NOW, 1),
        (series(service="a"), NOW + 1, 1),
    )
    assert verdicts == [
        Verdict.STORED,
        Verdict.SERVICE_SERIES_LIMIT,
        Verdict.STORED,
        Verdict.STORED,
    ]
    (culprit,) = store.stats(NOW).culprits
    assert (culprit.service, culprit.refused) == ("a", 1)


def test_the_culprit_is_named_with_the_label_that_varies() -> None:
    store = Store(Limits(max_series_per_service=5))
    write(
        store,
        *((series(service="a", user=str(i), zone=str(i % 2)), NOW, 1.0) for i in range(50)),
    )
    (culprit,) = store.stats(NOW).culprits
    assert (culprit.label, culprit.distinct, culprit.born, culprit.refused) == ("user", 50, 50, 45)


def test_series_end_with_their_last_sample() -> None:
    store = Store(Limits())
    labels = series(service="a")
    store.write(Batch([Sample(labels, NOW, 1)], NOW, {("a", "x"): Metadata(MetricType.COUNTER)}))
    assert ended(store, NOW + HOUR) == 0  # exactly RETENTION old stays
    assert ended(store, NOW + HOUR + 1) == 1
    assert (store.series_count, store.label_values("service")) == (0, [])
    assert store.all_metadata() == []
    assert dict(store.series_per_service()) == {}


def test_sizes_follow_writes_and_expiry() -> None:
    store = Store(Limits(max_samples_per_series=2))
    write(store, (series(), NOW - 5, 1), (series(a="b"), NOW + 7, 1))
    write(store, (series(), NOW, 1), (series(), NOW + 1, 1))
    shown = store.stats(NOW)
    assert (shown.samples, shown.oldest_ms, shown.newest_ms) == (4, NOW - 5, NOW + 7)
    assert ended(store, NOW) == 0
    empty = shown.bytes
    for i in range(2, 500):
        write(store, (series(), NOW + i, i))
    assert store.stats(NOW).bytes > empty
    assert ended(store, NOW + HOUR + 500) == 2
    shown = store.stats(NOW)
    assert (shown.samples, shown.oldest_ms, shown.newest_ms) == (0, None, None)


def test_there_may_be_writes_and_other_passes_between_the_steps_of_an_expiry() -> None:
    store = Store(Limits())
    many = [(series(i=str(i)), NOW, 1.0) for i in range(EXPIRE_SLICE + 1)]
    write(store, *many)
    later = NOW + HOUR + 1
    steps = store.expire(later)
    assert next(steps) == EXPIRE_SLICE
    write(store, (series(i="0"), later, 2), now=later)
    write(store, (series(), later - 9, 1), now=later)
    assert list(steps) == [1]
    shown = store.stats(later)
    assert (shown.series, shown.samples) == (2, 2)
    assert (shown.oldest_ms, shown.newest_ms) == (later - 9, later)


def test_metadata_stays_while_a_part_of_the_histogram_lives() -> None:
    store = Store(Limits())
    known = {("a", "h"): Metadata(MetricType.HISTOGRAM)}
    bucket, count = series("h_bucket", service="a", le="+Inf"), series("h_count", service="a")
    store.write(Batch([Sample(bucket, NOW, 1)], NOW, known))
    store.write(Batch([Sample(count, NOW + 1000, 1)], NOW, known))
    assert store.family(bucket) == ("h", Metadata(MetricType.HISTOGRAM))
    assert ended(store, NOW + HOUR + 1) == 1
    assert store.family(count) == ("h", Metadata(MetricType.HISTOGRAM))
    assert ended(store, NOW + HOUR + 2000) == 1
    assert store.all_metadata() == []


def test_types_are_guessed_where_nobody_said() -> None:
    store = Store(Limits())
    assert store.metadata("a", "x_total").type is MetricType.COUNTER
    assert store.metadata("a", "x").type is MetricType.GAUGE
    assert store.family(series("x_count", service="a"))[0] == "x_count"


def test_select_gives_columns_with_inclusive_bounds() -> None:
    store = Store(Limits())
    write(store, *((series(i=str(i % 2)), NOW + i, float(i)) for i in range(6)))
    columns = store.select((eq("__name__", "x"),), NOW + 1, NOW + 4)
    assert [(labels["i"], list(t), list(v)) for labels, t, v in columns] == [
        ("0", [NOW + 2, NOW + 4], [2.0, 4.0]),
        ("1", [NOW + 1, NOW + 3], [1.0, 3.0]),
    ]


def test_a_selection_is_a_copy() -> None:
    store = Store(Limits())
    write(store, (series(), NOW, 1))
    columns = store.select((), NOW, NOW + 10)
    write(store, (series(), NOW + 1, 2))
    assert list(columns.values) == [1.0]


def test_an_empty_selection_has_the_right_shapes() -> None:
    columns = Store(Limits()).select((eq("a", "b"),), 0, 1)
    assert (columns.labels, list(columns.offsets), len(columns.t_ms)) == ((), [0], 0)
    assert (columns.t_ms.dtype.name, columns.values.dtype.name) == ("int64", "float64")


@pytest.mark.parametrize(
    ("at_ms", "found"),
    [
        (NOW - 1, []),
        (NOW, [1.0]),
        (NOW + 299_999, [1.0]),
        (NOW + 300_000, []),  # the lookback's far end is open
    ],
)
def test_latest_looks_back_five_minutes(at_ms: int, found: list[float]) -> None:
    store = Store(Limits())
    write(store, (series(), NOW, 1))
    assert [sample.value for sample in store.latest((), at_ms)] == found


def test_a_marker_ends_the_search() -> None:
    store = Store(Limits())
    write(store, (series(), NOW, 1), (series(), NOW + 1, STALE))
    assert store.latest((), NOW + 5) == []
    assert [sample.value for sample in store.latest((), NOW)] == [1.0]


@pytest.mark.parametrize(
    ("matchers", "found"),
    [
        ((), "abcd"),
        ((eq("k", "a"),), "a"),
        ((eq("k", "z"),), ""),
        ((eq("even", ""),), "ac"),
        ((Matcher("k", MatchOp.NOT_EQUAL, "a"),), "bcd"),
        ((Matcher("even", MatchOp.NOT_EQUAL, ""),), "bd"),
        ((Matcher("k", MatchOp.REGEX, "c|a"),), "ac"),
        ((Matcher("k", MatchOp.REGEX, ".*"),), "abcd"),
        ((Matcher("k", MatchOp.NOT_REGEX, "a|b"),), "cd"),
        ((Matcher("none", MatchOp.REGEX, ".*"),), "abcd"),
        ((Matcher("none", MatchOp.REGEX, ".+"),), ""),
        ((eq("even", "yes"), Matcher("k", MatchOp.NOT_EQUAL, "b")), "d"),
        # Few are left by the first, so the second is tried on them; or the other way round.
        ((eq("even", "yes"), Matcher("k", MatchOp.REGEX, "a|d")), "d"),
        ((eq("k", "d"), Matcher("even", MatchOp.REGEX, "y.*")), "d"),
    ],
)
def test_matchers_find(matchers: tuple[Matcher, ...], found: str) -> None:
    store = Store(Limits())
    for key in "abcd":
        even = {"even": "yes"} if key in "bd" else {}
        write(store, (series(k=key, **even), NOW, 1))
    assert "".join(labels["k"] for labels in store.series(matchers)) == found


def test_labels_in_use_are_listed() -> None:
    store = Store(Limits())
    write(store, (series(b="2"), NOW, 1), (series(b="1", a="x"), NOW, 1))
    assert store.label_values("b") == ["1", "2"]
    assert store.label_values("c") == []


def test_descriptions_of_what_is_refused_are_bounded() -> None:
    store = Store(Limits(max_series=3))
    known = {("a", f"m{i}"): Metadata(MetricType.GAUGE) for i in range(10)}
    store.write(Batch([], NOW, known))
    assert len(store.all_metadata()) == 3


def test_births_are_counted_over_the_last_window() -> None:
    cardinality = Cardinality()
    for i in range(BIRTHS_MAX + 1):
        cardinality.born(series(service="a", i=str(i)), now_ms=NOW)
    assert cardinality.suspects(now_ms=NOW) == ["a"]
    assert cardinality.suspects(now_ms=NOW + WINDOW_MS) == ["a"]
    assert cardinality.suspects(now_ms=NOW + 3 * WINDOW_MS) == []
