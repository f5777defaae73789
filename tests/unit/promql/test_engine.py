import math

import numpy as np
import pytest

from alicia.promql.engine import Engine
from alicia.promql.errors import EvaluationFailed
from alicia.promql.plan import LOOKBACK_MS, Window
from alicia.promql.values import Matrix, Scalar
from alicia.series.columns import Columns
from alicia.series.labels import NAME, LabelSet
from alicia.series.matchers import Matcher, matches_all
from alicia.series.samples import STALE

MINUTE = 60_000


class Samples:
    """A dict of series as a Querier."""

    def __init__(self, series: dict[str, list[tuple[int, float]]]) -> None:
        self.series = {_labels(text): points for text, points in series.items()}
        self.asked: list[tuple[int, int]] = []

    def select(self, matchers: tuple[Matcher, ...], start_ms: int, end_ms: int) -> Columns:
        self.asked.append((start_ms, end_ms))
        chosen = {
            labels: [(t, v) for t, v in points if start_ms <= t <= end_ms]
            for labels, points in self.series.items()
            if matches_all(matchers, labels)
        }
        points = [point for each in chosen.values() for point in each]
        return Columns(
            tuple(chosen),
            np.cumsum([0, *(len(each) for each in chosen.values())]),
            np.array([t for t, _ in points], np.int64),
            np.array([v for _, v in points], np.float64),
        )


def _labels(text: str) -> LabelSet:
    name, *pairs = text.split()
    return LabelSet({NAME: name, **dict(pair.split("=") for pair in pairs)})


def instant(series: dict[str, list[tuple[int, float]]], expr: str, at_ms: int) -> dict[str, float]:
    result = Engine(Samples(series)).instant(expr, at_ms)
    assert isinstance(result, tuple)
    return {str(element.labels): element.value for element in result}


# age of the newest sample at evaluation | found
@pytest.mark.parametrize(
    ("age_ms", "found"), [(0, True), (LOOKBACK_MS - 1, True), (LOOKBACK_MS, False), (-1, False)]
)
def test_lookback_is_open_at_its_old_end_and_closed_at_its_new(age_ms: int, found: bool) -> None:
    at_ms = 10 * MINUTE
    assert bool(instant({"cpu": [(at_ms - age_ms, 1.0)]}, "cpu", at_ms)) is found


def test_a_marker_ends_a_series_and_hides_what_is_before_it() -> None:
    series = {"cpu": [(MINUTE, 1.0), (2 * MINUTE, STALE), (3 * MINUTE, 3.0)]}
    assert instant(series, "cpu", 2 * MINUTE - 1) == {"cpu": 1.0}
    assert instant(series, "cpu", 2 * MINUTE) == {}
    assert instant(series, "cpu", 3 * MINUTE) == {"cpu": 3.0}


def test_an_ordinary_nan_is_a_value() -> None:
    assert math.isnan(instant({"cpu": [(0, math.nan)]}, "cpu", 0)["cpu"])


# expression | answer over cpu{a}=4, cpu{b}=9, mem{a}=2
CASES = [
    ("cpu > 5", {'cpu{s="b"}': 9.0}),
    ("5 < cpu", {'cpu{s="b"}': 9.0}),
    ("cpu != 4", {'cpu{s="b"}': 9.0}),
    ("cpu > bool 5", {'{s="a"}': 0.0, '{s="b"}': 1.0}),
    ("cpu * 2 + 1", {'{s="a"}': 9.0, '{s="b"}': 19.0}),
    ("-cpu", {'{s="a"}': -4.0, '{s="b"}': -9.0}),
    ("cpu / mem", {'{s="a"}': 2.0}),
    ("cpu > mem", {'cpu{s="a"}': 4.0}),
    ("cpu < mem", {}),
    ("mem / 0", {'{s="a"}': math.inf}),
    ("cpu % -3", {'{s="a"}': 1.0, '{s="b"}': 0.0}),
    ("2 ^ mem", {'{s="a"}': 4.0}),
    ('cpu{s!="a"}', {'cpu{s="b"}': 9.0}),
    ('cpu{s=~"a|x"}', {'cpu{s="a"}': 4.0}),
    ("none > 1", {}),
    ("cpu + none", {}),
]


@pytest.mark.parametrize(("expr", "answer"), CASES)
def test_operators(expr: str, answer: dict[str, float]) -> None:
    series = {"cpu s=a": [(0, 4.0)], "cpu s=b": [(0, 9.0)], "mem s=a": [(0, 2.0)]}
    assert instant(series, expr, 0) == answer


@pytest.mark.parametrize(
    ("expr", "value"), [("1 + 2 * 3", 7.0), ("-1 ^ 2", -1.0), ("2 ^ 3 ^ 0", 2.0), ("1 > bool 2", 0)]
)
def test_scalars(expr: str, value: float) -> None:
    assert Engine(Samples({})).instant(expr, 0) == value


def test_pairs_that_are_not_one_to_one_are_refused() -> None:
    series = {"a x=1": [(0, 1.0)], "b x=1": [(0, 2.0)], "c x=1": [(0, 3.0)]}
    for expr in ('{__name__=~"a|b"} + c', 'c + {__name__=~"a|b"}'):
        with pytest.raises(EvaluationFailed, match="duplicate series for the match group"):
            instant(series, expr, 0)
    assert instant(series, 'none + {__name__=~"a|b"}', 0) == {}


def test_equal_labels_in_one_result_are_refused() -> None:
    series = {"a x=1": [(0, 1.0)], "b x=1": [(0, 2.0)]}
    with pytest.raises(EvaluationFailed, match="same labelset"):
        instant(series, '{__name__=~"a|b"} * 2', 0)


def test_rows_that_never_meet_become_one() -> None:
    series = {"a x=1": [(0, 1.0), (MINUTE, STALE)], "b x=1": [(MINUTE, 2.0)]}
    result = Engine(Samples(series)).window('{__name__=~"a|b"} * 2', Window(0, MINUTE, MINUTE))
    assert isinstance(result, Matrix)
    [(labels, times, values)] = result.rows()
    assert (str(labels), list(times), list(values)) == ('{x="1"}', [0, MINUTE], [2.0, 4.0])


def test_a_window_reads_once_and_keeps_the_time_of_the_sample_behind_each_value() -> None:
    querier = Samples({"cpu": [(0, 1.0), (90_000, 2.0)]})
    result = Engine(querier).window("cpu + cpu", Window(0, 2 * MINUTE, MINUTE))
    assert isinstance(result, Matrix)
    assert querier.asked == [(1 - LOOKBACK_MS, 2 * MINUTE)]
    assert [[e.value for e in result.at(step)] for step in range(3)] == [[2.0], [2.0], [4.0]]
    assert [result.at(step)[0].sample_ms for step in range(3)] == [0, 0, 90_000]


def test_a_scalar_window() -> None:
    result = Engine(Samples({})).window("2 * 3", Window(0, 2000, 1000))
    assert isinstance(result, Scalar)
    assert list(result.values) == [6.0, 6.0, 6.0]


def test_points_are_bounded() -> None:
    with pytest.raises(EvaluationFailed, match="longer step"):
        Engine(Samples({})).window("cpu", Window(0, 11_000, 1))


def test_a_chain_longer_than_the_stack_is_evaluated() -> None:
    assert Engine(Samples({})).instant(" + ".join(["1"] * 1024), 0) == 1024.0
