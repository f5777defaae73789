"""A schedule that follows the sun at one place.

Source: scheduling.md §1, "Sun".
"""

from dataclasses import dataclass
from datetime import tzinfo
from typing import Final, final

from alicia.scheduling import words
from alicia.scheduling.event import SECOND_US
from alicia.scheduling.localtime import DAY, END_S, first_instant_of, offset_at
from alicia.scheduling.triggers.sun_position import SunEvent, sun_instant

_SEARCH_DAYS: Final = 800  # polar night and day together last a year
_NEARBY_DAYS: Final = 2  # an offset and a slanted sun move an instant by less
_EVERY_DAY: Final = (1 << 7) - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class SunSpec:
    """Which moment, where, and how it is bent.

    ``offset_s`` is signed. ``not_before_s`` and ``not_after_s`` are times of the local day to
    which an earlier or later instant moves. ``weekdays`` has bit 0 for Sunday. ``polar_s`` is
    the time of day that stands in where the sun neither rises nor sets.
    """

    event: SunEvent
    latitude: float
    longitude: float
    offset_s: int = 0
    not_before_s: int | None = None
    not_after_s: int | None = None
    weekdays: int = _EVERY_DAY
    polar_s: int | None = None


@final
class SunTrigger:
    """One instant a solar day, or none; fits ``trigger.Trigger``."""

    def __init__(self, spec: SunSpec, zone: tzinfo, *, zone_name: str) -> None:
        self._spec = spec
        self._zone = zone
        self._zone_name = zone_name

    def next_after(self, t_us: int) -> int | None:
        """The first instant after ``t_us`` exclusive."""
        after_s = t_us // SECOND_US
        first = (after_s + round(self._spec.longitude * 240)) // DAY - _NEARBY_DAYS
        for day in range(first, first + _SEARCH_DAYS):
            if day * DAY >= END_S:
                return None
            # Neighbouring days may come in the wrong order where a clamp or a stand-in time acts.
            near = (self._instant(d) for d in range(day, day + 2 * _NEARBY_DAYS + 1))
            later = [found for found in near if found is not None and found > after_s]
            if later:
                return min(later) * SECOND_US
        return None

    def count(self, after_us: int, until_us: int) -> int:
        """Instants after ``after_us`` up to ``until_us``; one a day, so walking them is cheap."""
        total, found = 0, self.next_after(after_us)
        while found is not None and found <= until_us:
            total, found = total + 1, self.next_after(found)
        return total

    def _instant(self, solar_day: int) -> int | None:
        spec = self._spec
        noon_s = solar_day * DAY + DAY // 2 - spec.longitude * 240  # 4 minutes a degree
        exact = sun_instant(
            spec.event, noon_s=noon_s, latitude=spec.latitude, longitude=spec.longitude
        )
        local_day = self._local(round(noon_s if exact is None else exact)) // DAY
        if not spec.weekdays >> (local_day + 4) % 7 & 1:
            return None
        if exact is None:
            return None if spec.polar_s is None else self._at(local_day, spec.polar_s)
        return self._clamped(round(exact) + spec.offset_s, local_day)

    def _clamped(self, instant_s: int, local_day: int) -> int:
        spec = self._spec
        if spec.not_before_s is not None:
            instant_s = max(instant_s, self._at(local_day, spec.not_before_s))
        if spec.not_after_s is not None:
            instant_s = min(instant_s, self._at(local_day, spec.not_after_s))
        return instant_s

    def _local(self, instant_s: int) -> int:
        return instant_s + offset_at(self._zone, instant_s)

    def _at(self, local_day: int, time: int) -> int:
        return first_instant_of(self._zone, local_day * DAY + time)[0]

    def words(self) -> str:
        """``every day 30 minutes before sunset at 56.95, 24.11``."""
        spec = self._spec
        text = "every day" if spec.weekdays == _EVERY_DAY else "on " + words.weekdays(spec.weekdays)
        if spec.offset_s:
            side = "before" if spec.offset_s < 0 else "after"
            length = words.every(abs(spec.offset_s)).removeprefix("every ")
            text += f" {'1 ' + length if length.isalpha() else length} {side} {spec.event.value}"
        else:
            text += f" at {spec.event.value}"
        text += f" at {spec.latitude:g}, {spec.longitude:g}"
        if spec.not_before_s is not None:
            text += f", not before {words.clock(spec.not_before_s)}"
        if spec.not_after_s is not None:
            text += f", not after {words.clock(spec.not_after_s)}"
        return f"{text} ({self._zone_name})"
