"""What a timing would do, before anything is stored.

Source: contract.md §4, ``POST /events/preview``; scheduling.md §1, "preview".
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import tzinfo
from itertools import pairwise
from typing import Final

from alicia.scheduling.event import SECOND_US, Dst, ScheduleType, Timing
from alicia.scheduling.fields import Fields
from alicia.scheduling.instants import format_instant, read_instant
from alicia.scheduling.localtime import Span, changes
from alicia.scheduling.parse import parse_timing
from alicia.scheduling.triggers.kinds import Built, Key, Zones, build
from alicia.scheduling.triggers.trigger import Trigger

RUNS_DEFAULT: Final = 5
RUNS_MAX: Final = 10_000
_CHANGES_NAMED_MAX: Final = 20
_CHANGES_LOOK_US: Final = 366 * 86_400 * SECOND_US
_SHIFT_MAX_US: Final = 86_400 * SECOND_US
_DENSE_US: Final = SECOND_US


@dataclass(frozen=True, slots=True)
class Preview:
    """Instants to come, µs UTC, ascending; ``truncated``: there are more in the window."""

    runs: tuple[int, ...]
    text: str
    warnings: tuple[str, ...]
    truncated: bool
    zone: tzinfo

    def to_api(self) -> dict[str, object]:
        """The reply: times carry the zone's offset."""
        body: dict[str, object] = {
            "runs": [format_instant(run, self.zone) for run in self.runs],
            "text": self.text,
            "warnings": list(self.warnings),
        }
        return body | {"truncated": True} if self.truncated else body


@dataclass(frozen=True, slots=True)
class Window:
    """``after_us`` exclusive to ``until_us`` inclusive; at most ``limit`` instants."""

    after_us: int
    until_us: int | None
    limit: int


def preview(body: Mapping[str, object], *, now_us: int, default_zone: str, zones: Zones) -> Preview:
    """Answer a preview request; jitter is not applied.

    With ``until`` every instant up to it is given (at most RUNS_MAX), else the next ``n``;
    ``max_runs`` counts from the first instant of the window.

    Raises:
        BadRequest: with every faulty field.
    """
    timing = parse_timing(body, now_us=now_us, default_zone=default_zone, zones=zones)
    zone = zones(timing.timezone)
    fields = Fields(body)
    window = _window(fields, zone, now_us)
    key = _key(body)
    built = fields.guarded(lambda: build(timing, key=key, zones=zones), None)
    fields.check()
    assert built is not None, "a timing without faults has a trigger"
    runs, truncated = _runs(built.trigger, window)
    if timing.max_runs is not None and len(runs) >= timing.max_runs:
        runs, truncated = runs[: timing.max_runs], False
    return Preview(
        runs=runs,
        text=built.trigger.words(),
        warnings=(
            *_warnings(built, timing, runs),
            *_change_notes(touched(runs, timing, window, key=key, zones=zones), timing, zone),
        ),
        truncated=truncated,
        zone=zone,
    )


def touched(
    runs: tuple[int, ...], timing: Timing, window: Window, *, key: Key, zones: Zones
) -> list[Span]:
    """The clock changes that bend the schedule: some of its local times are lost or come twice.

    Elapsed time is blind to them, and ``once`` warns by itself.
    """
    if timing.schedule_type not in (ScheduleType.CRON, ScheduleType.RECURRING):
        return []
    end_us = window.until_us if window.until_us is not None else (runs[-1] if runs else 0)
    # A run of the first pass lies before the change that repeats its hour.
    end_us = min(max(end_us, window.after_us) + _SHIFT_MAX_US, window.after_us + _CHANGES_LOOK_US)
    found = changes(zones(timing.timezone), window.after_us // SECOND_US, end_us // SECOND_US)
    if not found:
        return []
    # These two options leave no local time out, so that they show what any other one bends.
    ahead, back = (
        build(replace(timing, dst=dst), key=key, zones=zones).trigger
        for dst in (Dst.SHIFT, Dst.BOTH)
    )
    return [span for span in found if _bent(ahead if span.offset > span.before else back, span)]


def _bent(trigger: Trigger, span: Span) -> bool:
    """Whether an instant lies within the shift's length after the change."""
    start_us, length_us = span.start * SECOND_US, abs(span.offset - span.before) * SECOND_US
    following = trigger.next_after(start_us - 1)
    return following is not None and following < start_us + length_us


def _key(body: Mapping[str, object]) -> Key:
    event_id = body.get("event_id")
    if isinstance(event_id, str) and event_id:
        return Key(event_id)
    name = body.get("name")
    return Key(name if isinstance(name, str) else "", is_name=True)


def _window(fields: Fields, zone: tzinfo, now_us: int) -> Window:
    after, until = fields.raw("after"), fields.raw("until")
    after_us = now_us
    if after is not None:
        after_us = fields.guarded(lambda: read_instant(after, zone, field="after")[0], now_us)
    until_us = None
    if until is not None:
        until_us = fields.guarded(lambda: read_instant(until, zone, field="until")[0], None)
    default = RUNS_DEFAULT if until is None else RUNS_MAX
    return Window(after_us, until_us, fields.whole("n", low=1, high=RUNS_MAX, default=default))


def _runs(trigger: Trigger, window: Window) -> tuple[tuple[int, ...], bool]:
    found: list[int] = []
    due = trigger.next_after(window.after_us)
    while due is not None and (window.until_us is None or due <= window.until_us):
        if len(found) == window.limit:
            return tuple(found), window.until_us is not None
        found.append(due)
        due = trigger.next_after(due)
    return tuple(found), False


def _warnings(built: Built, timing: Timing, runs: tuple[int, ...]) -> list[str]:
    notes = list(built.warnings)
    if not runs and not built.at_boot:
        notes.append("nothing is due in this window")
    gaps = [later - earlier for earlier, later in pairwise(runs)]
    if gaps and min(gaps) < _DENSE_US:
        notes.append("more than one run a second: check that the target can follow")
    if timing.jitter_us and gaps and timing.jitter_us > min(gaps):
        notes.append("the jitter is longer than the shortest distance of two runs and is cut to it")
    return notes


def _change_notes(spans: list[Span], timing: Timing, zone: tzinfo) -> list[str]:
    notes = [change_words(span, timing, zone) for span in spans[:_CHANGES_NAMED_MAX]]
    if len(spans) > _CHANGES_NAMED_MAX:
        notes.append(f"and {len(spans) - _CHANGES_NAMED_MAX} more clock changes")
    return notes


def change_words(span: Span, timing: Timing, zone: tzinfo) -> str:
    """One clock change in words, with the instant at which it happens."""
    shift = span.offset - span.before
    minutes = abs(shift) // 60
    moved = f"{minutes // 60} h" if minutes % 60 == 0 else f"{minutes} min"
    way = "ahead" if shift > 0 else "back"
    at = format_instant(span.start * SECOND_US, zone)
    return f"the clock of {timing.timezone} goes {way} by {moved} at {at}"
