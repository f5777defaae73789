"""A whole cron expression becomes a specification: fields, star rule, macros, dialects.

Source: scheduling.md §2.
"""

import re
from dataclasses import dataclass, replace
from typing import Final

from alicia.scheduling.event import Dialect
from alicia.scheduling.triggers.cron_days import Days
from alicia.scheduling.triggers.cron_fields import (
    DAY,
    HOUR,
    MINUTE,
    MONTH,
    QUARTZ_WEEKDAY,
    SECOND,
    WEEKDAY,
    YEAR,
    CronError,
    Field,
    FieldKind,
    FieldReader,
    FieldText,
)

_CHARS_MAX: Final = 1000  # Debian reads no longer field (MAX_TEMPSTR)
_FULL_DAYS: Final = (1 << 32) - 2
_FULL_WEEK: Final = (1 << 7) - 1

MACROS: Final = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}


@dataclass(frozen=True, slots=True)
class CronSpec:
    """An expression as masks. ``years`` has bit 0 for 1970; None means every year.

    ``wild``: seconds, minute or hour is starred, so that the expression follows the clock.
    ``text`` is the expression with single spaces, names and case as given.
    """

    seconds: int
    minutes: int
    hours: int
    months: int
    days: Days
    years: int | None
    wild: bool
    text: str
    warnings: tuple[str, ...] = ()


def parse_cron(
    text: str, *, key: str, dialect: Dialect = Dialect.DEBIAN, key_is_name: bool = False
) -> CronSpec:
    """Read an expression of five, six or seven fields, or a macro that stands for one.

    ``key`` is the event id, by which ``H`` spreads; ``key_is_name`` adds the warning that a
    saved event will be spread by its id.

    Raises:
        CronError: with a stable reason, the position, and mostly a hint.
    """
    if len(text) > _CHARS_MAX:
        raise CronError(f"longer than {_CHARS_MAX} characters", reason="too_long")
    fields = _split(_expand(text))
    reading = _Reading(fields, key, dialect)
    spec = reading.spec()
    if key_is_name and reading.hashed:
        note = "H is spread by the name until the event is saved, then by its id"
        return replace(spec, warnings=(*spec.warnings, note))
    return spec


def _expand(text: str) -> str:
    stripped = text.strip()
    if not stripped.startswith("@"):
        return text
    expression = MACROS.get(stripped.lower())
    if expression is None:
        known = " ".join((*MACROS, "@reboot", "@every 90s", "@at TIME"))
        raise CronError(
            f"there is no {stripped[:40]!r}", reason="unknown_macro", position=1, hint=known
        )
    return expression


def _split(text: str) -> list[FieldText]:
    fields = [FieldText(m[0], m.start()) for m in re.finditer(r"[^ \t]+", text.rstrip())]
    if not 5 <= len(fields) <= 7:
        raise CronError(
            f"{len(fields)} fields; an expression has five (minute, hour, day of month, month,"
            " day of week), six with seconds first, or seven with the year last",
            reason="field_count",
        )
    return fields


class _Reading:
    """The reading of one expression; warnings gather on the way."""

    def __init__(self, fields: list[FieldText], key: str, dialect: Dialect) -> None:
        self._fields = fields
        self._key = key
        self._quartz = dialect is Dialect.QUARTZ
        self._exact_star = dialect is Dialect.OCPS
        self._warnings: list[str] = []
        self.hashed = False
        if self._quartz and len(fields) == 5:
            raise CronError(
                "a Quartz expression has six or seven fields, seconds first",
                reason="field_count",
                hint="0 " + " ".join(f.text for f in fields),
            )

    def spec(self) -> CronSpec:
        """Masks of all fields."""
        fields = list(self._fields)
        second = fields.pop(0) if len(fields) > 5 else None
        year = fields.pop() if len(fields) > 5 else None
        minute, hour, day, month, weekday = fields
        clock = [*([second] if second else []), minute, hour]
        return CronSpec(
            seconds=self._read(SECOND, second).mask if second else 1,
            minutes=self._read(MINUTE, minute).mask,
            hours=self._read(HOUR, hour).mask,
            days=self._days(day, weekday),
            months=self._read(MONTH, month).mask,
            years=self._years(year),
            wild=any(self._starred(f) for f in clock),
            text=" ".join(f.text for f in self._fields),
            warnings=tuple(self._warnings),
        )

    def _read(self, kind: FieldKind, given: FieldText) -> Field:
        reader = FieldReader(kind, key=self._key, quartz=self._quartz)
        result = reader.read(given)
        self._warnings.extend(result.warnings)
        self.hashed = self.hashed or result.hashed
        return result

    def _years(self, given: FieldText | None) -> int | None:
        if given is None:
            return None
        return self._read(YEAR, given).mask >> YEAR.low

    def _starred(self, given: FieldText) -> bool:
        """Debian looks at the first character only, so ``*/2`` and ``*,5`` are starred."""
        return given.text == "*" if self._exact_star else given.text.startswith("*")

    def _days(self, day: FieldText, weekday: FieldText) -> Days:
        questions = (day.text == "?") + (weekday.text == "?")
        if self._quartz and questions != 1:
            raise CronError(
                "Quartz wants exactly one ? in the two day fields",
                reason="question_mark",
                position=weekday.offset + 1,
            )
        forced = weekday.text.startswith("+") and not self._quartz
        if forced:
            weekday = FieldText(weekday.text[1:], weekday.offset + 1)
        day, weekday = _unquestioned(day), _unquestioned(weekday)
        by_day = self._read(DAY, day)
        by_weekday = self._read(QUARTZ_WEEKDAY if self._quartz else WEEKDAY, weekday)
        base = 1 if self._quartz else 0
        return Days(
            dom=by_day.mask & _FULL_DAYS,
            dow=_folded(by_weekday.mask, base),
            both=forced or self._quartz or self._starred(day) or self._starred(weekday),
            near=tuple(by_day.near),
            before_last=tuple(by_day.before_last),
            last_weekday=by_day.last_weekday,
            nth=tuple(((value - base) % 7, n) for value, n in by_weekday.nth),
        )


def _unquestioned(given: FieldText) -> FieldText:
    return FieldText("*", given.offset) if given.text == "?" else given


def _folded(mask: int, base: int) -> int:
    """Weekday bits from Sunday = 0; in Debian's numbering 0 and 7 are both Sunday."""
    shifted = mask >> base
    return (shifted | shifted >> 7) & _FULL_WEEK
