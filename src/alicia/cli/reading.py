"""Values of the command line that need more than one step to read."""

import json
import math
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from alicia.base.durations import parse_duration_ms
from alicia.base.errors import BadField
from alicia.base.times import parse_time_ms
from alicia.cli.exits import Usage

_FILE_BYTES_MAX: Final = 10 * 1024 * 1024


def pair(text: str, *, flag: str, example: str) -> tuple[str, str]:
    """Both sides of ``name=value``.

    Raises:
        Usage: there is no ``=``, or nothing before it.
    """
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise Usage(f"{flag}: {text[:64]!r} is not NAME=VALUE, such as {example}")
    return name, value


def pairs(texts: Sequence[str] | None, *, flag: str, example: str) -> dict[str, str]:
    """Several ``name=value``; of two with one name the later counts."""
    return dict(pair(text, flag=flag, example=example) for text in texts or ())


def number(text: str, *, flag: str) -> float:
    """A finite number.

    Raises:
        Usage: it is none.
    """
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise Usage(f"{flag}: {text[:64]!r} is not a finite number")
    return value


def instant_ms(text: str, *, flag: str, now_ms: int) -> int:
    """An instant: RFC 3339, epoch seconds, ``now``, or ``+10m`` and ``-1h`` from now.

    Raises:
        Usage: it is none of these.
    """
    try:
        if text == "now":
            return now_ms
        if text[:1] in ("+", "-"):
            length_ms = parse_duration_ms(text[1:], field=flag)
            return now_ms + length_ms if text[0] == "+" else now_ms - length_ms
        return parse_time_ms(text, field=flag)
    except BadField as error:
        raise Usage(f"{error}; or from now: +10m, -1h") from None


def duration_seconds(text: str, *, flag: str) -> float:
    """A length of time in seconds.

    Raises:
        Usage: it is no duration.
    """
    try:
        return parse_duration_ms(text, field=flag) / 1000
    except BadField as error:
        raise Usage(str(error)) from None


def json_object(text: str, *, flag: str) -> dict[str, Any]:
    """A JSON object.

    Raises:
        Usage: it is no JSON, or another JSON value.
    """
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Usage(f"{flag}: not JSON: {error}") from None
    if not isinstance(value, dict):
        raise Usage(f'{flag}: must be a JSON object, such as {{"state": "on"}}')
    return value


def file_bytes(name: str, *, flag: str) -> bytes:
    """The content of a file; ``-`` reads standard input.

    Raises:
        Usage: the file cannot be read, or is larger than a request may be.
    """
    try:
        if name == "-":
            received = sys.stdin.buffer.read(_FILE_BYTES_MAX + 1)
        else:
            with Path(name).open("rb") as file:
                received = file.read(_FILE_BYTES_MAX + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise Usage(f"{flag}: cannot read {name[:256]}: {reason}") from None
    if len(received) > _FILE_BYTES_MAX:
        raise Usage(f"{flag}: {name} is larger than {_FILE_BYTES_MAX} bytes")
    return received


def json_file(name: str, *, flag: str) -> dict[str, Any]:
    """The JSON object in a file; ``-`` reads standard input.

    Raises:
        Usage: the file cannot be read, is larger than a request may be, or holds no JSON object.
    """
    try:
        text = file_bytes(name, flag=flag).decode()
    except UnicodeDecodeError:
        raise Usage(f"{flag}: {name} is not UTF-8") from None
    return json_object(text, flag=flag)
