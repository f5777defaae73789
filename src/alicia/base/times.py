"""Instants as users and peers write them; all arithmetic is in integer milliseconds UTC."""

import re
from datetime import UTC, datetime
from typing import Final

from alicia.base.errors import BadField
from alicia.base.limits import YEAR_MAX, YEAR_MIN

# Largest absolute value read as each unit: 1e11 s is the year 5138, 1e11 ms is 1973.
EPOCH_SECONDS_MAX: Final = 1e11
_MILLIS_MAX: Final = 1e14
_MICROS_MAX: Final = 1e17
_NANOS_MAX: Final = 1e21
_TIME_MS_MAX: Final = 253_402_300_799_999  # 9999-12-31T23:59:59.999Z
_RFC3339: Final = re.compile(
    r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?(?:[Zz]|[+-]\d\d:?\d\d)?"
)


def parse_time_ms(value: str | int | float, *, field: str = "timestamp") -> int:
    """Milliseconds UTC of an RFC 3339 text or an epoch number in s, ms, µs or ns.

    The unit of a number is told by its size. A text without an offset is UTC.

    Raises:
        BadField: not a time, not finite, or after the year 9999.
    Source: contract.md §3.
    """
    if isinstance(value, bool):
        raise _bad(field, value)
    if isinstance(value, int | float):
        return _epoch_ms(value, field, value)
    text = value.strip()
    if len(text) <= 64 and _RFC3339.fullmatch(text):
        return datetime_ms(_parse_rfc3339(text, field))
    try:
        number = float("" if "_" in text else text)  # which only Python takes for a number
    except ValueError:
        raise _bad(field, text[:64]) from None
    return _epoch_ms(number, field, value)


def datetime_ms(moment: datetime) -> int:
    """Milliseconds UTC of an aware datetime, rounded down; exact for whole milliseconds."""
    return datetime_us(moment) // 1000


def datetime_us(moment: datetime) -> int:
    """Microseconds UTC of an aware datetime, exact."""
    assert moment.tzinfo is not None, "instants are aware"
    delta = moment - datetime(1970, 1, 1, tzinfo=UTC)
    return (delta.days * 86_400 + delta.seconds) * 1_000_000 + delta.microseconds


def within_years(value_ms: int) -> bool:
    """Whether an instant lies within YEAR_MIN to YEAR_MAX, in UTC, where every calendar works."""
    return _YEARS_FROM_MS <= value_ms < _YEARS_TO_MS


def seconds(value_ms: int) -> float:
    """Epoch seconds as the API answers them."""
    return value_ms / 1000


_YEARS_FROM_MS: Final = datetime_ms(datetime(YEAR_MIN, 1, 1, tzinfo=UTC))
_YEARS_TO_MS: Final = datetime_ms(datetime(YEAR_MAX + 1, 1, 1, tzinfo=UTC))


def _epoch_ms(number: float, field: str, given: object) -> int:
    size = abs(number)  # an int of any length: compared before it becomes a float
    if not size < _NANOS_MAX:  # NaN fails the comparison
        raise _bad(field, given)
    if size < EPOCH_SECONDS_MAX:
        result = round(number * 1000)
    elif size < _MILLIS_MAX:
        result = round(number)
    elif size < _MICROS_MAX:
        result = round(number / 1000)
    else:
        result = round(number / 1_000_000)
    if abs(result) > _TIME_MS_MAX:
        raise _bad(field, given)
    return result


def _parse_rfc3339(text: str, field: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text.replace(",", ".").upper())
    except ValueError:
        raise _bad(field, text) from None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


def _bad(field: str, given: object) -> BadField:
    return BadField(
        field,
        f"{field}: {given!r} is not a time; write RFC 3339 (2026-11-25T07:30:00+01:00)"
        " or epoch seconds",
        reason="bad_time",
    )
