"""How busy a service is, as pure functions of time: days with a morning and a quiet night.

Two runs show the same curves at the same hour, and a counter can be summed over any span
without being stepped through it.
"""

import math
import zlib
from collections.abc import Mapping
from typing import Final

_DAY: Final = 86_400.0
_WAVE: Final = 1_800.0  # half-hourly waves upon the day
_QUIETEST: Final = 4 * 3600.0  # four in the morning, UTC
_MEAN, _DAILY, _WAVY = 0.55, 0.33, 0.1  # load stays within 0.12 and 0.98
_REQUESTS_PER_SECOND: Final = 4.0  # at full load
_GRAIN: Final = 5.0  # seconds for which the noise keeps its value
BUCKET_BOUNDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
_SPREAD: Final = 0.5  # sigma of the log-normal answer times


def noise(seed: str, t: float) -> float:
    """A number in [0, 1) that depends on nothing but its arguments."""
    return zlib.crc32(f"{seed}/{math.floor(t / _GRAIN)}".encode()) / 2**32


def load(name: str, t: float) -> float:
    """Share of what the service can do that is asked of it at ``t``, in epoch seconds."""
    day = 2 * math.pi * (t - _QUIETEST) / _DAY
    wave = 2 * math.pi * t / _WAVE + _phase(name)
    return _MEAN - _DAILY * math.cos(day) + _WAVY * math.sin(wave)


def requests(name: str, start: float, end: float, *, busy: float) -> float:
    """Requests within a span: the integral of the load."""
    return busy * _REQUESTS_PER_SECOND * (_integral(name, end) - _integral(name, start))


def latency_ms(name: str, t: float, *, usual_ms: float) -> float:
    """The typical answer time: longer under load, never still."""
    return usual_ms * (0.6 + load(name, t) ** 2) * (0.85 + 0.3 * noise(name, t))


def cpu_percent(name: str, t: float) -> float:
    """Processor use of the service."""
    return 4 + 55 * load(name, t) * (0.8 + 0.4 * noise(f"{name}/cpu", t))


def memory_mb(name: str, t: float, *, uptime: float) -> float:
    """Memory: a base, the load, and a leak that levels off within hours."""
    base = 80 + 60 * noise(name, 0)
    return base + 40 * load(name, t) + 30 * (1 - math.exp(-uptime / 7200))


def histogram(count: float, median_ms: float) -> Mapping[str, object]:
    """A cumulative histogram, in seconds, of ``count`` answers around their median."""
    median = median_ms / 1000
    buckets = {f"{bound:g}": round(count * _share_below(bound, median)) for bound in BUCKET_BOUNDS}
    total = round(count)
    mean = median * math.exp(_SPREAD**2 / 2)
    return {"count": total, "sum": round(total * mean, 6), "buckets": {**buckets, "+Inf": total}}


def _share_below(bound: float, median: float) -> float:
    return 0.5 * (1 + math.erf(math.log(bound / median) / (_SPREAD * math.sqrt(2))))


def _phase(name: str) -> float:
    return 2 * math.pi * (zlib.crc32(name.encode()) / 2**32)


def _integral(name: str, t: float) -> float:
    day = 2 * math.pi * (t - _QUIETEST) / _DAY
    wave = 2 * math.pi * t / _WAVE + _phase(name)
    daily = _DAILY * _DAY / (2 * math.pi) * math.sin(day)
    return _MEAN * t - daily - _WAVY * _WAVE / (2 * math.pi) * math.cos(wave)
