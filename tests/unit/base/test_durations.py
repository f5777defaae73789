import contextlib
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alicia.base.durations import format_duration_ms, parse_duration_ms
from alicia.base.errors import BadField


@pytest.mark.parametrize(
    ("text", "expected_ms"),
    [
        ("500ms", 500),
        ("30s", 30_000),
        ("5m", 300_000),
        ("1h", 3_600_000),
        ("7d", 604_800_000),
        ("2w", 1_209_600_000),
        ("1y", 31_536_000_000),
        ("1h30m", 5_400_000),
        ("1.5s", 1500),
        (" 2s ", 2000),
        ("90", 90_000),
        ("0.25", 250),
        (0, 0),
        (1.5, 1500),
        (30, 30_000),
    ],
)
def test_reads_what_users_write(text: str | float, expected_ms: int) -> None:
    assert parse_duration_ms(text) == expected_ms


@pytest.mark.parametrize(
    "bad",
    ["", "s", "5 minutes", "-1s", "1s5", "1e400", "nan", "inf", "1M", "9" * 65, "301y"],
)
def test_refuses_what_is_no_duration(bad: str) -> None:
    with pytest.raises(BadField) as caught:
        parse_duration_ms(bad, field="timeout")
    assert caught.value.reason == "bad_duration"
    assert caught.value.loc == ("timeout",)


@pytest.mark.parametrize("bad", [True, -1, math.nan, math.inf, -0.5, 1e300])
def test_refuses_numbers_that_are_no_duration(bad: float) -> None:
    with pytest.raises(BadField):
        parse_duration_ms(bad)


@given(st.integers(min_value=0, max_value=300 * 365 * 86_400_000))
def test_format_is_read_back(value_ms: int) -> None:
    assert parse_duration_ms(format_duration_ms(value_ms)) == value_ms


@given(st.text(max_size=80))
def test_no_text_raises_anything_else(text: str) -> None:
    with contextlib.suppress(BadField):
        assert parse_duration_ms(text) >= 0
