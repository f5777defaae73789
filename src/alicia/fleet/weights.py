"""How much of a service's work each of its instances should get (bus.md §7)."""

from collections.abc import Mapping
from dataclasses import dataclass
from statistics import median
from typing import Final

WEIGHT_MAX: Final = 100
INSTANCES_MIN: Final = 2  # one instance gets everything whatever its weight
TELLING_CHANGE: Final = 0.2
_ERRORS_FATAL: Final = 0.2  # a share of failed requests from which on an instance gets the least
_IDLE: Final = 0.5  # below this saturation there is room enough, and less of it is no merit
_DEGRADED: Final = 0.5
_LEAST: Final = 0.01
_INSTANT_SECONDS: Final = 0.001  # faster than this is no merit


@dataclass(frozen=True, slots=True)
class Load:
    """How an instance did lately; None where it tells nothing.

    ``p95_seconds``: the latency that 95 % of its requests stay below. ``error_ratio`` and
    ``saturation``: 0 to 1. ``degraded``: it says so itself.
    """

    p95_seconds: float | None = None
    error_ratio: float | None = None
    saturation: float | None = None
    degraded: bool = False


def weights(loads: Mapping[str, Load]) -> dict[str, int]:
    """A weight from 1 to WEIGHT_MAX for every instance; the best one gets WEIGHT_MAX.

    The parts multiply. An instance that does not tell one of them counts as the middle of those
    that do, so that silence is neither merit nor fault.
    """
    scores = {name: _DEGRADED if load.degraded else 1.0 for name, load in loads.items()}
    for rates in (_speed(loads), _success(loads), _room(loads)):
        middle = median(rates.values()) if rates else 1.0
        for name in scores:
            scores[name] *= min(max(rates.get(name, middle), _LEAST), 1.0)
    top = max(scores.values(), default=1.0)
    return {name: max(1, round(WEIGHT_MAX * score / top)) for name, score in scores.items()}


def worth_telling(before: Mapping[str, int], after: Mapping[str, int]) -> bool:
    """Whether instances came or went, or any weight changed by more than a fifth."""
    if before.keys() != after.keys():
        return True
    return any(abs(after[name] - old) > TELLING_CHANGE * old for name, old in before.items())


def _speed(loads: Mapping[str, Load]) -> dict[str, float]:
    known = {
        name: max(load.p95_seconds, _INSTANT_SECONDS)
        for name, load in loads.items()
        if load.p95_seconds is not None
    }
    fastest = min(known.values(), default=_INSTANT_SECONDS)
    return {name: fastest / seconds for name, seconds in known.items()}


def _success(loads: Mapping[str, Load]) -> dict[str, float]:
    return {
        name: 1 - load.error_ratio / _ERRORS_FATAL
        for name, load in loads.items()
        if load.error_ratio is not None
    }


def _room(loads: Mapping[str, Load]) -> dict[str, float]:
    return {
        name: (1 - load.saturation) / (1 - _IDLE)
        for name, load in loads.items()
        if load.saturation is not None
    }
