"""Distribution, rates and the line through the samples."""

import math
import sys

import numpy as np
import pytest

from alicia.tsdb.trend import distribution, rates, student_975, trend

HOUR = 3_600_000


def times(n: int, step_ms: int = 60_000) -> np.ndarray:
    return np.arange(n, dtype=np.int64) * step_ms


def test_a_distribution_by_hand() -> None:
    shape = distribution(np.array([4.0, 1.0, math.nan, 2.0, 3.0]))
    assert shape is not None
    assert (shape.count, shape.min, shape.max, shape.avg, shape.median) == (4, 1, 4, 2.5, 2.5)
    assert shape.last == 3.0
    assert shape.std_dev == pytest.approx(math.sqrt(1.25))
    assert shape.p95 == pytest.approx(3.85)


def test_no_values_have_no_distribution() -> None:
    assert distribution(np.array([])) is None
    assert distribution(np.array([math.nan])) is None


@pytest.mark.parametrize(
    ("values", "mean"),
    [
        ([1.7e308, 1.7e308], 1.7e308),
        ([sys.float_info.max] * 3, sys.float_info.max),
        ([1.7e308, 1.7e308, -1.7e308], 1.7e308 / 3),
        ([5e-324, 5e-324], 5e-324),
        ([math.inf, 1.0], math.inf),
        ([math.inf, -math.inf], math.nan),
    ],
)
def test_statistics_of_any_floats(values: list[float], mean: float) -> None:
    shape = distribution(np.array(values))
    assert shape is not None
    assert shape.avg == pytest.approx(mean, rel=1e-15, abs=0, nan_ok=True)
    assert (shape.count, shape.min, shape.max) == (len(values), min(values), max(values))
    assert len(rates(times(len(values)), np.array(values))[1]) == len(values) - 1


@pytest.mark.parametrize(
    "values", [[1.0, math.inf, 2.0], [1.7e308] * 3, [1e200, 2e200, 1e200], [math.inf, 1, -math.inf]]
)
def test_values_too_large_for_a_line_give_no_trend(values: list[float]) -> None:
    assert trend(times(3), np.array(values), window_ms=60_000) is None


def test_rates_take_a_restart_as_growth_from_zero() -> None:
    t_ms, per_second = rates(times(4, 10_000), np.array([0.0, 50.0, 10.0, 10.0]))
    assert list(t_ms) == [10_000, 20_000, 30_000]
    assert list(per_second) == [5.0, 1.0, 0.0]


def test_one_sample_has_no_rate() -> None:
    assert len(rates(times(1), np.array([1.0]))[1]) == 0


def test_a_straight_line_is_followed_exactly() -> None:
    line = trend(times(60), np.arange(60, dtype=float), window_ms=HOUR)
    assert line is not None
    assert (line.slope_per_hour, line.r2) == (pytest.approx(60), pytest.approx(1))
    assert line.direction == "rising"
    assert len(line.forecast) == 10
    last = line.forecast[-1]
    assert (last.t_ms, last.value) == (59 * 60_000 + HOUR, pytest.approx(119))
    assert last.low == pytest.approx(last.high)


def test_falling_and_flat_are_told_apart() -> None:
    falling = trend(times(30), -np.arange(30, dtype=float), window_ms=HOUR)
    constant = trend(times(30), np.ones(30), window_ms=HOUR)
    noise = trend(times(30), np.array([1.0, -1.0] * 15), window_ms=HOUR)
    assert falling is not None and constant is not None and noise is not None
    assert [line.direction for line in (falling, constant, noise)] == ["falling", "flat", "flat"]
    assert (constant.slope_per_hour, constant.r2) == (0, 0)


def test_the_band_is_that_of_a_prediction() -> None:
    # By hand: y = 1, 2, 4 at x = 0, 1, 2 h; slope 1.5, residual sum 1/6, one degree of freedom.
    line = trend(times(3, HOUR), np.array([1.0, 2.0, 4.0]), window_ms=2 * HOUR)
    assert line is not None
    point = line.forecast[4]  # one hour ahead: x = 3
    half = 12.706 * math.sqrt(1 / 6) * math.sqrt(1 + 1 / 3 + (3 - 1) ** 2 / 2)
    assert point.value == pytest.approx(7 / 3 + 1.5 * 2)
    assert point.high - point.value == pytest.approx(half, rel=1e-3)


def test_percent_stays_between_0_and_100() -> None:
    line = trend(times(60), np.arange(60, dtype=float) + 40, window_ms=HOUR, unit="percent")
    assert line is not None
    assert (line.forecast[-1].value, line.forecast[-1].high) == (100.0, 100.0)


@pytest.mark.parametrize(
    ("count", "step_ms"),
    [(2, HOUR), (3, 100_000)],  # too few; too short for the window
)
def test_too_little_gives_no_trend(count: int, step_ms: int) -> None:
    assert trend(times(count, step_ms), np.ones(count), window_ms=HOUR) is None


@pytest.mark.parametrize(
    ("degrees", "quantile"), [(1, 12.706), (10, 2.228), (11, 2.201), (30, 2.042), (1000, 1.962)]
)
def test_students_t(degrees: int, quantile: float) -> None:
    assert student_975(degrees) == pytest.approx(quantile, rel=1e-3)
