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
    text = repr(value)
    if not text[-1].isalpha() and "e" not in text:  # nearly all; answers hold millions of them
        return text.removesuffix(".0")
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    size = abs(value)
    shortest = Decimal(text)
    if _PLAIN_MIN <= size < _PLAIN_LIMIT:
        plain = format(shortest, "f")
        return plain.rstrip("0").rstrip(".") if "." in plain else plain
    sign, digits, exponent = shortest.normalize().as_tuple()
    assert isinstance(exponent, int), "the value is finite"
    power = exponent + len(digits) - 1
    first, *rest = map(str, digits)
    mantissa = f"{first}.{''.join(rest)}" if rest else first
    return f"{'-' if sign else ''}{mantissa}e{'-' if power < 0 else '+'}{abs(power):02d}"


def format_time(t_ms: int) -> str:
    """Seconds as a JSON number: without a fraction, or with exactly three digits."""
    seconds, rest = divmod(abs(t_ms), 1000)
    sign = "-" if t_ms < 0 else ""
    return f"{sign}{seconds}.{rest:03d}" if rest else f"{sign}{seconds}"
