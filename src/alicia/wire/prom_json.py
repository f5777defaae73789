"""Numbers and times as the Prometheus HTTP API writes them.

Source: metrics.md §6.
"""

import math
from decimal import Decimal
from typing import Final

_PLAIN_MIN: Final = 1e-6  # below this, and from _PLAIN_LIMIT on, the exponent form
_PLAIN_LIMIT: Final = 1e21


def format_value(value: float) -> str:
    """The shortest text that reads back as the value: ``42``, ``0.1``, ``1e-07``, ``+Inf``."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    size = abs(value)
    shortest = Decimal(repr(value))
    if size == 0 or _PLAIN_MIN <= size < _PLAIN_LIMIT:
        text = format(shortest, "f")
        return text.rstrip("0").rstrip(".") if "." in text else text
    sign, digits, exponent = shortest.normalize().as_tuple()
    assert isinstance(exponent, int), "the value is finite"
    power = exponent + len(digits) - 1
    first, *rest = map(str, digits)
    mantissa = f"{first}.{''.join(rest)}" if rest else first
    return f"{'-' if sign else ''}{mantissa}e{'-' if power < 0 else '+'}{abs(power):02d}"


def format_time(t_ms: int) -> int | float:
    """Seconds as a JSON number: whole where they are, else with milliseconds."""
    return t_ms // 1000 if t_ms % 1000 == 0 else t_ms / 1000


def point(t_ms: int, value: float) -> list[object]:
    """One instant and its value."""
    return [format_time(t_ms), format_value(value)]
