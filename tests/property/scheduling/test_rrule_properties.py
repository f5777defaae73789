"""Rules that begin near where they are asked, against dateutil from their very DTSTART."""

from datetime import UTC, datetime, timedelta
from itertools import islice, takewhile

from dateutil.rrule import rrulestr
from hypothesis import example, given, settings
from hypothesis import strategies as st

from alicia.base.errors import BadField
from alicia.scheduling.triggers.rrule import RRule
from alicia.scheduling.triggers.rrule_parse import parse_rule

START = datetime(2020, 1, 31, 10, 20, 30)  # noqa: DTZ001
EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001

WEEKDAY = st.sampled_from(["MO", "TU", "WE", "TH", "FR", "SA", "SU"])

PART_NAMES = [
    "FREQ", "INTERVAL", "COUNT", "UNTIL", "BYDAY", "BYMONTH", "BYHOUR", "BYSETPOS", "BYWEEKNO",
    "WKST", "X",
]  # fmt: skip
PART_VALUES = ["DAILY", "HOURLY", "MO,-1FR", "20260101T000000Z", "0", "1", "-1", "99999"]


def numbers(low: int, high: int) -> st.SearchStrategy[str]:
    return st.lists(st.integers(low, high).filter(bool), min_size=1, max_size=3, unique=True).map(
        lambda values: ",".join(map(str, values))
    )


def part(name: str, values: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.one_of(st.just(""), values.map(lambda value: f";{name}={value}"))


PARTS = [
    part("INTERVAL", st.integers(1, 9).map(str)),
    part("BYMONTH", numbers(1, 12)),
    part("BYHOUR", numbers(1, 23)),
    part("BYMINUTE", numbers(1, 59)),
    part("WKST", WEEKDAY),
]
BY_DAY = st.one_of(
    part("BYDAY", st.lists(WEEKDAY, min_size=1, max_size=3, unique=True).map(",".join)),
    part("BYMONTHDAY", numbers(-31, 31)),
)
RULES = st.tuples(
    st.sampled_from(["YEARLY", "MONTHLY", "WEEKLY", "DAILY"]), *PARTS, BY_DAY,
    part("BYSETPOS", numbers(-2, 2)),
).map(lambda parts: "FREQ=" + "".join(parts))  # fmt: skip
FINE_RULES = st.tuples(
    st.sampled_from(["HOURLY", "MINUTELY", "SECONDLY"]),
    part("INTERVAL", st.integers(1, 50).map(str)),
    part("BYHOUR", numbers(1, 23)),
    part("BYMINUTE", numbers(1, 59)),
    part("BYSECOND", numbers(1, 59)),
    part("BYSETPOS", numbers(-1, 1)),
    part("BYMONTH", numbers(1, 3)),
    part("BYDAY", WEEKDAY),
).map(lambda parts: "FREQ=" + "".join(parts))


@settings(max_examples=150, deadline=None)
@given(st.one_of(RULES, FINE_RULES), st.integers(0, 900 * 86_400))
@example("FREQ=HOURLY;INTERVAL=2;BYHOUR=1", 0)
def test_an_old_rule_means_the_same_from_any_point(text: str, later: int) -> None:
    near = START + timedelta(seconds=later)
    horizon = near + timedelta(days=800)
    expected = oracle_instants(text, near, horizon)
    try:
        rule = RRule(parse_rule(text, zone=UTC), START)
        found, at = [], rule.next_local(_seconds(near))
        while at is not None and at < _seconds(horizon) and len(found) < 40:
            found.append(EPOCH + timedelta(seconds=at))
            at = rule.next_local(at + 1)
    except BadField as error:
        assert error.reason in ("too_sparse", "never_fires")
        assert expected == []
        return
    assert found == expected


def oracle_instants(text: str, near: datetime, horizon: datetime) -> list[datetime]:
    """At most 40 instants of dateutil, which says ValueError where parts never meet."""
    try:
        following = rrulestr(text, dtstart=START).xafter(near, inc=True)
        return list(islice(takewhile(lambda at: at < horizon, following), 40))
    except ValueError:
        return []


def _seconds(moment: datetime) -> int:
    return round((moment - EPOCH).total_seconds())


@settings(max_examples=300, deadline=None)
@given(
    st.one_of(
        st.text(max_size=60),
        st.lists(
            st.tuples(
                st.sampled_from(
                    [
                        "FREQ",
                        "INTERVAL",
                        "COUNT",
                        "UNTIL",
                        "BYDAY",
                        "BYMONTH",
                        "BYHOUR",
                        "BYSETPOS",
                        "BYWEEKNO",
                        "WKST",
                        "X",
                    ]
                ),
                st.one_of(
                    st.sampled_from(PART_VALUES),
                    st.text(max_size=5),
                ),
            ).map("=".join),
            max_size=5,
        ).map(";".join),
    )
)
def test_no_text_raises_anything_but_a_typed_error(text: str) -> None:
    try:
        rule = RRule(parse_rule(text, zone=UTC), START)
        rule.next_local(0)
    except BadField as error:
        assert error.reason
        return
    assert rule.words()
