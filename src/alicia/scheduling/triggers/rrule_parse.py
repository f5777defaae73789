"""The text of a recurrence rule becomes typed parts; every fault names its part.

Source: RFC 5545 §3.3.10, §3.8.5; scheduling.md §1, "RRULE".
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from typing import Final, Literal

from dateutil import rrule

from alicia.base.errors import BadField

Freq = Literal[0, 1, 2, 3, 4, 5, 6]  # dateutil's numbers, from yearly to secondly
FREQUENCIES: Final[Mapping[str, Freq]] = {
    "YEARLY": rrule.YEARLY,
    "MONTHLY": rrule.MONTHLY,
    "WEEKLY": rrule.WEEKLY,
    "DAILY": rrule.DAILY,
    "HOURLY": rrule.HOURLY,
    "MINUTELY": rrule.MINUTELY,
    "SECONDLY": rrule.SECONDLY,
}
COUNT_MAX: Final = 100_000
_CHARS_MAX: Final = 10_000
_INTERVAL_MAX: Final = 100_000
_WEEKDAYS: Final = {"MO": 0, "TU": 1, "WE": 2, "TH": 3, "FR": 4, "SA": 5, "SU": 6}
_BYDAY: Final = re.compile(r"([+-]?[0-9]{1,2})?(MO|TU|WE|TH|FR|SA|SU)")
_STAMP: Final = re.compile(r"[0-9]{8}(?:T[0-9]{6}Z?)?")
# Part: its bounds, and whether a value may count from the end.
_NUMBERS: Final = {
    "BYSECOND": (0, 59, False),
    "BYMINUTE": (0, 59, False),
    "BYHOUR": (0, 23, False),
    "BYMONTHDAY": (1, 31, True),
    "BYYEARDAY": (1, 366, True),
    "BYWEEKNO": (1, 53, True),
    "BYMONTH": (1, 12, False),
    "BYSETPOS": (1, 366, True),
}


@dataclass(frozen=True, slots=True)
class RuleText:
    """A parsed rule. ``by`` maps ``BYMONTH`` and its like to numbers; days stand apart.

    ``weekdays`` are (0 for Monday, n), n = 0 for every one. ``until``, ``extra`` (RDATE),
    ``excluded`` (EXDATE) and ``start`` (DTSTART) are naive local wall times.
    """

    freq: Freq
    interval: int = 1
    count: int | None = None
    until: datetime | None = None
    wkst: int = 0
    by: dict[str, tuple[int, ...]] = field(default_factory=dict)
    weekdays: tuple[tuple[int, int], ...] = ()
    extra: tuple[datetime, ...] = ()
    excluded: tuple[datetime, ...] = ()
    start: datetime | None = None


def parse_rule(text: str, *, zone: tzinfo, field_name: str = "recurrence") -> RuleText:
    """Read ``FREQ=…;…``, with or without ``RRULE:``, and RDATE, EXDATE, DTSTART lines beside it.

    Raises:
        BadField: with a stable reason and the part at fault.
    """
    if len(text) > _CHARS_MAX:
        raise _fault(field_name, f"longer than {_CHARS_MAX} characters", "too_long")
    reader = _Reader(zone, field_name)
    for line in re.sub(r"\r?\n[ \t]", "", text.strip()).splitlines():
        if line.strip():
            reader.line(line.strip())
    return reader.finish()


def _fault(name: str, message: str, reason: str = "bad_rrule") -> BadField:
    return BadField(name, f"{name}: {message}", reason=reason)


class _Reader:
    """Gathers the lines of one recurrence."""

    def __init__(self, zone: tzinfo, name: str) -> None:
        self._zone = zone
        self._name = name
        self._rule: dict[str, str] | None = None
        self._extra: list[datetime] = []
        self._excluded: list[datetime] = []
        self._start: datetime | None = None

    def line(self, line: str) -> None:
        """Take one unfolded line."""
        head, colon, value = line.partition(":")
        if not colon:
            head, value = "RRULE", line
        match head.split(";")[0].upper():
            case "RRULE":
                if self._rule is not None:
                    raise _fault(self._name, "there is more than one RRULE; make an event of each")
                self._rule = self._parts(value)
            case "RDATE":
                self._extra += self._stamps("RDATE", value)
            case "EXDATE":
                self._excluded += self._stamps("EXDATE", value)
            case "DTSTART":
                self._start = self._stamps("DTSTART", value)[0]
            case other:
                raise _fault(self._name, f"{other[:20]} is not understood; write RRULE, RDATE"
                             " and EXDATE lines")  # fmt: skip

    def finish(self) -> RuleText:
        """The whole, checked."""
        parts = self._rule
        if parts is None or "FREQ" not in parts:
            raise _fault(self._name, "FREQ is missing; write FREQ=DAILY or the like")
        freq = FREQUENCIES.get(parts.pop("FREQ"))
        if freq is None:
            raise _fault(self._name, "FREQ must be one of " + " ".join(FREQUENCIES))
        if "COUNT" in parts and "UNTIL" in parts:
            raise _fault(self._name, "COUNT and UNTIL exclude each other")
        take: Callable[[str, str], str] = parts.pop
        rule = RuleText(
            freq=freq,
            interval=self._whole("INTERVAL", take("INTERVAL", "1"), 1, _INTERVAL_MAX),
            count=self._whole("COUNT", take("COUNT", ""), 1, COUNT_MAX)
            if "COUNT" in parts
            else None,
            until=self._stamps("UNTIL", take("UNTIL", ""), end=True)[0]
            if "UNTIL" in parts
            else None,
            wkst=self._weekday(take("WKST", "MO")),
            weekdays=self._days(take("BYDAY", ""), freq),
            by={name: self._numbers(name, take(name, "")) for name in _NUMBERS if name in parts},
            extra=tuple(sorted(self._extra)),
            excluded=tuple(self._excluded),
            start=self._start,
        )
        if parts:
            raise _fault(self._name, f"{next(iter(parts))[:20]} is no part of a rule")
        return rule

    def _parts(self, value: str) -> dict[str, str]:
        parts: dict[str, str] = {}
        for piece in filter(None, value.upper().split(";")):
            name, equals, content = piece.strip().partition("=")
            if not equals or not content:
                raise _fault(self._name, f"{piece[:20]!r} is no part; write NAME=VALUE")
            if name in parts:
                raise _fault(self._name, f"{name[:20]} is given twice")
            parts[name] = content
        return parts

    def _whole(self, part: str, text: str, low: int, high: int) -> int:
        if re.fullmatch(r"[+-]?[0-9]{1,9}", text) and low <= int(text) <= high:
            return int(text)
        raise _fault(self._name, f"{part}={text[:20]} must be a number from {low} to {high}")

    def _numbers(self, part: str, text: str) -> tuple[int, ...]:
        low, high, from_end = _NUMBERS[part]
        values = [self._whole(part, item, -high if from_end else low, high)
                  for item in text.split(",")]  # fmt: skip
        if low == 1 and 0 in values:
            raise _fault(self._name, f"{part}: 0 means nothing; count from 1, or -1 from the end")
        return tuple(sorted(set(values)))

    def _weekday(self, text: str) -> int:
        if text not in _WEEKDAYS:
            raise _fault(self._name, f"WKST={text[:20]} must be one of " + " ".join(_WEEKDAYS))
        return _WEEKDAYS[text]

    def _days(self, text: str, freq: int) -> tuple[tuple[int, int], ...]:
        found = []
        for item in filter(None, text.split(",")):
            match = _BYDAY.fullmatch(item)
            if match is None:
                raise _fault(self._name, f"BYDAY={item[:20]}: write MO, 2TU or -1FR")
            n = int(match[1] or 0)
            if match[1] and (n == 0 or abs(n) > 53 or freq > rrule.MONTHLY):
                raise _fault(self._name, f"BYDAY={item}: the number counts from 1 to 53, in"
                             " MONTHLY and YEARLY rules")  # fmt: skip
            found.append((_WEEKDAYS[match[2]], n))
        return tuple(dict.fromkeys(found))

    def _stamps(self, part: str, text: str, *, end: bool = False) -> list[datetime]:
        """Local wall times of a list; ``end``: a bare date means its last second."""
        found = []
        for item in text.upper().split(","):
            if not _STAMP.fullmatch(item):
                raise _fault(self._name, f"{part}={item[:20]}: write 20260301T090000,"
                             " with Z for UTC")  # fmt: skip
            found.append(self._stamp(part, item, end))
        return found

    def _stamp(self, part: str, item: str, end: bool) -> datetime:
        full = item if "T" in item else item + ("T235959" if end else "T000000")
        try:
            moment = datetime.strptime(full.removesuffix("Z"), "%Y%m%dT%H%M%S")  # noqa: DTZ007
            if item.endswith("Z"):
                moment = moment.replace(tzinfo=UTC).astimezone(self._zone).replace(tzinfo=None)
        except (ValueError, OverflowError):
            raise _fault(self._name, f"{part}={item} is no date") from None
        return moment
