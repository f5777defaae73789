"""Values of literal tokens: numbers, durations as numbers, quoted text; and back."""

import math
import re
from typing import Final

_ESCAPE: Final = re.compile(
    r"\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-7]{3})|(.))", re.DOTALL
)
_PLAIN: Final = {
    "a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v",
    "\\": "\\", '"': '"', "'": "'",
}  # fmt: skip
_UNIT_SECONDS: Final = {
    "ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800, "y": 31_536_000,
}  # fmt: skip
_PART: Final = re.compile(r"([0-9]+)(ms|[smhdwy])")
_EXACT_WHOLE_MAX: Final = 2.0**53


def number_of(text: str) -> float:
    """The value of a number token; decimal, hexadecimal, with ``_`` between digits."""
    plain = text.replace("_", "")
    return float(int(plain, 16)) if plain[:2].lower() == "0x" else float(plain)


def seconds_of(text: str) -> float:
    """The value of a duration token where a number stands: ``1h30m`` is 5400."""
    return sum(int(count) * _UNIT_SECONDS[unit] for count, unit in _PART.findall(text))


def text_of(quoted: str) -> str:
    """The content of a text token, with Go's escapes; backquotes have none.

    Raises:
        ValueError: an escape that does not exist or names no character.
    """
    inner = quoted[1:-1]
    return inner if quoted[0] == "`" else _ESCAPE.sub(_unescape, inner)


def format_number(value: float) -> str:
    """The shortest text that reads back as the value: ``90``, ``0.5``, ``Inf``."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Inf" if value > 0 else "-Inf"
    whole = value == int(value) and abs(value) < _EXACT_WHOLE_MAX
    return str(int(value)) if whole else repr(value)


def format_text(value: str) -> str:
    """A text in double quotes, as the lexer reads it."""
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


def _unescape(match: re.Match[str]) -> str:
    hex2, hex4, hex8, octal, plain = match.groups()
    if plain is not None:
        if plain not in _PLAIN:
            raise ValueError(f"unknown escape \\{plain}")
        return _PLAIN[plain]
    code = int(octal, 8) if octal else int(hex2 or hex4 or hex8, 16)
    if code > 0x10FFFF or 0xD800 <= code < 0xE000:
        raise ValueError(f"escape {match.group()} names no character")
    return chr(code)
