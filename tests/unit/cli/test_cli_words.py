"""Numbers and instants as people read them."""

from zoneinfo import ZoneInfo

import pytest

from alicia.cli import words

NOW_MS = 1_795_425_234_000  # 2026-11-23T09:13:54Z


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (NOW_MS / 1000, "now"),
        (NOW_MS / 1000 - 0.999, "now"),
        (NOW_MS / 1000 - 1, "1 s ago"),
        (NOW_MS / 1000 - 59, "59 s ago"),
        (NOW_MS / 1000 - 60, "60 s ago"),
        (NOW_MS / 1000 - 119, "119 s ago"),
        (NOW_MS / 1000 - 120, "2 min ago"),
        (NOW_MS / 1000 + 7199, "in 120 min"),
        (NOW_MS / 1000 + 7200, "in 2 h"),
        (NOW_MS / 1000 + 86_400 * 3, "in 3 d"),
        ("2026-11-23T09:10:54Z", "3 min ago"),
        ("2026-11-23T11:10:54+02:00", "3 min ago"),
        (None, "-"),
        ("", "-"),
        ("next tuesday", "next tuesday"),
        ({}, "{}"),
    ],
)
def test_relative(value: object, text: str) -> None:
    assert words.relative(value, NOW_MS) == text


def test_moments_are_told_on_the_calendar_of_a_zone() -> None:
    riga = ZoneInfo("Europe/Riga")
    assert words.moment(NOW_MS / 1000, riga) == "2026-11-23 11:13:54 EET"
    assert words.moment("2026-07-01T00:00:00Z", riga) == "2026-07-01 03:00:00 EEST"
    assert words.moment(None, riga) == "-"
    assert words.moment("soon", riga) == "soon"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"a": [1]}, '{"a": [1]}'),
        (True, "true"),
        (1.5, "1.5"),
        ("x\n", "x\N{REPLACEMENT CHARACTER}"),
    ],
)
def test_anything(value: object, text: str) -> None:
    assert words.anything(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(42.0, "42"), (0.1 + 0.2, "0.3"), (1e20, "1e+20"), (7, "7"), (True, "True"), (None, "-")],
)
def test_number(value: object, text: str) -> None:
    assert words.number(value) == text


def test_what_peers_send_cannot_steer_the_terminal() -> None:
    assert words.clean("a\x1b[2Jb\nc\x9b") == "a\N{REPLACEMENT CHARACTER}[2Jb" + (
        "\N{REPLACEMENT CHARACTER}c\N{REPLACEMENT CHARACTER}"
    )
    assert "\x1b" not in words.labels({"x": "\x1b]0;evil\x07"})


def test_labels_are_sorted_and_hide_what_is_told() -> None:
    given = {"b": "2", "a": "1", "__name__": "m"}
    assert words.labels(given, without=["__name__"]) == '{a="1",b="2"}'
    assert words.labels({}) == ""
    assert words.labels(None) == ""
