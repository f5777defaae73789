"""A cron expression in plain English, told from its masks and not from its text.

``*/15 9-17 * * MON-FRI`` is "every 15 minutes from 09:00 to 17:59, Monday to Friday".
"""

from typing import Final

from alicia.scheduling import words
from alicia.scheduling.triggers.cron_days import Days
from alicia.scheduling.triggers.cron_parse import CronSpec

_ALL_60: Final = (1 << 60) - 1
_ALL_HOURS: Final = (1 << 24) - 1
_ALL_MONTHS: Final = (1 << 13) - 2
_ALL_DAYS: Final = (1 << 32) - 2
_ALL_WEEK: Final = (1 << 7) - 1
_TIMES_SPELLED_MAX: Final = 6


def cron_words(spec: CronSpec) -> str:
    """One phrase without the zone: when in the day, on which days, in which months and years."""
    time, days = _time(spec), _days(spec.days)
    if not days and spec.months == _ALL_MONTHS and time[3:4].isdigit():
        time = "every day " + time
    parts = [time, *days]
    if spec.months != _ALL_MONTHS:
        parts.append("in " + words.months(spec.months))
    if spec.years is not None:
        years = [str(1970 + year) for year in words.members(spec.years)]
        if len(years) > 3:
            years = [f"{years[0]} to {years[-1]}" + _gaps(spec.years)]
        parts.append("in " + words.listed(years))
    return ", ".join(parts)


def _gaps(mask: int) -> str:
    return "" if len(words.runs(words.members(mask))) == 1 else f" ({mask.bit_count()} years)"


def _time(spec: CronSpec) -> str:
    seconds, minutes, hours = (words.members(m) for m in (spec.seconds, spec.minutes, spec.hours))
    if len(seconds) * len(minutes) * len(hours) <= _TIMES_SPELLED_MAX:
        times = [h * 3600 + m * 60 + s for h in hours for m in minutes for s in seconds]
        return "at " + words.listed([words.clock(time) for time in times])
    if spec.seconds != 1:
        inner = _within(spec.seconds, "second", "minute")
        if spec.minutes == _ALL_60:
            return inner + _during(spec.hours)
        return f"{inner}, {_within(spec.minutes, 'minute', 'hour')}{_during(spec.hours)}"
    step = _step(spec.hours, 24)
    if len(minutes) == 1 and step is not None:
        past = f" at minute {minutes[0]}" if minutes[0] else ""
        return f"{words.every(step * 3600)}{past}"
    return _within(spec.minutes, "minute", "hour") + _during(spec.hours)


def _within(mask: int, unit: str, whole: str) -> str:
    """``every 15 minutes``, or ``at minutes 5 and 35 of the hour``."""
    size = 60 if unit == "minute" else 1
    step = _step(mask, 60)
    if step is not None:
        return words.every(step * size)
    values = words.members(mask)
    if len(values) == 1:
        return f"at {unit} {values[0]} of every {whole}"
    spans = [f"{a} to {b}" if b - a > 1 else words.listed([str(v) for v in range(a, b + 1)])
             for a, b in words.runs(values)]  # fmt: skip
    return f"at {unit}s {words.listed(spans)} of every {whole}"


def _step(mask: int, size: int) -> int | None:
    """The step of a mask that begins at 0 and goes round without a seam."""
    values = words.members(mask)
    if values[0] != 0:
        return None
    step = values[1] if len(values) > 1 else size
    even = size % step == 0 and values == list(range(0, size, step))
    return step if even and step < size else None


def _during(hours: int) -> str:
    if hours == _ALL_HOURS:
        return ""
    step = _step(hours, 24)
    if step is not None:
        return f", in every {words.ordinal(step)} hour"
    spans = [f"{first:02}:00 to {last:02}:59" for first, last in words.runs(words.members(hours))]
    return " from " + words.listed(spans)


def _days(days: Days) -> list[str]:
    by_day, by_weekday = _by_day(days), _by_weekday(days)
    every_day = days.dom == _ALL_DAYS
    every_weekday = days.dow == _ALL_WEEK
    if days.both:
        told = ((by_day, every_day), (by_weekday, every_weekday))
        return [part for part, full in told if not full]
    if every_day or every_weekday:
        return []
    return [f"{by_day} and on every {by_weekday}" if days.dow else f"{by_day} and {by_weekday}"]


def _by_day(days: Days) -> str:
    parts = []
    values = words.members(days.dom)
    if values:
        step = values[1] - values[0] if len(values) > 3 else 0
        if step > 1 and values == list(range(values[0], 32, step)):
            parts.append(f"every {words.ordinal(step)} day of the month from the"
                         f" {words.ordinal(values[0])}")  # fmt: skip
        else:
            spans = [f"{words.ordinal(a)} to {words.ordinal(b)}" if b > a else words.ordinal(a)
                     for a, b in words.runs(values)]  # fmt: skip
            parts.append("the " + words.listed(spans))
    parts += [f"the weekday nearest the {words.ordinal(day)}" for day in days.near]
    parts += [
        "the last day" if not back else f"{back} days before the last day"
        for back in days.before_last
    ]
    if days.last_weekday:
        parts.append("the last weekday")
    if not parts:
        return ""
    text = words.listed(parts)
    return (
        ("on " if not text.startswith("every") else "")
        + text
        + ("" if "of the month" in text else " of the month")
    )


def _by_weekday(days: Days) -> str:
    parts = [words.weekdays(days.dow)] if days.dow else []
    parts += [f"the {words.ORDINALS[n]} {words.WEEKDAYS[day]} of the month" for day, n in days.nth]
    return words.listed(parts) if parts else ""
