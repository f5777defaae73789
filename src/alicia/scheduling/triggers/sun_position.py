"""Sunrise, sunset, dawn and dusk by the equations of NOAA, after Meeus.

Source: NOAA Solar Calculator, "Calculation Details"; J. Meeus, Astronomical Algorithms, ch. 25.
"""

import math
from enum import StrEnum
from typing import Final

_UNIX_EPOCH_JD: Final = 2_440_587.5
_J2000: Final = 2_451_545.0
_CENTURY_DAYS: Final = 36_525.0
_ROUNDS_MAX: Final = 8
_SETTLED_S: Final = 0.5


class SunEvent(StrEnum):
    """The four moments of a day that a schedule can follow."""

    SUNRISE = "sunrise"
    SUNSET = "sunset"
    DAWN = "dawn"
    DUSK = "dusk"

    @property
    def rising(self) -> bool:
        """Whether the sun goes up."""
        return self in (SunEvent.SUNRISE, SunEvent.DAWN)

    @property
    def zenith_degrees(self) -> float:
        """Distance from the zenith: 0.833 below the horizon (refraction, half a disc), or 6."""
        return 90.833 if self in (SunEvent.SUNRISE, SunEvent.SUNSET) else 96.0


def sun_instant(
    event: SunEvent, *, noon_s: float, latitude: float, longitude: float
) -> float | None:
    """Epoch seconds of the event around the solar noon nearest ``noon_s``.

    None in polar day and polar night. Declination and equation of time are taken at the event's
    own instant, found by iteration.
    """
    at = noon_s
    for _ in range(_ROUNDS_MAX):
        declination, equation_min = _sun_at(at)
        angle = _hour_angle(latitude, declination, event.zenith_degrees)
        if angle is None:
            return None
        transit = _transit(noon_s, longitude, equation_min)
        following = transit + (-angle if event.rising else angle) * 240  # 4 minutes a degree
        if abs(following - at) < _SETTLED_S:
            return following
        at = following
    return at


def _transit(noon_s: float, longitude: float, equation_min: float) -> float:
    """The solar noon nearest ``noon_s``."""
    offset = (720 - 4 * longitude - equation_min) * 60  # seconds after 00:00 UTC
    day = round((noon_s - offset) / 86_400)
    return day * 86_400 + offset


def _hour_angle(latitude: float, declination: float, zenith: float) -> float | None:
    """Degrees between noon and the event."""
    # At a pole itself the sun keeps its height all day; a hair beside it the formula holds.
    north = math.radians(max(-89.9999, min(89.9999, latitude)))
    cosine = math.cos(math.radians(zenith)) / (math.cos(north) * math.cos(declination)) - math.tan(
        north
    ) * math.tan(declination)
    return math.degrees(math.acos(cosine)) if -1 <= cosine <= 1 else None


def _sun_at(instant_s: float) -> tuple[float, float]:
    """Declination in radians and equation of time in minutes."""
    t = (instant_s / 86_400 + _UNIX_EPOCH_JD - _J2000) / _CENTURY_DAYS
    mean_longitude = math.radians((280.46646 + t * (36_000.76983 + t * 0.0003032)) % 360)
    anomaly = math.radians(357.52911 + t * (35_999.05029 - 0.0001537 * t))
    eccentricity = 0.016708634 - t * (0.000042037 + 0.0000001267 * t)
    centre = (
        math.sin(anomaly) * (1.914602 - t * (0.004817 + 0.000014 * t))
        + math.sin(2 * anomaly) * (0.019993 - 0.000101 * t)
        + math.sin(3 * anomaly) * 0.000289
    )
    node = math.radians(125.04 - 1934.136 * t)
    apparent = mean_longitude + math.radians(centre - 0.00569 - 0.00478 * math.sin(node))
    obliquity_s = 21.448 - t * (46.815 + t * (0.00059 - t * 0.001813))
    obliquity = math.radians(23 + (26 + obliquity_s / 60) / 60 + 0.00256 * math.cos(node))
    declination = math.asin(math.sin(obliquity) * math.sin(apparent))
    y = math.tan(obliquity / 2) ** 2
    equation = (
        y * math.sin(2 * mean_longitude)
        - 2 * eccentricity * math.sin(anomaly)
        + 4 * eccentricity * y * math.sin(anomaly) * math.cos(2 * mean_longitude)
        - 0.5 * y * y * math.sin(4 * mean_longitude)
        - 1.25 * eccentricity * eccentricity * math.sin(2 * anomaly)
    )
    return declination, 4 * math.degrees(equation)
