"""Instants as people write them for events: with an offset, or as wall time in the zone."""

import re
from datetime import UTC, datetime, tzinfo
from typing import Final, TypeGuard

from alicia.base.errors import BadField
from alicia.base.limits import YEAR_MAX, YEAR_MIN
from alicia.base.times import EPOCH_SECONDS_MAX, datetime_us, parse_time_ms
from alicia.scheduling.event import SECOND_US
from alicia.scheduling.localtime import END_S, first_instant_of

_EPOCH: Final = datetime(1970, 1, 1)  # noqa: DTZ001 (local wall time)
_WALL: Final = re.compile(r"\d{4}-\d\d-\d\d(?:[Tt ]\d\d:\d\d(?::\d\d(?:[.,]\d{1,6})?)?)?")
_AWARE: Final = re.compile(
    r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?(?:[Zz]|[+-]\d\d:?\d\d)"
)


def read_instant(value: object, zone: tzinfo, *, field: str) -> tuple[int, str]:
    """Microseconds UTC, and a warning where the wall time is odd (else empty).

    A text without an offset is wall time in the zone: in a gap the gap's end, in an overlap the
    first pass. Numbers are epoch seconds, exact to the microsecond (ms, µs and ns by size).

    Raises:
        BadField: not a time, or outside 1970-2199.
    """
    if isinstance(value, str) and _WALL.fullmatch(value.strip()):
        return _from_wall(value.strip(), zone, field)
    if isinstance(value, str) and _AWARE.fullmatch(value.strip()):
        try:
            moment = datetime.fromisoformat(value.strip().replace(",", ".").upper())
            instant = datetime_us(moment)
        except (ValueError, OverflowError):
            raise _bad(value, field) from None
    elif _is_seconds(value):
        instant = round(value * SECOND_US)
    elif isinstance(value, str | int | float):
        instant = parse_time_ms(value, field=field) * 1000
    else:
        raise _bad(value, field)
    if not 0 <= instant < END_S * SECOND_US:
        raise _bad(value, field)
    return instant, ""


def _is_seconds(value: object) -> TypeGuard[float]:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return abs(value) < EPOCH_SECONDS_MAX


def format_instant(instant_us: int, zone: tzinfo) -> str:
    """RFC 3339 with the zone's offset at that instant; fractions only where there are some."""
    moment = datetime.fromtimestamp(instant_us // SECOND_US, zone)
    return moment.replace(microsecond=instant_us % SECOND_US).isoformat()


def format_utc(instant_us: int) -> str:
    """RFC 3339 in UTC, exact to the microsecond."""
    return format_instant(instant_us, UTC)


def _from_wall(text: str, zone: tzinfo, field: str) -> tuple[int, str]:
    try:
        moment = datetime.fromisoformat(text.replace(",", ".").upper())
    except ValueError:
        raise _bad(text, field) from None
    if not YEAR_MIN <= moment.year <= YEAR_MAX:
        raise _bad(text, field)
    delta = moment - _EPOCH
    instant_s, oddity = first_instant_of(zone, delta.days * 86_400 + delta.seconds)
    instant = instant_s * SECOND_US
    if oddity == "gap":
        local = format_instant(instant, zone)
        return instant, f"{field}: {text} does not exist, the clock is put ahead; taken as {local}"
    instant += delta.microseconds
    if oddity == "overlap":
        local = format_instant(instant, zone)
        return instant, f"{field}: {text} comes twice; the first one is taken, {local}"
    return instant, ""


def _bad(value: object, field: str) -> BadField:
    return BadField(
        field,
        f"{field}: {str(value)[:64]!r} is not a time between {YEAR_MIN} and {YEAR_MAX}; write"
        " RFC 3339 (2026-11-25T07:30:00+01:00), wall time of the event's zone"
        " (2026-11-25T07:30:00) or epoch seconds",
        reason="bad_time",
    )
