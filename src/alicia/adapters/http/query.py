"""Query parameters, read with the same care and the same errors as bodies."""

import re
from typing import Final

from starlette.requests import Request

from alicia.base.durations import parse_duration_ms
from alicia.base.errors import BadField
from alicia.base.times import parse_time_ms

_CHARS_MAX = 1024
# An offset whose + was not percent-encoded: decoding a query makes it a space.
_LOST_PLUS: Final = re.compile(r"(:\d\d(?:\.\d+)?) (\d\d:?\d\d)$")


def query_text(request: Request, name: str, *, chars_max: int = _CHARS_MAX) -> str | None:
    """A parameter as text; None where it is absent or empty.

    Raises:
        BadField: it is given twice, or longer than ``chars_max``.
    """
    values = request.query_params.getlist(name)
    if len(values) > 1:
        raise BadField(name, f"{name}: may be given once", reason="repeated_parameter")
    if not values or not values[0]:
        return None
    if len(values[0]) > chars_max:
        raise BadField(name, f"{name}: longer than {chars_max} characters", reason="too_long")
    return values[0]


def query_whole(request: Request, name: str, *, default: int, minimum: int, maximum: int) -> int:
    """A whole number between ``minimum`` and ``maximum``, both inclusive.

    Raises:
        BadField: it is no whole number, or out of bounds.
    """
    text = query_text(request, name)
    if text is None:
        return default
    digits = text.removeprefix("-")
    if digits.isascii() and digits.isdigit() and len(digits) <= 18:  # what int64 surely holds
        value = int(text)
        if minimum <= value <= maximum:
            return value
    raise BadField(
        name,
        f"{name}: {text[:64]!r} is no whole number between {minimum} and {maximum}",
        reason="bad_number",
    )


def query_switch(request: Request, name: str, *, default: bool) -> bool:
    """A parameter that is true or false.

    Raises:
        BadField: it is another word.
    """
    text = query_text(request, name)
    if text is None:
        return default
    lowered = text.lower()
    if lowered in ("true", "1", "yes", "on"):
        return True
    if lowered in ("false", "0", "no", "off"):
        return False
    raise BadField(name, f"{name}: {text[:64]!r} is neither true nor false", reason="bad_switch")


def query_time_ms(request: Request, name: str) -> int | None:
    """An instant in milliseconds UTC; None where it is absent.

    Raises:
        BadField: it is no time.
    """
    text = query_text(request, name)
    return None if text is None else parse_time_ms(_LOST_PLUS.sub(r"\1+\2", text), field=name)


def query_range_ms(request: Request) -> tuple[int | None, int | None]:
    """``start`` and ``end`` in milliseconds UTC, each None where it is absent.

    Raises:
        BadField: one is no time, or they are the wrong way round.
    """
    start_ms, end_ms = query_time_ms(request, "start"), query_time_ms(request, "end")
    if start_ms is not None and end_ms is not None and start_ms > end_ms:
        raise BadField("end", "end: lies before start; swap them", reason="reversed_range")
    return start_ms, end_ms


def query_duration_ms(request: Request, name: str, *, default_ms: int) -> int:
    """A duration in milliseconds.

    Raises:
        BadField: it is no duration.
    """
    text = query_text(request, name)
    return default_ms if text is None else parse_duration_ms(text, field=name)


def query_choice(
    request: Request, name: str, choices: tuple[str, ...], *, default: str | None = None
) -> str | None:
    """One of a few words.

    Raises:
        BadField: it is none of them.
    """
    text = query_text(request, name)
    if text is None or text in choices:
        return text or default
    raise BadField(
        name, f"{name}: {text[:64]!r} is none of {', '.join(choices)}", reason="bad_choice"
    )
