"""Floats as text, the way Prometheus' Go code writes and reads them."""

import math
import re
import struct
from decimal import Decimal
from typing import Final

# The one NaN that a text can mean; Prometheus stores these bits for it.
NAN: Final[float] = struct.unpack("<d", struct.pack("<Q", 0x7FF8_0000_0000_0001))[0]
FLOAT_CHARS_MAX: Final = 1000  # more digits than any double has
_NUMBER: Final = re.compile(r"[+-]?(?:\d++\.?\d*+|\.\d++)(?:[eE][+-]?\d++)?", re.ASCII)
_INFINITY: Final = re.compile(r"([+-]?)inf(?:inity)?", re.ASCII | re.IGNORECASE)


def parse_float(text: str) -> float | None:
    """The double that a text means; None where it is no number, or one beyond all doubles.

    Source: Go ``strconv.ParseFloat`` without hexadecimal digits and underscores, as Prometheus
    and OpenMetrics 1.0.0 ("number") take it.
    """
    if len(text) <= FLOAT_CHARS_MAX and _NUMBER.fullmatch(text):
        value = float(text)
        return value if math.isfinite(value) else None
    if text.lower() == "nan":
        return NAN
    infinite = _INFINITY.fullmatch(text)
    if infinite is None:
        return None
    return -math.inf if infinite[1] == "-" else math.inf


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
