"""Floats as text, the way Prometheus' Go code writes them."""

import math
from decimal import Decimal


def format_float(value: float) -> str:
    """The shortest text that reads back as the same double; ``+Inf``, ``-Inf``, ``NaN``.

    Source: Go ``strconv.FormatFloat(value, 'g', -1, 64)``: an exponent from 1e+06 and below 1e-4.
    """
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    text = repr(value)
    if value == 0 or (1e-4 <= abs(value) < 1e6 and "e" not in text):
        return text.removesuffix(".0")
    digits = "".join(map(str, Decimal(text).normalize().as_tuple().digits))
    exponent = Decimal(text).adjusted()
    mantissa = digits[0] + ("." + digits[1:] if len(digits) > 1 else "")
    return f"{'-' if value < 0 else ''}{mantissa}e{exponent:+03d}"


def format_bound(value: float) -> str:
    """A value of ``le`` or ``quantile`` in its one canonical form: ``1`` is ``1.0``.

    Source: metrics.md §1; OpenMetrics 1.0.0, "canonical numbers".
    """
    text = format_float(value)
    return text if "." in text or "e" in text or not math.isfinite(value) else text + ".0"
