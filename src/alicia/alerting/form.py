"""Reading a request's fields one by one, so that all faults are told at once."""

import math
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Final

from alicia.base.durations import parse_duration_ms
from alicia.base.errors import BadField
from alicia.base.faults import Faults
from alicia.base.limits import (
    LABEL_VALUE_BYTES_MAX,
    LABELS_MAX,
    NAME_BYTES_MAX,
    YEAR_MAX,
    YEAR_MIN,
)
from alicia.base.times import parse_time_ms, within_years

_SHOWN_MAX: Final = 64
_UNKNOWN_TOLD_MAX: Final = 20  # a search for the nearest name takes its time


class Form:
    """The fields of one JSON object; every reader notes its fault and returns the default.

    Raises:
        BadField: the body is no object.
    """

    def __init__(self, body: object, *, noun: str) -> None:
        if not isinstance(body, dict):
            raise BadField("body", f"body: a {noun} is a JSON object", reason="not_an_object")
        self._body: Mapping[str, object] = body
        self._noun = noun
        self._faults = Faults()

    def note(self, field: str, message: str, reason: str) -> None:
        """Add a fault of our own finding."""
        self._faults.add((field,), message, reason)

    def has_fault(self, *fields: str) -> bool:
        """Whether one of the fields is already known to be wrong."""
        return self._faults.has(*fields)

    def finish(self) -> None:
        """End the reading.

        Raises:
            BadRequest: any fault was noted.
        """
        self._faults.check()

    def only(self, known: Iterable[str]) -> None:
        """Refuse fields that nobody reads: they are typing errors; the first of them are named."""
        names = frozenset(known)
        unknown = [field for field in self._body if field not in names]
        for field in unknown[:_UNKNOWN_TOLD_MAX]:
            shown = field[:_SHOWN_MAX]
            near = get_close_matches(shown, sorted(names), n=1)
            hint = f"did you mean {near[0]}?" if near else "leave it out"
            self.note(shown, f"a {self._noun} has no such field; {hint}", "unknown_field")
        if (more := len(unknown) - _UNKNOWN_TOLD_MAX) > 0:
            self.note("body", f"has {more} more fields unknown to a {self._noun}", "unknown_field")

    def given(self, field: str) -> object:
        """The value as sent; None where it is absent or null."""
        return self._body.get(field)

    def text(
        self, field: str, *, required: bool = False, bytes_max: int = LABEL_VALUE_BYTES_MAX
    ) -> str:
        """A text without control characters other than newline and tab; "" where absent."""
        value = self.given(field)
        if value is None or value == "":
            if required:
                self.note(field, "is missing; write a text", "missing")
            return ""
        if not isinstance(value, str):
            self.note(field, f"{_shown(value)} is not a text; put it in quotes", "bad_type")
            return ""
        if fault := text_fault(value, bytes_max):
            self.note(field, fault, "bad_text")
            return ""
        return value

    def choice(self, field: str, options: Iterable[str], *, default: str | None) -> str:
        """One of a few words; required where there is no default."""
        value, words = self.given(field), list(options)
        if value is None and default is not None:
            return default
        if not isinstance(value, str) or value not in words:
            given = "is missing" if value is None else f"{_shown(value)} is unknown"
            self.note(field, f"{given}; write one of {', '.join(words)}", f"bad_{field}")
            return words[0]
        return value

    def number(self, field: str) -> float | None:
        """A finite number; None where absent."""
        value = self.given(field)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float):
            self.note(
                field, f"{_shown(value)} is not a number; write one without quotes", "bad_type"
            )
            return None
        try:
            number = float(value)
        except OverflowError:
            number = math.inf
        if not math.isfinite(number):
            self.note(field, "must be a finite number", "not_finite")
            return None
        return number

    def switch(self, field: str, *, default: bool) -> bool:
        """True or false."""
        value = self.given(field)
        if value is None:
            return default
        if not isinstance(value, bool):
            self.note(field, f"{_shown(value)} is neither true nor false", "bad_type")
            return default
        return value

    def duration(self, field: str, *, default_ms: int, min_ms: int = 0) -> int:
        """A duration in ms, at least ``min_ms``."""
        value = self.given(field)
        if value is None:
            return default_ms
        if not isinstance(value, str | int | float):
            self.note(field, f"{_shown(value)} is not a duration; write 30s or 5m", "bad_duration")
            return default_ms
        try:
            result = parse_duration_ms(value, field=field)
        except BadField as error:
            self._faults.take(error)
            return default_ms
        if result < min_ms:
            self.note(field, f"{_shown(value)} is below {min_ms} ms", "too_short")
            return default_ms
        return result

    def time(self, field: str, *, default_ms: int) -> int:
        """An instant in ms UTC, within YEAR_MIN to YEAR_MAX."""
        value = self.given(field)
        if value is None:
            return default_ms
        if not isinstance(value, str | int | float):
            self.note(field, f"{_shown(value)} is not a time; write RFC 3339", "bad_time")
            return default_ms
        try:
            result = parse_time_ms(value, field=field)
        except BadField as error:
            self._faults.take(error)
            return default_ms
        if not within_years(result):
            self.note(field, f"{_shown(value)} is not within {YEAR_MIN} to {YEAR_MAX}", "bad_time")
            return default_ms
        return result

    def texts(self, field: str) -> dict[str, str]:
        """An object of texts, at most LABELS_MAX; numbers and truth values become texts."""
        value = self.given(field)
        if value is None:
            return {}
        if not isinstance(value, dict):
            self.note(field, 'is not an object; write {"name": "text"}', "bad_type")
            return {}
        if len(value) > LABELS_MAX:
            self.note(field, f"has {len(value)} entries, at most {LABELS_MAX} fit", "too_many")
            return {}
        return {
            name: text for name, item in value.items() if (text := self._entry(field, name, item))
        }

    def names(self, field: str) -> tuple[str, ...]:
        """A list of names; a single text is a list of one."""
        value = self.given(field)
        items = [value] if isinstance(value, str) else value
        if items is None:
            return ()
        if not isinstance(items, list) or not all(isinstance(item, str) for item in items):
            self.note(field, "is not a list of names", "bad_type")
            return ()
        if len(items) > LABELS_MAX:
            self.note(field, f"has {len(items)} entries, at most {LABELS_MAX} fit", "too_many")
            return ()
        return tuple(items)

    def _entry(self, field: str, name: str, item: object) -> str:
        text = _plain_text(item)
        fault = (
            text_fault(name, NAME_BYTES_MAX)
            or ("an entry without a name" if not name else "")
            or (
                f"{name!r} is not a text"
                if text is None
                else text_fault(text, LABEL_VALUE_BYTES_MAX)
            )
        )
        if fault:
            self.note(field, fault, "bad_label")
        return "" if fault or text is None else text


def text_fault(text: str, bytes_max: int) -> str:
    """What makes a text unfit to be stored and shown; "" where nothing does."""
    try:
        size = len(text.encode())
    except UnicodeEncodeError:
        return "holds half of a surrogate pair, which no UTF-8 can carry"
    if size > bytes_max:
        return f"has {size} bytes, at most {bytes_max} fit"
    if any((ord(char) < 32 and char not in "\n\t") or 127 <= ord(char) < 160 for char in text):
        return "holds a control character"
    return ""


def _plain_text(item: object) -> str | None:
    if isinstance(item, bool):
        return "true" if item else "false"
    return str(item) if isinstance(item, str | int | float) else None


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _SHOWN_MAX else text[:_SHOWN_MAX] + "…"
