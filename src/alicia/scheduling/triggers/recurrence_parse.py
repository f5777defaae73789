"""The object forms of ``recurrence``: structured, and by the sun.

Source: contract.md §4; scheduling.md §1.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Final

from alicia.base.durations import parse_duration_ms
from alicia.base.errors import BadField
from alicia.scheduling.triggers.cron_days import EPOCH_ORDINAL
from alicia.scheduling.triggers.cron_fields import MONTH, WEEKDAY
from alicia.scheduling.triggers.recurrence import Frequency, Recurrence
from alicia.scheduling.triggers.sun import SunSpec
from alicia.scheduling.triggers.sun_position import SunEvent

_TIME: Final = re.compile(r"([01]?[0-9]|2[0-3]):([0-5][0-9])(?::([0-5][0-9]))?")
_EVERY_MAX: Final = 10_000
_LIST_MAX: Final = 1440
_OFFSET_S_MAX: Final = 12 * 3600
_GROUPS: Final = {"weekdays": 0b0111110, "weekend": 0b1000001, "weekends": 0b1000001}
_STRUCTURED_KEYS: Final = frozenset(
    {"frequency", "every", "time_of_day", "days_of_week", "days_of_month", "month", "month_end"}
)
_SUN_KEYS: Final = frozenset(
    {"sun", "offset", "latitude", "longitude", "not_before", "not_after", "days_of_week", "polar"}
)


def _fault(key: str, message: str, reason: str = "bad_recurrence") -> BadField:
    return BadField(("recurrence", key), f"recurrence.{key}: {message}", reason=reason)


def read_recurrence(given: Mapping[str, object], anchor: datetime) -> Recurrence:
    """A structured recurrence; what it leaves out is the anchor's.

    Raises:
        BadField: names the key within ``recurrence``.
    """
    _known(given, _STRUCTURED_KEYS)
    frequency = _word(given, "frequency", tuple(Frequency))
    monthly = frequency in (Frequency.MONTHLY, Frequency.YEARLY)
    weekdays = _weekdays(given)
    if monthly and weekdays:
        raise _fault("days_of_week", "goes with hourly, daily and weekly; use days_of_month")
    if not monthly and "days_of_month" in given:
        raise _fault("days_of_month", "goes with monthly and yearly; use days_of_week")
    if frequency is Frequency.WEEKLY and not weekdays:
        weekdays = 1 << anchor.isoweekday() % 7
    return Recurrence(
        frequency=Frequency(frequency),
        every=_whole("every", given.get("every", 1), 1, _EVERY_MAX),
        anchor_day=anchor.toordinal() - EPOCH_ORDINAL,
        anchor_hour=anchor.hour,
        times=_times(given, anchor, hourly=frequency is Frequency.HOURLY),
        weekdays=weekdays,
        days=_month_days(given, anchor) if monthly else (),
        month=_month(given, anchor),
        clamp=_word(given, "month_end", ("clamp", "skip"), default="clamp") == "clamp",
    )


def read_sun(given: Mapping[str, object]) -> SunSpec:
    """A recurrence by the sun.

    Raises:
        BadField: names the key within ``recurrence``.
    """
    _known(given, _SUN_KEYS)
    weekdays = _weekdays(given)
    return SunSpec(
        event=SunEvent(_word(given, "sun", tuple(SunEvent))),
        latitude=_degrees(given, "latitude", 90),
        longitude=_degrees(given, "longitude", 180),
        offset_s=_offset(given.get("offset", 0)),
        not_before_s=_optional_time(given, "not_before"),
        not_after_s=_optional_time(given, "not_after"),
        polar_s=_optional_time(given, "polar"),
        **({"weekdays": weekdays} if weekdays else {}),
    )


def _known(given: Mapping[str, object], keys: frozenset[str]) -> None:
    for key in given:
        if key not in keys:
            raise _fault(str(key)[:40], "is not understood; there are " + " ".join(sorted(keys)),
                         "unknown_field")  # fmt: skip


def _word(given: Mapping[str, object], key: str, words: tuple[str, ...], default: str = "") -> str:
    value = given.get(key, default)
    text = value.strip().lower() if isinstance(value, str) else ""
    for word in words:
        if text == word:
            return word
    raise _fault(key, f"{str(value)[:40]!r} must be one of " + " ".join(map(str, words)))


def _whole(key: str, value: object, low: int, high: int) -> int:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool) and low <= value <= high:
        return value
    raise _fault(key, f"{str(value)[:40]!r} must be a whole number from {low} to {high}")


def _list(key: str, value: object) -> list[object]:
    items = list(value) if isinstance(value, list | tuple) else [value]
    if not 1 <= len(items) <= _LIST_MAX:
        raise _fault(key, f"a list holds 1 to {_LIST_MAX} entries")
    return items


def _times(given: Mapping[str, object], anchor: datetime, *, hourly: bool) -> tuple[int, ...]:
    if "time_of_day" not in given:
        hour = 0 if hourly else anchor.hour
        return (hour * 3600 + anchor.minute * 60 + anchor.second,)
    found = {read_time(item, "time_of_day") for item in _list("time_of_day", given["time_of_day"])}
    # An hourly recurrence has every hour: only minute and second of the time count.
    return tuple(sorted({time % 3600 for time in found} if hourly else found))


def read_time(value: object, key: str) -> int:
    """Seconds of the day of ``HH:MM[:SS]``.

    Raises:
        BadField: not a time of day.
    """
    match = _TIME.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None:
        raise _fault(key, f"{str(value)[:40]!r} must be HH:MM or HH:MM:SS", "bad_time_of_day")
    return int(match[1]) * 3600 + int(match[2]) * 60 + int(match[3] or 0)


def _optional_time(given: Mapping[str, object], key: str) -> int | None:
    return None if given.get(key) is None else read_time(given[key], key)


def _weekdays(given: Mapping[str, object]) -> int:
    if given.get("days_of_week") is None:
        return 0
    mask = 0
    for item in _list("days_of_week", given["days_of_week"]):
        text = item.strip().lower() if isinstance(item, str) else ""
        if text in _GROUPS:
            mask |= _GROUPS[text]
        elif text in WEEKDAY.names:
            mask |= 1 << WEEKDAY.names[text]
        else:
            # Numbers as in cron: 0 and 7 are Sunday.
            number = int(text) if text in tuple("01234567") else item
            mask |= 1 << _whole("days_of_week", number, 0, 7) % 7
    return mask


def _month_days(given: Mapping[str, object], anchor: datetime) -> tuple[int, ...]:
    if given.get("days_of_month") is None:
        return (anchor.day,)
    days = {_whole("days_of_month", item, -1, 31)
            for item in _list("days_of_month", given["days_of_month"])}  # fmt: skip
    if 0 in days:
        raise _fault("days_of_month", "0 is no day; write 1 to 31, or -1 for the last")
    return tuple(sorted(days - {-1})) + ((-1,) if -1 in days else ())


def _month(given: Mapping[str, object], anchor: datetime) -> int:
    value = given.get("month")
    if value is None:
        return anchor.month
    if isinstance(value, str) and value.strip().lower() in MONTH.names:
        return MONTH.names[value.strip().lower()]
    return _whole("month", value, 1, 12)


def _degrees(given: Mapping[str, object], key: str, bound: int) -> float:
    value = given.get(key)
    if isinstance(value, int | float) and -bound <= value <= bound and not isinstance(value, bool):
        return float(value)
    wanted = f"degrees from -{bound} to {bound}"
    if value is None:
        raise _fault(key, f"is missing; write {wanted}", "missing")
    raise _fault(key, f"{str(value)[:40]!r} must be {wanted}")


def _offset(value: object) -> int:
    """Signed seconds of ``-30m`` or a number."""
    sign, magnitude = 1, value
    if isinstance(value, str):
        text = value.strip()
        sign, magnitude = (-1 if text.startswith("-") else 1), text.lstrip("+-")
    elif isinstance(value, int | float) and value < 0:
        sign, magnitude = -1, -value
    if not isinstance(magnitude, str | int | float):
        raise _fault("offset", "write a duration such as -30m or 1h")
    seconds = parse_duration_ms(magnitude, field="recurrence.offset") / 1000
    if seconds > _OFFSET_S_MAX:
        raise _fault("offset", "must lie between -12h and 12h")
    return sign * round(seconds)
