import math

import pytest

from alicia.wire.prom_json import format_time, format_value

VALUES = [
    (0.0, "0"), (-0.0, "-0"), (1.0, "1"), (-2.5, "-2.5"), (0.1, "0.1"), (1e-6, "0.000001"),
    (1e-7, "1e-07"), (1.5e-9, "1.5e-09"), (1e20, "100000000000000000000"), (1e21, "1e+21"),
    (1.25e300, "1.25e+300"), (123456789.125, "123456789.125"), (math.nan, "NaN"),
    (math.inf, "+Inf"), (-math.inf, "-Inf"), (5e-324, "5e-324"),
]  # fmt: skip


@pytest.mark.parametrize(("value", "text"), VALUES)
def test_values(value: float, text: str) -> None:
    assert format_value(value) == text
    if math.isfinite(value):
        assert float(text) == value


@pytest.mark.parametrize(
    ("t_ms", "text"),
    [(0, "0"), (1000, "1"), (1250, "1.250"), (-2000, "-2"), (-1250, "-1.250"), (-5, "-0.005"),
     (1795425234001, "1795425234.001")],
)  # fmt: skip
def test_times_are_numbers_in_seconds(t_ms: int, text: str) -> None:
    assert format_time(t_ms) == text
