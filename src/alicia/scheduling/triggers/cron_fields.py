"""One field of a cron expression becomes a bitmask, or a typed error that says where and why.

Source: scheduling.md §2; Debian cron 3.0pl1-162 ``entry.c`` for what it accepts.
"""

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from alicia.base.errors import BadField
from alicia.base.limits import YEAR_MAX, YEAR_MIN

_DAYS: Final = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")
_MONTHS: Final = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september",
    "october", "november", "december",
)  # fmt: skip


class CronError(BadField):
    """A cron expression cannot be used.

    ``position`` counts characters from 1 (0: the whole expression); ``hint`` is what to write
    instead, empty where nothing close is meant.
    """

    def __init__(self, message: str, *, reason: str, position: int = 0, hint: str = "") -> None:
        where = f" (character {position})" if position else ""
        advice = f"; write {hint}" if hint else ""
        super().__init__(
            "cron_expression", f"cron_expression: {message}{where}{advice}", reason=reason
        )
        self.position = position
        self.hint = hint


def _names(words: Iterable[str], first: int) -> dict[str, int]:
    table: dict[str, int] = {}
    for value, word in enumerate(words, start=first):
        table[word] = table[word[:3]] = value
    return table


@dataclass(frozen=True, slots=True)
class FieldKind:
    """Bounds (inclusive) and names of one field; ``number`` is its place in the hash of ``H``.

    ``hash_high`` bounds a bare ``H``.
    """

    title: str
    number: int
    low: int
    high: int
    names: Mapping[str, int] = field(default_factory=dict)
    hash_high: int | None = None


SECOND: Final = FieldKind("second", 0, 0, 59)
MINUTE: Final = FieldKind("minute", 1, 0, 59)
HOUR: Final = FieldKind("hour", 2, 0, 23)
DAY: Final = FieldKind("day of month", 3, 1, 31, hash_high=28)
MONTH: Final = FieldKind("month", 4, 1, 12, _names(_MONTHS, 1))
WEEKDAY: Final = FieldKind("day of week", 5, 0, 7, _names(_DAYS, 0), hash_high=6)
YEAR: Final = FieldKind("year", 6, YEAR_MIN, YEAR_MAX)
QUARTZ_WEEKDAY: Final = FieldKind("day of week", 5, 1, 7, _names(_DAYS, 1))


@dataclass(frozen=True, slots=True)
class FieldText:
    """The text of one field and where it begins in the expression (0 = the first character)."""

    text: str
    offset: int


@dataclass(slots=True)
class Field:
    """What one field says: values as bits, day specials apart, and what deserves a warning.

    ``near``: ``15W``. ``before_last``: ``L`` is 0, ``L-3`` is 3. ``last_weekday``: ``LW``.
    ``nth``: (weekday value, n), n = 0 for the last one. ``hashed``: an ``H`` was used.
    """

    mask: int = 0
    near: list[int] = field(default_factory=list)
    before_last: list[int] = field(default_factory=list)
    last_weekday: bool = False
    nth: list[tuple[int, int]] = field(default_factory=list)
    hashed: bool = False
    warnings: list[str] = field(default_factory=list)


_NUMBER: Final = re.compile(r"[0-9]{1,9}")
_VALUE: Final = r"[0-9]{1,9}|[A-Za-z]+"
_RANGE: Final = re.compile(
    rf"(?:(?P<star>\*)|(?P<low>{_VALUE})(?:-(?P<high>{_VALUE}))?)(?:/(?P<step>[0-9]{{1,9}}))?"
)
_HASH: Final = re.compile(
    r"H(?:\((?P<low>[0-9]{1,9})-(?P<high>[0-9]{1,9})\))?(?:/(?P<step>[0-9]{1,9}))?"
)
_LAST_DAY: Final = re.compile(r"[Ll](?:-(?P<back>[0-9]{1,2}))?")
_NEAR: Final = re.compile(r"(?P<day>[0-9]{1,2})[Ww]")
_NTH: Final = re.compile(rf"(?P<day>{_VALUE})#(?P<n>[0-9]{{1,9}}|[Ll])")
_LAST_NAMED: Final = re.compile(r"(?P<day>[0-9]|[A-Za-z]{3,9})[Ll]")


class FieldReader:
    """Reads fields of one kind; ``key`` is what ``H`` is hashed with.

    ``quartz``: ranges may run over the end, and ``5/15`` is no surprise.
    """

    def __init__(self, kind: FieldKind, *, key: str, quartz: bool = False) -> None:
        self._kind = kind
        self._key = key
        self._quartz = quartz

    def read(self, given: FieldText) -> Field:
        """The values of a field.

        Raises:
            CronError: the field is not of the grammar, or out of bounds.
        """
        result, at = Field(), given.offset
        for element in given.text.split(","):
            if not element:
                raise CronError(
                    f"the {self._kind.title} field has an empty list element",
                    reason="empty_element",
                    position=at + 1,
                )
            if not (self._special(element, at, result) or self._hash(element, at, result)):
                self._range(element, at, result)
            at += len(element) + 1
        return result

    def _range(self, element: str, at: int, into: Field) -> None:
        match = _RANGE.fullmatch(element)
        if match is None:
            raise self._junk(element, at)
        kind = self._kind
        step = self._step(match, at)
        if match["star"]:
            into.mask |= bits(kind.low, kind.high, step)
            return
        low = self._value(match["low"], at + match.start("low"))
        if match["high"] is not None:
            high = self._value(match["high"], at + match.start("high"))
        elif match["step"] is not None:
            high = kind.high
            if not self._quartz:
                into.warnings.append(f"{element} is read as {match['low']}-{high}/{step}")
        else:
            high = low
        if low <= high:
            into.mask |= bits(low, high, step)
        elif self._quartz and kind is not YEAR:
            span = kind.high - kind.low + 1
            for value in range(low, high + span + 1, step):
                into.mask |= 1 << (kind.low + (value - kind.low) % span)
        else:
            raise self._reversed(match, at, low, high)

    def _special(self, element: str, at: int, into: Field) -> bool:
        if self._kind is DAY:
            return self._special_day(element, at, into)
        if self._kind in (WEEKDAY, QUARTZ_WEEKDAY):
            return self._special_weekday(element, at, into)
        return False

    def _special_day(self, element: str, at: int, into: Field) -> bool:
        if element.upper() == "LW":
            into.last_weekday = True
        elif match := _LAST_DAY.fullmatch(element):
            back = int(match["back"] or 0)
            if back > 30:
                raise CronError(
                    f"L-{back} lies before every month", reason="out_of_range", position=at + 1
                )
            into.before_last.append(back)
        elif match := _NEAR.fullmatch(element):
            into.near.append(self._value(match["day"], at))
        else:
            return False
        return True

    def _special_weekday(self, element: str, at: int, into: Field) -> bool:
        if element in ("L", "l") and self._kind is QUARTZ_WEEKDAY:
            into.mask |= 1 << self._kind.high  # Quartz: L alone is Saturday
            return True
        if match := _NTH.fullmatch(element):
            day = self._value(match["day"], at)
            n = 0 if match["n"] in "Ll" else int(match["n"])
            if match["n"] not in "Ll" and not 1 <= n <= 5:
                raise CronError(
                    f"#{match['n']}: a month has the 1st to the 5th of a weekday, or L",
                    reason="out_of_range",
                    position=at + match.start("n") + 1,
                )
            into.nth.append((day, n))
            return True
        if match := _LAST_NAMED.fullmatch(element):
            into.nth.append((self._value(match["day"], at), 0))
            return True
        return False

    def _hash(self, element: str, at: int, into: Field) -> bool:
        match = _HASH.fullmatch(element)
        if match is None:
            return False
        kind = self._kind
        if kind is YEAR:
            raise CronError(
                "H means nothing in the year field", reason="bad_value", position=at + 1
            )
        low, high = kind.low, kind.hash_high if kind.hash_high is not None else kind.high
        if match["low"] is not None:
            low = self._value(match["low"], at + match.start("low"))
            high = self._value(match["high"], at + match.start("high"))
            if low > high:
                raise self._reversed(match, at, low, high)
        hashed = hash64(f"{self._key}:{kind.number}")
        if match["step"] is None:
            into.mask |= 1 << (low + hashed % (high - low + 1))
        else:
            step = self._step(match, at)
            # A step beyond the field still leaves one value.
            phase = hashed % min(step, high - low + 1)
            into.mask |= bits(low + phase, high, step)
        into.hashed = True
        return True

    def _step(self, match: re.Match[str], at: int) -> int:
        if match["step"] is None:
            return 1
        step = int(match["step"])
        if step == 0:
            raise CronError(
                "a step of 0 never moves on",
                reason="bad_step",
                position=at + match.start("step") + 1,
                hint="1 or more",
            )
        return step

    def _value(self, text: str, at: int) -> int:
        kind = self._kind
        if _NUMBER.fullmatch(text):
            value = int(text)
            if kind.low <= value <= kind.high:
                return value
            raise CronError(
                f"{text} is no {kind.title}",
                reason="out_of_range",
                position=at + 1,
                hint=f"{kind.low}-{kind.high}",
            )
        named = kind.names.get(text.lower())
        if named is None:
            known = " or a name such as " + next(iter(kind.names)) if kind.names else ""
            raise CronError(
                f"{text[:20]!r} is no {kind.title}",
                reason="bad_value",
                position=at + 1,
                hint=f"{kind.low}-{kind.high}{known}",
            )
        return named

    def _reversed(self, match: re.Match[str], at: int, low: int, high: int) -> CronError:
        kind = self._kind
        if kind is WEEKDAY and high == 0:
            hint = f"{match['low']}-7"
        else:
            first = match["low"] if low == kind.high else f"{match['low']}-{kind.high}"
            last = match["high"] if high == kind.low else f"{kind.low}-{match['high']}"
            hint = f"{first},{last}"
        return CronError(
            f"the range {match['low']}-{match['high']} runs backwards and holds nothing",
            reason="reversed_range",
            position=at + match.start("low") + 1,
            hint=hint,
        )

    def _junk(self, element: str, at: int) -> CronError:
        kind = self._kind
        good = _RANGE.match(element)
        if good is None:
            return CronError(
                f"{element[:20]!r} is no value of the {kind.title} field",
                reason="bad_value",
                position=at + 1,
            )
        return CronError(
            f"{element[good.end() :][:20]!r} after {good[0]!r} means nothing"
            f" in the {kind.title} field",
            reason="junk",
            position=at + good.end() + 1,
        )


def bits(low: int, high: int, step: int) -> int:
    """The mask of low, low + step, … up to ``high`` inclusive."""
    mask = 0
    for value in range(low, high + 1, step):
        mask |= 1 << value
    return mask


def hash64(text: str) -> int:
    """The first 8 bytes, big-endian, of the SHA-256: the same on every node and for ever."""
    return int.from_bytes(hashlib.sha256(text.encode(errors="surrogatepass")).digest()[:8], "big")
