import math
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alicia.base.errors import BadField
from alicia.base.times import datetime_ms, datetime_us, parse_time_ms, within_years

MOMENT_MS = 1_795_425_234_490


@pytest.mark.parametrize(
    "given_time",
    [
        1_795_425_234.49,
        MOMENT_MS,
        MOMENT_MS * 1000,
        MOMENT_MS * 1_000_000,
        str(MOMENT_MS),
        "2026-11-23T09:13:54.490Z",
        "2026-11-23t09:13:54.490z",
        "2026-11-23 10:13:54.49+01:00",
        "2026-11-23T09:13:54,490",
    ],
)
def test_one_instant_in_every_spelling(given_time: str | float) -> None:
    assert parse_time_ms(given_time) == MOMENT_MS


def test_times_before_1970_are_legal() -> None:
    assert parse_time_ms("1969-12-31T23:59:59Z") == -1000
    assert parse_time_ms(-1.5) == -1500


@pytest.mark.parametrize(
    "bad",
    [
        "",
        "yesterday",
        "1_795_425_234",
        "2026-13-01T00:00:00Z",
        "2026-02-30",
        "1e30",
        True,
        math.nan,
        math.inf,
        1e30,
    ],
)
def test_refuses_what_is_no_time(bad: str | float) -> None:
    with pytest.raises(BadField) as caught:
        parse_time_ms(bad, field="since")
    assert caught.value.reason == "bad_time"
    assert "since" in str(caught.value)


@pytest.mark.parametrize(
    ("text", "within"),
    [
        ("1969-12-31T23:59:59.999Z", False),
        ("1970-01-01T00:00:00Z", True),
        ("2199-12-31T23:59:59.999Z", True),
        ("2200-01-01T00:00:00Z", False),
    ],
)
def test_the_years_of_calendars(text: str, within: bool) -> None:
    assert within_years(parse_time_ms(text)) is within


@given(st.datetimes(min_value=datetime(1900, 1, 1), max_value=datetime(2200, 1, 1)))  # noqa: DTZ001
def test_microseconds_are_exact_in_every_zone(naive: datetime) -> None:
    moment = naive.replace(tzinfo=UTC)
    shifted = moment.astimezone(timezone(timedelta(hours=5, minutes=45)))
    assert datetime_us(moment) == datetime_us(shifted)
    assert datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=datetime_us(moment)) == moment
    assert datetime_ms(moment) == datetime_us(moment) // 1000
