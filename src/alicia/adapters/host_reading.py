"""One number read from the machine."""

from typing import NamedTuple

from alicia.series.kinds import MetricType


class Reading(NamedTuple):
    """A metric of the machine or of our process; labels lack service and instance."""

    name: str
    value: float
    type: MetricType
    help: str
    unit: str
    labels: tuple[tuple[str, str], ...]


def gauge(name: str, value: float, text: str, unit: str = "", **labels: str) -> Reading:
    """A number that goes up and down."""
    return Reading(name, float(value), MetricType.GAUGE, text, unit, tuple(labels.items()))


def counter(name: str, value: float, text: str, **labels: str) -> Reading:
    """A number that only grows while the machine runs."""
    return Reading(name, float(value), MetricType.COUNTER, text, "", tuple(labels.items()))
