"""Numbers and times as peers write them (tolerance T1-T3 of bus.md §5)."""

import math
import re
from collections.abc import Mapping
from typing import Final

from alicia.base.errors import BadField
from alicia.base.times import parse_time_ms
from alicia.wire.rejects import Refused

SKEW_AHEAD_MS: Final = 5 * 60 * 1000
SKEW_BEHIND_MS: Final = 24 * 3600 * 1000
_NUMBER: Final = re.compile(
    r"[+-]?(?:\d{1,3}(?:,\d{3})+|\d+)?(?:\.\d*)?(?:[eE][+-]?\d{1,3})?\s*%?", re.ASCII
)
_SHOWN_MAX: Final = 40
_JSON_NAMES: Final[Mapping[type, str]] = {
    dict: "an object",
    list: "an array",
    bool: "a boolean",
    bytes: "bytes",
}


def parse_value(raw: object, *, field: str) -> float:
    """A finite number from a number, a boolean, or a text such as ``"42.5 %"`` or ``"1,234"``.

    Raises:
        Refused: ``bad_value``; NaN and infinities have no JSON form, so a text of them is a fault.
    """
    if isinstance(raw, str):
        number = _number(raw)
    elif isinstance(raw, int | float):
        try:
            number = float(raw)
        except OverflowError:
            number = math.inf
    else:
        number = math.nan
    if raw is None:
        raise Refused("bad_value", f"{field}: is missing or null; send a number")
    if not math.isfinite(number):
        raise Refused("bad_value", f"{field}: {shown(raw)} is not a finite number; send a number")
    return number


def number_in(text: str) -> float | None:
    """The finite number that a text is (T1), if it is one."""
    number = _number(text)
    return number if math.isfinite(number) else None


def parse_stamp(raw: object, *, received_ms: int) -> int:
    """A sender's time in ms; None is the time of receipt.

    Raises:
        Refused: ``bad_time``.
    """
    if raw is None:
        return received_ms
    if not isinstance(raw, str | int | float):
        raise Refused("bad_time", f"timestamp: {shown(raw)} is not a time; send epoch seconds")
    try:
        return parse_time_ms(raw)
    except BadField as error:
        raise Refused(error.reason, str(error)) from None
    except OverflowError:
        raise Refused("bad_time", "timestamp: far outside the calendar; send seconds") from None


def unskewed(t_ms: int, *, received_ms: int) -> int:
    """The time itself, or that of receipt where the sender's clock is plainly wrong (T3)."""
    if -SKEW_BEHIND_MS <= t_ms - received_ms <= SKEW_AHEAD_MS:
        return t_ms
    return received_ms


def shown(raw: object) -> str:
    """A peer's value for a message: short, on one line."""
    text = repr(raw[:_SHOWN_MAX]) if isinstance(raw, str) else _JSON_NAMES.get(type(raw), "a value")
    if isinstance(raw, int | float) and not isinstance(raw, bool):
        text = str(raw) if isinstance(raw, float) or abs(raw) < 10**_SHOWN_MAX else "a huge number"
    return "null" if raw is None else text


def _number(text: str) -> float:
    stripped = text.strip()
    if len(stripped) > _SHOWN_MAX or not _NUMBER.fullmatch(stripped):
        return math.nan
    try:
        return float(stripped.rstrip("% ").replace(",", ""))
    except ValueError:  # a lone sign or point
        return math.nan
