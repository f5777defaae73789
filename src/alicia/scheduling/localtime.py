"""Local wall times become instants: the one place that knows what a clock change does.

Cron, RRULE and structured rules all describe local times; this module maps them, following the
main loop of Debian's cron (3.0pl1-162, ``cron.c``), whose table stands in scheduling.md §3.
Times here are whole seconds: *instants* since 1970 UTC, and *local* seconds, which count as if
the local wall clock showed UTC.
"""

from datetime import datetime, tzinfo
from functools import lru_cache
from typing import Final, NamedTuple, Protocol

from alicia.scheduling.event import Dst

DAY: Final = 86_400
END_S: Final = 7_258_118_400  # 2200-01-01 UTC: no instant from here on is looked for
REPLAY_ALL_BELOW: Final = 5 * 60  # a shift so small is made up for, by wild rules too
REPLAY_BELOW: Final = 180 * 60  # a shift ahead below this is made up for by fixed rules
FIRST_PASS_UP_TO: Final = 180 * 60  # a shift back up to this runs fixed rules once
_BLOCK_BITS: Final = 22  # zone data are read in blocks of 2^22 s, about 48 days
_LOOK_BACK: Final = 2 * DAY  # longer than any overlap
_PROBE: Final = 6 * 3600  # no zone ever changed twice within this
_SLACK: Final = 26 * 3600  # two offsets of one zone differ by less


class LocalRule(Protocol):
    """A set of local times."""

    @property
    def wild(self) -> bool:
        """Whether the rule follows the clock (``*``) and does not mean fixed times."""
        ...

    def next_local(self, local_s: int) -> int | None:
        """The first local time of the rule at or after ``local_s``; None after the last."""
        ...

    def count_local(self, low_s: int, high_s: int) -> int:
        """How many local times lie in ``low_s`` inclusive to ``high_s`` exclusive."""
        ...


class Span(NamedTuple):
    """A stretch of one UTC offset: ``start`` inclusive to ``end`` exclusive.

    Where the clock changed at ``start``, ``before`` is the offset until then; else it equals
    ``offset``.
    """

    start: int
    end: int
    offset: int
    before: int


def offset_at(zone: tzinfo, instant_s: int) -> int:
    """Seconds that local time is ahead of UTC."""
    delta = datetime.fromtimestamp(instant_s, zone).utcoffset()
    assert delta is not None, "a zone knows its offset"
    return delta.days * DAY + delta.seconds


def span_at(zone: tzinfo, instant_s: int) -> Span:
    """A span that holds the instant; its end may be that of a block, without a clock change."""
    for span in _block(zone, instant_s >> _BLOCK_BITS):
        if instant_s < span.end:
            return span
    raise AssertionError("BUG: a block covers its instants")


@lru_cache(maxsize=16_384)  # a pure function of immutable zone data
def _block(zone: tzinfo, number: int) -> tuple[Span, ...]:
    start, end = (number << _BLOCK_BITS) - _LOOK_BACK, (number + 1) << _BLOCK_BITS
    spans: list[Span] = []
    begin, before, offset = start, offset_at(zone, start), offset_at(zone, start)
    for low in range(start, end - 1, _PROBE):
        high = min(low + _PROBE, end - 1)
        found = offset_at(zone, high)
        if found != offset:
            change = _change(zone, low, high)
            spans.append(Span(begin, change, offset, before))
            begin, before, offset = change, offset, found
    spans.append(Span(begin, end, offset, before))
    return tuple(spans)


def _change(zone: tzinfo, low: int, high: int) -> int:
    """The first instant with the offset of ``high``; the offset of ``low`` is another one."""
    new = offset_at(zone, high)
    while high - low > 1:
        middle = (low + high) // 2
        if offset_at(zone, middle) == new:
            high = middle
        else:
            low = middle
    return high


def changes(zone: tzinfo, after_s: int, until_s: int) -> list[Span]:
    """The spans that begin with a clock change after ``after_s``, up to ``until_s`` inclusive."""
    found: list[Span] = []
    at = after_s + 1
    while at <= until_s:
        span = span_at(zone, at)
        if span.before != span.offset and after_s < span.start <= until_s:
            found.append(span)
        at = span.end
    return found


def next_instant(rule: LocalRule, zone: tzinfo, dst: Dst, after_s: int) -> int | None:
    """The first instant of the rule after ``after_s`` exclusive; None from 2200 on."""
    earliest = after_s + 1
    while earliest < END_S:
        span = span_at(zone, earliest)
        found = _in_span(rule, span, dst, earliest)
        if found is not None:
            return found
        # Rare rules leap over the clock changes in between, which can touch none of their times.
        ahead = rule.next_local(span.end + span.offset - _SLACK)
        if ahead is None:
            return None
        earliest = max(span.end, ahead - span.offset - _SLACK)
    return None


def count_instants(rule: LocalRule, zone: tzinfo, dst: Dst, *, after_s: int, until_s: int) -> int:
    """How many instants lie in ``after_s`` exclusive to ``until_s`` inclusive."""
    total, at = 0, after_s + 1
    while at <= until_s:
        span = span_at(zone, at)
        end = min(span.end, until_s + 1)
        settled = span.start + abs(span.offset - span.before)  # the change is history from here
        if span.before != span.offset and at <= settled:
            stop = min(end, settled + 1)
            total += _walk(rule, zone, dst, low=at, high=stop)
            at = stop
        if at < end:
            total += rule.count_local(at + span.offset, end + span.offset)
        at = end
    return total


def _walk(rule: LocalRule, zone: tzinfo, dst: Dst, *, low: int, high: int) -> int:
    count, found = 0, next_instant(rule, zone, dst, low - 1)
    while found is not None and found < high:
        count, found = count + 1, next_instant(rule, zone, dst, found)
    return count


def _in_span(rule: LocalRule, span: Span, dst: Dst, earliest: int) -> int | None:
    """The first instant of the rule in the span, at or after ``earliest``."""
    shift = span.offset - span.before
    if shift > 0 and (found := _made_up(rule, span, dst, earliest)) is not None:
        return found
    low = earliest + span.offset
    if shift < 0 and not rule.wild and dst is not Dst.BOTH and -shift <= FIRST_PASS_UP_TO:
        low = max(low, span.start + span.before)  # the repeated hour has had its runs
    found = rule.next_local(low)
    return found - span.offset if found is not None and found < span.end + span.offset else None


def _made_up(rule: LocalRule, span: Span, dst: Dst, earliest: int) -> int | None:
    """The instant that stands for local times the clock leapt over; None where none comes next."""
    gap_low, gap_high = span.start + span.before, span.start + span.offset
    if not rule.wild and dst is Dst.SHIFT:
        missed = rule.next_local(max(gap_low, earliest + span.before))
        if missed is None or missed >= gap_high:
            return None
        later = missed - span.before
        regular = rule.next_local(earliest + span.offset)
        return later if regular is None else min(later, regular - span.offset)
    made_up_below = REPLAY_ALL_BELOW if rule.wild else REPLAY_BELOW
    if earliest > span.start or gap_high - gap_low >= made_up_below:
        return None
    if not rule.wild and dst is Dst.SKIP:
        return None
    missed = rule.next_local(gap_low)
    return span.start if missed is not None and missed < gap_high else None


def first_instant_of(zone: tzinfo, local_s: int) -> tuple[int, str]:
    """The instant of one wall time, and what is odd about it: ``gap``, ``overlap`` or nothing.

    In a gap it is the gap's end, in an overlap the first pass.
    """
    span = span_at(zone, local_s - _SLACK)
    while local_s >= span.end + span.offset:
        following = span_at(zone, span.end)
        if local_s < following.start + following.offset:
            return following.start, "gap"
        span = following
    instant = local_s - span.offset
    again = changes(zone, instant, instant + _SLACK)
    return instant, "overlap" if any(s.start + s.offset <= local_s for s in again) else ""
