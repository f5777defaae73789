"""Texts of annotations: ``{{ $labels.x }}`` and ``{{ $value }}`` are looked up, nothing more."""

import math
import re
from collections.abc import Mapping
from typing import Final

from alicia.base.limits import LABEL_VALUE_BYTES_MAX

_PLACE: Final = re.compile(
    r"\{\{\s*(?:\$labels\.(?P<label>[A-Za-z_]\w*)|\$labels\[\"(?P<quoted>[^\"]*)\"\]"
    r"|(?P<value>\$value))\s*\}\}"
)


def render(template: str, *, labels: Mapping[str, str], value: float) -> str:
    """The text with its places filled; unknown labels are empty, other braces stay as they are.

    The result is cut at LABEL_VALUE_BYTES_MAX characters, because labels come from peers.
    """

    def fill(match: re.Match[str]) -> str:
        if match["value"]:
            return format_value(value)
        return labels.get(match["label"] or match["quoted"], "")

    return _PLACE.sub(fill, template)[:LABEL_VALUE_BYTES_MAX]


def format_value(value: float) -> str:
    """A value for people: at most 6 significant digits, no exponent below a million."""
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else f"{'+' if value > 0 else '-'}Inf"
    if value == int(value) and abs(value) < 1e15:
        return str(int(value))
    return f"{value:.6g}"
