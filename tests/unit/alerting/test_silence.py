from datetime import UTC, datetime, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from alicia.alerting.silence import (
    Recurrence,
    Silence,
    ended_silence,
    parse_silence,
    silence_to_api,
    silenced_by,
)
from alicia.base.errors import BadField, BadRequest
from alicia.base.times import parse_time_ms
from alicia.series.labels import LabelSet

HOUR = 3_600_000
NOW = int(datetime(2026, 10, 24, 10, tzinfo=UTC).timestamp()) * 1000


def zones(name: str) -> tzinfo:
    if name not in ("UTC", "Europe/Berlin"):
        raise BadField("timezone", "timezone: unknown", reason="unknown_zone")
    return ZoneInfo(name)


def silence_of(**fields: Any) -> Silence:
    body = {"matchers": {"service": "a"}, "duration": "1h", **fields}
    return parse_silence(body, silence_id="s1", now_ms=NOW, default_author="loopback", zones=zones)


def test_a_silence_begins_now_and_ends_exclusively() -> None:
    silence = silence_of()
    assert [silence.active(NOW + t) for t in (-1, 0, HOUR - 1, HOUR)] == [False, True, True, False]
    assert [silence.state(NOW + t) for t in (-1, 0, HOUR)] == ["pending", "active", "expired"]
    assert silence.author == "loopback"


@pytest.mark.parametrize(
    ("matchers", "covered"),
    [
        ({"service": "a"}, True),
        ([{"name": "service", "value": "a"}], True),
        ([{"name": "service", "op": "=~", "value": "a|b"}, {"name": "x", "value": "1"}], False),
        ([{"name": "service", "value": "b", "isEqual": False}], True),
        ([{"name": "service", "value": ".", "isRegex": True}], True),
    ],
)
def test_matchers(matchers: object, covered: bool) -> None:
    if matchers == [{"name": "service", "value": "b", "isEqual": False}]:
        with pytest.raises(BadRequest, match="silence everything"):
            silence_of(matchers=matchers)
        return
    silence = silence_of(matchers=matchers)
    assert silence.covers(LabelSet({"service": "a"})) is covered
    assert silenced_by({"s1": silence}, LabelSet({"service": "a"}), NOW) == (
        ("s1",) if covered else ()
    )


def test_a_daily_silence_keeps_its_time_of_day_over_a_change_of_the_clocks() -> None:
    # 22:00 to 24:00 in Berlin; summer time ends in the night to 2026-10-25.
    silence = silence_of(
        start="2026-10-24T22:00:00+02:00", duration="2h", recurrence="daily",
        timezone="Europe/Berlin",
    )  # fmt: skip
    day_after = datetime(2026, 10, 25, 22, 30, tzinfo=ZoneInfo("Europe/Berlin"))
    at = int(day_after.timestamp()) * 1000
    assert [silence.active(at + t) for t in (-HOUR, 0, 2 * HOUR)] == [False, True, False]
    assert silence.state(NOW) == "pending"


def test_a_weekly_silence_over_midnight() -> None:
    silence = silence_of(start="2026-10-24T23:00:00Z", duration="2h", recurrence="weekly")
    begin = silence.start_ms + 7 * 24 * HOUR
    assert [silence.active(begin + t) for t in (-1, 0, 2 * HOUR - 1, 2 * HOUR)] == [
        False, True, True, False,
    ]  # fmt: skip
    assert not silence.active(begin - 24 * HOUR)


def test_a_silence_stored_with_a_start_that_no_calendar_holds() -> None:
    matchers = silence_of().matchers
    start_ms = parse_time_ms("0001-01-01T00:00:00Z")  # a Monday
    silence = Silence(
        "s1", matchers, start_ms, start_ms + HOUR, "", "a", start_ms,
        recurrence=Recurrence.WEEKLY, zone=ZoneInfo("America/New_York"),
    )  # fmt: skip
    # 19:00 on Sundays in New York, which is an hour earlier in UTC in summer.
    begin = int(datetime(2026, 10, 18, 23, tzinfo=UTC).timestamp()) * 1000
    assert [silence.active(begin + t) for t in (-1, 0, HOUR - 1, HOUR, 24 * HOUR)] == [
        False, True, True, False, False,
    ]  # fmt: skip


def test_a_silence_can_be_ended() -> None:
    ended = ended_silence(silence_of(), now_ms=NOW + 5)
    assert (ended.active(NOW + 4), ended.active(NOW + 5)) == (True, False)
    again = ended_silence(silence_of(recurrence="daily"), now_ms=NOW + 5)
    assert again.state(NOW + 5) == "expired"
    early = ended_silence(silence_of(start=NOW / 1000 + 60), now_ms=NOW)
    assert early.state(NOW + 70_000) == "expired"


def test_shape() -> None:
    assert silence_to_api(silence_of(comment="c", author="me"), now_ms=NOW) == {
        "silence_id": "s1",
        "matchers": [{"name": "service", "op": "=", "value": "a"}],
        "start": NOW / 1000,
        "end": NOW / 1000 + 3600,
        "recurrence": None,
        "until": None,
        "timezone": "UTC",
        "comment": "c",
        "author": "me",
        "created_at": NOW / 1000,
        "state": "active",
    }


# fields | faulty field | code
FAULTS: list[tuple[dict[str, Any], str, str]] = [
    ({"matchers": []}, "matchers", "missing"),
    ({"matchers": "service=a"}, "matchers", "missing"),
    ({"matchers": [{"name": "service"}]}, "matchers", "bad_matcher"),
    ({"matchers": [{"name": "service", "op": "==", "value": "a"}]}, "matchers", "bad_matcher"),
    ({"matchers": [{"name": "s", "op": [], "value": "a"}]}, "matchers", "bad_matcher"),
    ({"matchers": [{"name": "s", "op": "=~", "value": "("}]}, "matchers", "bad_regex"),
    ({"matchers": [{"name": "s", "op": "=~", "value": ".*"}]}, "matchers", "matches_everything"),
    ({"matchers": {f"l{i}": "x" for i in range(65)}}, "matchers", "too_many"),
    ({"duration": None}, "end", "missing"),
    ({"end": NOW / 1000 + 60}, "end", "missing"),
    ({"duration": 0}, "end", "reversed_range"),
    ({"duration": None, "end": NOW / 1000 - 60}, "end", "reversed_range"),
    ({"start": NOW / 1000 - 7200}, "end", "end_past"),
    ({"start": "yesterday"}, "start", "bad_time"),
    ({"start": [1]}, "start", "bad_time"),
    ({"start": "1969-12-31T23:59:59Z", "recurrence": "daily"}, "start", "bad_time"),
    ({"start": "2200-01-01T00:00:00Z"}, "start", "bad_time"),
    ({"until": "0001-01-01T00:00:00Z", "recurrence": "daily"}, "until", "bad_time"),
    ({"recurrence": "hourly"}, "recurrence", "bad_recurrence"),
    ({"recurrence": "daily", "duration": "25h"}, "end", "too_long"),
    ({"timezone": "Mars/Base"}, "timezone", "unknown_zone"),
    ({"author": "x" * 257}, "author", "bad_text"),
    ({"coment": "x"}, "coment", "unknown_field"),
]


@pytest.mark.parametrize(("fields", "field", "code"), FAULTS)
def test_faults(fields: dict[str, Any], field: str, code: str) -> None:
    with pytest.raises(BadRequest) as caught:
        silence_of(**fields)
    [fault] = caught.value.errors()
    assert (fault.loc, fault.code) == ((field,), code)
