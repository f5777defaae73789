"""Numbers, times and floats as peers write them."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alicia.wire.floats import format_bound, format_float
from alicia.wire.rejects import Refused
from alicia.wire.values import parse_stamp, parse_value, unskewed

NOW_MS = 1_795_425_234_000


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        (42, 42.0),
        (-0.5, -0.5),
        (True, 1.0),
        (False, 0.0),
        ("42", 42.0),
        (" 42.5 % ", 42.5),
        ("42.5%", 42.5),
        ("1,234", 1234.0),
        ("1,234,567.5", 1_234_567.5),
        ("-1e3", -1000.0),
        (".5", 0.5),
        ("5.", 5.0),
    ],
)
def test_numbers_are_read(raw: object, value: float) -> None:
    assert parse_value(raw, field="value") == value


@pytest.mark.parametrize(
    "raw",
    ["NaN", "nan", "Infinity", "inf", "1e999", "", " ", "-", ".", "%", "1,23", "12,34", "1 2",
     "0x10", "42 ms", "٤٢", "1" * 400, None, [], {}, [1], math.nan, math.inf, -math.inf, 10**400],
)  # fmt: skip
def test_what_is_no_finite_number_is_refused(raw: object) -> None:
    with pytest.raises(Refused) as caught:
        parse_value(raw, field="value")
    assert caught.value.code == "bad_value"
    assert caught.value.detail.startswith("value: ")
    assert len(caught.value.detail) < 150


@pytest.mark.parametrize(
    ("raw", "t_ms"),
    [
        (None, NOW_MS),
        (1_795_425_234, NOW_MS),
        (1_795_425_234.5, NOW_MS + 500),
        (NOW_MS, NOW_MS),
        (NOW_MS * 1000, NOW_MS),
        (NOW_MS * 1_000_000, NOW_MS),
        ("2026-11-23T09:13:54Z", NOW_MS),
        ("2026-11-23T10:13:54+01:00", NOW_MS),
    ],
)
def test_times_are_told_apart_by_size(raw: object, t_ms: int) -> None:
    assert parse_stamp(raw, received_ms=NOW_MS) == t_ms


@pytest.mark.parametrize("raw", ["soon", True, [], {}, 10**400, math.nan, math.inf, 1e300, ""])
def test_what_is_no_time_is_refused(raw: object) -> None:
    with pytest.raises(Refused) as caught:
        parse_stamp(raw, received_ms=NOW_MS)
    assert caught.value.code == "bad_time"


@pytest.mark.parametrize(
    ("offset_ms", "kept"),
    [
        (0, True),
        (300_000, True),
        (300_001, False),
        (-86_400_000, True),
        (-86_400_001, False),
    ],
)
def test_a_clock_that_is_plainly_wrong_gives_the_time_of_receipt(
    offset_ms: int, kept: bool
) -> None:
    expected = NOW_MS + offset_ms if kept else NOW_MS
    assert unskewed(NOW_MS + offset_ms, received_ms=NOW_MS) == expected


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (-0.0, "-0"),
        (1.0, "1"),
        (0.1, "0.1"),
        (100_000.0, "100000"),
        (999_999.0, "999999"),
        (1_000_000.0, "1e+06"),
        (123_456_789.0, "1.23456789e+08"),
        (-2.5e-7, "-2.5e-07"),
        (0.0001, "0.0001"),
        (0.00001, "1e-05"),
        (1e21, "1e+21"),
        (1.7976931348623157e308, "1.7976931348623157e+308"),
        (math.inf, "+Inf"),
        (-math.inf, "-Inf"),
        (math.nan, "NaN"),
    ],
)
def test_floats_are_written_as_go_does(value: float, text: str) -> None:
    assert format_float(value) == text


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_floats_survive_their_text(value: float) -> None:
    assert float(format_float(value)) == value


@pytest.mark.parametrize(
    ("value", "text"),
    [(1.0, "1.0"), (0.5, "0.5"), (10.0, "10.0"), (1e6, "1e+06"), (math.inf, "+Inf")],
)
def test_bounds_have_one_form(value: float, text: str) -> None:
    assert format_bound(value) == text
