"""RFC 5545 rules as local times; python-dateutil expands them, this module bounds the work.

Source: scheduling.md §1, "RRULE".
"""

from bisect import bisect_left
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any, Final, final

from dateutil import rrule

from alicia.base.errors import BadField
from alicia.scheduling import words
from alicia.scheduling.localtime import DAY, END_S
from alicia.scheduling.triggers.rrule_fine import UNIT_SECONDS, FineRule, TooSparse
from alicia.scheduling.triggers.rrule_parse import RuleText

_WINDOW: Final = 32  # results kept from one expansion; questions mostly come in order
_DRY_MONTHS_MAX: Final = 4000
_PERIOD_DAYS: Final = {rrule.YEARLY: 366, rrule.MONTHLY: 31, rrule.WEEKLY: 7, rrule.DAILY: 1}
_PERIOD_INSTANTS_MAX: Final = 40_000
_EPOCH: Final = datetime(1970, 1, 1)  # noqa: DTZ001 (local wall time)
_DAY_PARTS: Final = frozenset({"BYMONTH", "BYMONTHDAY", "BYYEARDAY", "BYWEEKNO"})
_UNITS: Final = {
    rrule.YEARLY: "year", rrule.MONTHLY: "month", rrule.WEEKLY: "week", rrule.DAILY: "day",
    rrule.HOURLY: "hour", rrule.MINUTELY: "minute", rrule.SECONDLY: "second",
}  # fmt: skip
_ARGUMENTS: Final = {
    "BYSECOND": "bysecond", "BYMINUTE": "byminute", "BYHOUR": "byhour", "BYMONTH": "bymonth",
    "BYMONTHDAY": "bymonthday", "BYYEARDAY": "byyearday", "BYWEEKNO": "byweekno",
    "BYSETPOS": "bysetpos",
}  # fmt: skip


class _BoundedRule(rrule.rrule):
    """dateutil's rule, which by itself searches up to the year 9999.

    dateutil reads ``_byeaster`` whenever it enters another month or year: that is where the
    periods without a result are counted.
    """

    _dry = 0

    @property
    def _byeaster(self) -> None:
        self._dry += 1
        if self._dry > _DRY_MONTHS_MAX:
            raise TooSparse

    @_byeaster.setter
    def _byeaster(self, value: object) -> None:
        assert value is None, "rules of RFC 5545 know no Easter"

    def found(self) -> None:
        """A result came: the count begins anew."""
        self._dry = 0


@final
class RRule:
    """The local times of a rule; fits ``localtime.LocalRule``.

    ``start`` is DTSTART, naive local time. Without COUNT, a search begins near where it is
    asked, so that an old rule costs no more than a new one.
    """

    def __init__(self, rule: RuleText, start: datetime) -> None:
        self._rule = rule
        self._start = rule.start or start
        self.wild = rule.freq >= rrule.HOURLY
        self._pinned = _pinned(rule, self._start)
        self._excluded = frozenset(map(_seconds, rule.excluded))
        self._extra = sorted(set(map(_seconds, rule.extra)))
        self._window: list[int] = []
        self._window_from = 0
        self._window_ends = False
        self._last = END_S - 1 if rule.until is None else _seconds(rule.until)
        if self.wild:
            self._fine: FineRule | None = FineRule(
                rule, _seconds(self._start), next_day=_day_finder(rule, self._start)
            )
        else:
            self._fine = None
            _check_density(rule, self._pinned)
            _check_set_positions(rule, self._pinned)

    def next_local(self, local_s: int) -> int | None:
        """The first local time at or after ``local_s``."""
        by_rule = self._next_by_rule(local_s)
        while by_rule is not None and by_rule in self._excluded:
            by_rule = self._next_by_rule(by_rule + 1)
        place = bisect_left(self._extra, local_s)
        while place < len(self._extra) and self._extra[place] in self._excluded:
            place += 1
        extra = self._extra[place] if place < len(self._extra) else None
        if by_rule is None or extra is None:
            return by_rule if extra is None else extra
        return min(by_rule, extra)

    def count_local(self, low_s: int, high_s: int) -> int:
        """How many local times lie in ``low_s`` inclusive to ``high_s`` exclusive."""
        if self._plain_step():
            return self._count_steps(low_s, high_s)
        total, found = 0, self.next_local(low_s)
        while found is not None and found < high_s:
            total, found = total + 1, self.next_local(found + 1)
        return total

    def _plain_step(self) -> bool:
        """Whether the rule is nothing but equal steps without end."""
        rule = self._rule
        return (
            rule.freq in UNIT_SECONDS
            and not (rule.by or rule.weekdays or rule.extra or rule.excluded)
            and rule.count is None
            and rule.until is None
        )

    def _count_steps(self, low_s: int, high_s: int) -> int:
        step = UNIT_SECONDS[self._rule.freq] * self._rule.interval
        start = _seconds(self._start)
        return max(0, -(-(high_s - start) // step)) - max(0, -(-(low_s - start) // step))

    def _next_by_rule(self, local_s: int) -> int | None:
        if self._fine is not None and self._rule.count is None:
            found = self._fine.next_local(local_s)
            return found if found is not None and found <= self._last else None
        window = self._window
        if not (window and self._window_from <= local_s <= window[-1]):
            if self._window_ends and window and local_s > window[-1]:
                return None
            self._fill(local_s)
            window = self._window
        place = bisect_left(window, local_s)
        return window[place] if place < len(window) else None

    def _fill(self, local_s: int) -> None:
        """Expand from ``local_s`` on; a rule with COUNT is expanded as a whole."""
        whole = self._rule.count is not None
        found: list[int] = []
        for second in self._expand(_EPOCH if whole else _moment(local_s)):
            if second >= END_S:
                break
            if whole or second >= local_s:
                found.append(second)
            if not whole and len(found) == _WINDOW:
                break
        self._window_ends = whole or len(found) < _WINDOW
        self._window, self._window_from = found, 0 if whole else local_s

    def _expand(self, near: datetime) -> Iterator[int]:
        rule = self._rule
        if self._fine is not None:
            yield from islice(self._fine.walk(), rule.count)
            return
        start = self._start if rule.count is not None else _advanced(rule, self._start, near)
        expansion = _BoundedRule(
            rule.freq,
            dtstart=start,
            interval=rule.interval,
            wkst=rule.wkst,
            count=rule.count,
            until=rule.until,
            **self._pinned,
        )
        for moment in expansion:
            expansion.found()
            yield _seconds(moment)

    def words(self) -> str:
        """The rule in plain English; rare parts are named as they are written."""
        rule = self._rule
        unit = _UNITS[rule.freq]
        parts = [f"every {unit}" if rule.interval == 1 else f"every {rule.interval} {unit}s"]
        if rule.weekdays:
            parts.append("on " + words.listed([_weekday_words(day, n) for day, n in rule.weekdays]))
        if days := rule.by.get("BYMONTHDAY"):
            parts.append("on day " + words.listed(list(map(_from_end, days))) + " of the month")
        if named := rule.by.get("BYMONTH"):
            parts.append("in " + words.listed([words.MONTHS[month - 1] for month in named]))
        for name in ("BYYEARDAY", "BYWEEKNO", "BYSETPOS"):
            if values := rule.by.get(name):
                parts.append(f"{name} {words.listed(list(map(_from_end, values)))}")
        parts += self._time_words()
        text = " ".join(parts)
        if rule.count is not None:
            text += f", {rule.count} times"
        if rule.until is not None:
            text += f", until {rule.until:%Y-%m-%d %H:%M}"
        return text

    def _time_words(self) -> list[str]:
        by, pinned = self._rule.by, self._pinned
        if not self.wild and len(pinned["byhour"]) * len(pinned["byminute"]) <= _WINDOW:
            times = [
                h * 3600 + m * 60 + s
                for h in pinned["byhour"]
                for m in pinned["byminute"]
                for s in pinned["bysecond"]
            ]
            return ["at " + words.listed([words.clock(time) for time in times[:_WINDOW]])]
        return [
            f"at {name[2:].lower()} {words.listed(list(map(str, by[name])))}"
            for name in ("BYHOUR", "BYMINUTE", "BYSECOND")
            if name in by
        ]


def _pinned(rule: RuleText, start: datetime) -> dict[str, Any]:
    """All BY parts, those included that RFC 5545 takes from DTSTART.

    Pinned, they survive a later DTSTART: the 31st stays the 31st.
    """
    parts: dict[str, Any] = {_ARGUMENTS[name]: values for name, values in rule.by.items()}
    if rule.weekdays:
        parts["byweekday"] = [rrule.weekday(day, n or None) for day, n in rule.weekdays]
    days_given = {"byweekday", "bymonthday", "byyearday", "byweekno"} & parts.keys()
    if not days_given and rule.freq == rrule.YEARLY:
        parts.setdefault("bymonth", (start.month,))
    if not days_given and rule.freq in (rrule.YEARLY, rrule.MONTHLY):
        parts["bymonthday"] = (start.day,)
    if not days_given and rule.freq == rrule.WEEKLY:
        parts["byweekday"] = [rrule.weekday(start.weekday())]
    for name, freq, value in (
        ("byhour", rrule.HOURLY, start.hour),
        ("byminute", rrule.MINUTELY, start.minute),
        ("bysecond", rrule.SECONDLY, start.second),
    ):
        if rule.freq < freq:
            parts.setdefault(name, (value,))
    return parts


def _check_density(rule: RuleText, pinned: dict[str, Any]) -> None:
    """Refuse what dateutil would expand for minutes: it lists a whole period at a time."""
    days = _PERIOD_DAYS.get(rule.freq, 0)
    size = days * len(pinned["byhour"]) * len(pinned["byminute"]) * len(pinned["bysecond"])
    if size > _PERIOD_INSTANTS_MAX:
        raise BadField(
            "recurrence",
            f"recurrence: may mean {size} instants in one period, and {_PERIOD_INSTANTS_MAX} are"
            " the most; write it with FREQ=MINUTELY or FREQ=SECONDLY",
            reason="too_dense",
        )


def _check_set_positions(rule: RuleText, pinned: dict[str, Any]) -> None:
    """Refuse BYSETPOS beyond what one day can hold; dateutil would search for ever."""
    positions = rule.by.get("BYSETPOS")
    if positions is None or rule.freq != rrule.DAILY:
        return
    size = len(pinned["byhour"]) * len(pinned["byminute"]) * len(pinned["bysecond"])
    if all(abs(position) > size for position in positions):
        raise BadField(
            "recurrence",
            f"recurrence: BYSETPOS asks for more than the {size} instants of a day",
            reason="never_fires",
        )


def _day_finder(rule: RuleText, start: datetime) -> Callable[[int], int | None] | None:
    """The days that the day parts of a fine rule allow, as a daily rule of its own."""
    parts = {name: values for name, values in rule.by.items() if name in _DAY_PARTS}
    if not parts and not rule.weekdays:
        return None
    days = RRule(
        RuleText(freq=rrule.DAILY, by=parts, weekdays=rule.weekdays),
        start.replace(hour=0, minute=0, second=0),
    )

    def next_day(day: int) -> int | None:
        found = days.next_local(day * DAY)
        return None if found is None else found // DAY

    return next_day


def _advanced(rule: RuleText, start: datetime, near: datetime) -> datetime:
    """A DTSTART whole INTERVALs later, at least one period before ``near``."""
    step = rule.interval
    if rule.freq == rrule.YEARLY:
        k = (near.year - start.year) // step - 1
        return start if k <= 0 else datetime(start.year + k * step, 1, 1)  # noqa: DTZ001
    if rule.freq == rrule.MONTHLY:
        months = start.year * 12 + start.month - 1
        k = (near.year * 12 + near.month - 1 - months) // step - 1
        year, month = divmod(months + k * step, 12)
        return start if k <= 0 else datetime(year, month + 1, 1)  # noqa: DTZ001
    days = step * (7 if rule.freq == rrule.WEEKLY else 1)
    base = start.replace(hour=0, minute=0, second=0)
    if rule.freq == rrule.WEEKLY:
        base -= timedelta(days=(start.weekday() - rule.wkst) % 7)
    k = (near - base).days // days - 1
    return start if k <= 0 else base + timedelta(days=k * days)


def _seconds(moment: datetime) -> int:
    delta = moment - _EPOCH
    return delta.days * 86_400 + delta.seconds


def _moment(local_s: int) -> datetime:
    return datetime.fromtimestamp(max(local_s, 0), UTC).replace(tzinfo=None)


def _from_end(value: int) -> str:
    if value > 0:
        return str(value)
    return "the last" if value == -1 else f"{-value} from the end"


def _weekday_words(day: int, n: int) -> str:
    name = words.WEEKDAYS[(day + 1) % 7]
    if n == 0:
        return name
    if n < 0:
        return f"the last {name}" if n == -1 else f"the {words.ordinal(-n)} last {name}"
    return f"the {words.ordinal(n)} {name}"
