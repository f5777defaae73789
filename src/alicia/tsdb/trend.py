"""Statistics of one series over a window: distribution, trend, forecast.

Source: metrics.md §8.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

FORECAST_POINTS: Final = 10
_SAMPLES_MIN: Final = 3
_HOUR_MS: Final = 3_600_000
_FLAT_R2: Final = 0.1
_BOUNDED_UNITS: Final[Mapping[str, float]] = {"percent": 100.0, "ratio": 1.0}
# Two-sided 95 % quantiles of Student's t for 1 to 10 degrees of freedom.
_T_975: Final = (12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228)
_Z_975: Final = 1.959963985

Floats = NDArray[np.float64]
Times = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class ForecastPoint:
    """A value to come, with its 95 % prediction interval."""

    t_ms: int
    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Trend:
    """A straight line through the samples; ``direction`` is flat, rising or falling."""

    slope_per_hour: float
    r2: float
    direction: str
    forecast: tuple[ForecastPoint, ...]


@dataclass(frozen=True, slots=True)
class Distribution:
    """The values of a window without regard to their order; percentiles between ranks."""

    count: int
    min: float
    max: float
    avg: float
    median: float
    p95: float
    p99: float
    std_dev: float
    last: float


# Any float may have been stored; what their arithmetic cannot tell is answered as no number.
_lenient: Final = np.errstate(over="ignore", invalid="ignore")


@_lenient
def distribution(values: Floats) -> Distribution | None:
    """What the values of a window look like; None where there are none. NaNs are left out."""
    kept = values[~np.isnan(values)]
    if not len(kept):
        return None
    median, p95, p99 = (float(value) for value in np.quantile(kept, (0.5, 0.95, 0.99)))
    return Distribution(
        len(kept),
        float(kept.min()),
        float(kept.max()),
        _mean(kept),
        median,
        p95,
        p99,
        float(kept.std()),
        float(kept[-1]),
    )


@_lenient
def rates(t_ms: Times, values: Floats) -> tuple[Times, Floats]:
    """Growth per second of a counter between neighbours, at the time of the later one.

    A value below its predecessor is a restart from 0.
    """
    if len(values) < 2:
        return t_ms[:0], values[:0]
    steps = np.diff(values)
    grown = np.where(steps < 0, values[1:], steps)
    return t_ms[1:], grown / (np.diff(t_ms) / 1000)


@_lenient
def trend(t_ms: Times, values: Floats, *, window_ms: int, unit: str = "") -> Trend | None:
    """The line through the samples and where it leads over one more window.

    None for fewer than 3 samples, a span under a tenth of the window, or values too large to
    tell how far they lie from a line. Times ascend.
    """
    kept = ~np.isnan(values)
    t_ms, values = t_ms[kept], values[kept]
    if len(values) < _SAMPLES_MIN or t_ms[-1] - t_ms[0] < window_ms / 10:
        return None
    hours = (t_ms - t_ms[-1]) / _HOUR_MS  # small numbers lose nothing in the squares
    mean_x, mean_y = float(hours.mean()), float(values.mean())
    spread = float(((hours - mean_x) ** 2).sum())
    slope = float(((hours - mean_x) * (values - mean_y)).sum()) / spread
    total = float(((values - mean_y) ** 2).sum())
    left = float(((values - mean_y - slope * (hours - mean_x)) ** 2).sum())
    r2 = max(0.0, 1 - left / total) if total > 0 else 0.0
    degrees = len(values) - 2
    error = math.sqrt(left / degrees)
    if not math.isfinite(error):
        return None
    points = []
    for step in range(1, FORECAST_POINTS + 1):
        ahead_ms = round(window_ms * step / FORECAST_POINTS)
        x = ahead_ms / _HOUR_MS
        value = mean_y + slope * (x - mean_x)
        band = student_975(degrees) * error
        band *= math.sqrt(1 + 1 / len(values) + (x - mean_x) ** 2 / spread)
        points.append(
            ForecastPoint(
                int(t_ms[-1]) + ahead_ms,
                _clamped(value, unit),
                _clamped(value - band, unit),
                _clamped(value + band, unit),
            )
        )
    return Trend(slope, r2, _direction(slope, error / math.sqrt(spread), r2), tuple(points))


def _mean(values: Floats) -> float:
    """Exact where the sum fits a float; NaN where infinities of both signs meet."""
    count = len(values)
    try:
        return math.fsum(values) / count
    except OverflowError:  # the mean always fits
        mean = 2 * math.fsum(values / (2 * count))
        return min(max(mean, float(values.min())), float(values.max()))
    except ValueError:
        return math.nan


def student_975(degrees: int) -> float:
    """The two-sided 95 % quantile of Student's t; within 0.1 % for every number of degrees.

    Source: Abramowitz and Stegun 26.7.5 beyond the table.
    """
    assert degrees > 0, "a line needs three points for an error"
    if degrees <= len(_T_975):
        return _T_975[degrees - 1]
    z, n = _Z_975, float(degrees)
    return (
        z
        + (z**3 + z) / (4 * n)
        + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * n**2)
        + (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / (384 * n**3)
    )


def _direction(slope: float, slope_error: float, r2: float) -> str:
    if abs(slope) <= 2 * slope_error or r2 < _FLAT_R2:
        return "flat"
    return "rising" if slope > 0 else "falling"


def _clamped(value: float, unit: str) -> float:
    top = _BOUNDED_UNITS.get(unit)
    return value if top is None else min(max(value, 0.0), top)
