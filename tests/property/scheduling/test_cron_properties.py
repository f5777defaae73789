"""Cron against a second implementation that walks every minute, as Debian's main loop does."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alicia.scheduling.event import Dialect, Dst
from alicia.scheduling.localtime import offset_at
from alicia.scheduling.plan import last_before
from alicia.scheduling.triggers.cron import CronRule
from alicia.scheduling.triggers.cron_fields import CronError
from alicia.scheduling.triggers.cron_parse import parse_cron
from alicia.scheduling.triggers.local import LocalTrigger

# A zone, and a clock change in it: gap, overlap, half an hour, two, three, midnight, a lost day.
CHANGES = [
    ("Europe/Riga", "2021-03-28T01:00+00:00"),
    ("Europe/Riga", "2021-10-31T01:00+00:00"),
    ("America/New_York", "2022-03-13T07:00+00:00"),
    ("America/New_York", "2022-11-06T06:00+00:00"),
    ("Australia/Lord_Howe", "2021-10-02T15:30+00:00"),
    ("Australia/Lord_Howe", "2022-04-02T15:00+00:00"),
    ("Antarctica/Troll", "2021-03-28T01:00+00:00"),
    ("Antarctica/Troll", "2021-10-31T01:00+00:00"),
    ("Antarctica/Casey", "2009-10-17T18:00+00:00"),
    ("Antarctica/Casey", "2010-03-04T15:00+00:00"),
    ("America/Havana", "2021-03-14T05:00+00:00"),
    ("Africa/Cairo", "2023-04-27T22:00+00:00"),
    ("Asia/Beirut", "2022-03-26T22:00+00:00"),
    ("Africa/Casablanca", "2021-04-11T02:00+00:00"),
    ("Pacific/Apia", "2011-12-30T10:00+00:00"),
    ("Pacific/Chatham", "2021-09-25T14:00+00:00"),
    ("Asia/Kathmandu", "2021-03-28T01:00+00:00"),
]


def trigger(expression: str, zone: str, dst: Dst = Dst.DEBIAN) -> LocalTrigger:
    rule = CronRule(parse_cron(expression, key="e"))
    return LocalTrigger(rule, ZoneInfo(zone), zone_name=zone, dst=dst)


def field_values(text: str, low: int, high: int) -> set[int]:
    found: set[int] = set()
    for element in text.split(","):
        span, _, step = element.partition("/")
        first, _, last = (f"{low}-{high}" if span == "*" else span).partition("-")
        found.update(range(int(first), int(last or first) + 1, int(step or 1)))
    return found


class DebianLoop:
    """``cron.c`` on a simulated clock: wakes every minute, keeps a virtual time."""

    def __init__(self, expression: str, zone: ZoneInfo) -> None:
        self.texts = expression.split()
        bounds = [(0, 59), (0, 23), (1, 31), (1, 12), (0, 7)]
        self.sets = [
            field_values(text, *bound) for text, bound in zip(self.texts, bounds, strict=True)
        ]
        self.wild = self.texts[0][0] == "*" or self.texts[1][0] == "*"
        self.zone = zone

    def local_minute(self, instant_s: int) -> int:
        return (instant_s + offset_at(self.zone, instant_s)) // 60

    def matches(self, minute: int) -> bool:
        at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(minutes=minute)
        weekday = at.isoweekday() % 7
        by_weekday = weekday in self.sets[4] or (weekday == 0 and 7 in self.sets[4])
        by_day = at.day in self.sets[2]
        starred = self.texts[2][0] == "*" or self.texts[4][0] == "*"
        on = (by_day and by_weekday) if starred else (by_day or by_weekday)
        return (
            on
            and at.minute in self.sets[0]
            and at.hour in self.sets[1]
            and (at.month in self.sets[3])
        )

    def fires(self, start: int, end: int) -> list[int]:
        found: list[int] = []
        virtual = self.local_minute(start)
        for instant in range(start - start % 60 + 60, end + 1, 60):
            clock = self.local_minute(instant)
            ahead = clock - virtual
            if 0 < ahead <= 5:
                due = any(self.matches(m) for m in range(virtual + 1, clock + 1))
                virtual = clock
            elif 5 < ahead <= 180:
                due = (
                    self.matches(clock)
                    if self.wild
                    else any(self.matches(m) for m in range(virtual + 1, clock + 1))
                )
                virtual = clock
            elif -180 < ahead <= 0:
                due = self.wild and self.matches(clock)
            else:
                virtual = clock
                due = self.matches(clock)
            if due:
                found.append(instant)
        return found


def elements(low: int, high: int) -> st.SearchStrategy[str]:
    value = st.integers(low, high)
    pair = st.tuples(value, value).map(lambda p: f"{min(p)}-{max(p)}")
    step = st.integers(1, high + 2).map(str)
    return st.one_of(
        value.map(str), pair, st.just("*"),
        st.tuples(pair, step).map("/".join), st.tuples(st.just("*"), step).map("/".join),
    )  # fmt: skip


def fields(low: int, high: int) -> st.SearchStrategy[str]:
    return st.lists(elements(low, high), min_size=1, max_size=3).map(",".join)


EXPRESSIONS = st.tuples(
    fields(0, 59), fields(0, 23),
    st.one_of(st.just("*"), fields(1, 31)), st.one_of(st.just("*"), fields(1, 12)),
    st.one_of(st.just("*"), fields(0, 7)),
).map(" ".join)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(EXPRESSIONS, st.sampled_from(CHANGES))
def test_instants_equal_a_walk_over_every_minute(expression: str, change: tuple[str, str]) -> None:
    zone, at = change
    middle = int(datetime.fromisoformat(at).timestamp())
    start, end = middle - 30 * 3600, middle + 30 * 3600
    try:
        tested = trigger(expression, zone)
    except CronError as error:
        assert error.reason == "never_fires"
        return
    expected = DebianLoop(expression, ZoneInfo(zone)).fires(start, end)
    found, due = [], tested.next_after(start * 1_000_000)
    while due is not None and due <= end * 1_000_000:
        found.append(due // 1_000_000)
        due = tested.next_after(due)
    assert found == expected
    assert tested.count(start * 1_000_000, end * 1_000_000) == len(expected)


@settings(max_examples=100, deadline=None)
@given(
    EXPRESSIONS, st.sampled_from(CHANGES), st.sampled_from(Dst),
    st.integers(-(40 * 3600), 40 * 3600), st.floats(0, 1, exclude_max=True),
)  # fmt: skip
def test_next_is_the_same_until_it_comes(
    expression: str, change: tuple[str, str], dst: Dst, offset: int, share: float
) -> None:
    zone, at = change
    t_us = (int(datetime.fromisoformat(at).timestamp()) + offset) * 1_000_000 + 123_456
    try:
        tested = trigger(expression, zone, dst)
    except CronError:
        return
    due = tested.next_after(t_us)
    if due is None:
        return
    assert due > t_us
    assert tested.next_after(t_us + int((due - t_us) * share)) == due
    following = tested.next_after(due)
    assert following is None or following > due
    assert last_before(tested, due + 1) == due


@settings(max_examples=300, deadline=None)
@given(
    st.one_of(
        st.text(max_size=40),
        st.text(alphabet="0123456789*/,-?LW#H()+@ \tamonfri", max_size=40),
        st.lists(
            st.text(alphabet="0123456789*/,-?LWH#()", min_size=1, max_size=6),
            min_size=5, max_size=7,
        ).map(" ".join),
    ),
    st.sampled_from(Dialect),
)  # fmt: skip
def test_no_text_raises_anything_but_a_cron_error(text: str, dialect: Dialect) -> None:
    try:
        rule = CronRule(parse_cron(text, key="e", dialect=dialect))
    except CronError as error:
        assert error.reason
        assert error.loc == ("cron_expression",)
        return
    assert rule.next_local(0) is not None
    assert rule.words()


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=30), st.sampled_from(["H H * * *", "H/7 H(2-5) H * H", "H H H H H H"]))
def test_h_depends_on_the_key_alone_and_stays_in_bounds(key: str, expression: str) -> None:
    first, second = (parse_cron(expression, key=key) for _ in range(2))
    assert first == second
    assert first.hours.bit_count() == 1
    if "(2-5)" in expression:
        assert first.hours & 0b111100


@pytest.mark.parametrize("expression", ["* * * * *", "*/7 3-9 * * MON", "0 0 29 2 *"])
def test_counting_a_month_equals_walking_it(expression: str) -> None:
    tested = trigger(expression, "America/New_York")
    start, end = 1_577_836_800 * 1_000_000, 1_580_515_200 * 1_000_000
    walked, due = 0, tested.next_after(start)
    while due is not None and due <= end:
        walked, due = walked + 1, tested.next_after(due)
    assert tested.count(start, end) == walked
