import io
import json
import logging
import sys

import pytest

from alicia.adapters.logs import JsonLines, PlainLines, Sparing, clean
from alicia.base.limits import LOG_LINE_BYTES_MAX


def record(message: str, *args: object, created: float = 0.0, **extra: object) -> logging.LogRecord:
    made = logging.LogRecord("alicia.x", logging.WARNING, "x.py", 1, message, args, None)
    made.created, made.msecs = created, 7.0
    vars(made).update(extra)
    return made


def with_traceback(message: str) -> logging.LogRecord:
    made = record("it failed")
    try:
        raise ValueError(message)
    except ValueError:
        made.exc_info = sys.exc_info()
    return made


def test_a_plain_line() -> None:
    line = PlainLines("collector").format(record("took %s", "ten", code="slow"))
    assert line == "1970-01-01T00:00:00.007Z warning collector: took ten code=slow"


def test_a_json_line() -> None:
    line = JsonLines("collector").format(record("took %s", "ten", code="slow"))
    assert json.loads(line) == {
        "time": "1970-01-01T00:00:00.007Z",
        "level": "warning",
        "service": "collector",
        "logger": "alicia.x",
        "message": "took ten",
        "code": "slow",
    }


@pytest.mark.parametrize("formatter", [PlainLines("s"), JsonLines("s")])
def test_nobody_begins_a_line_of_their_own(formatter: logging.Formatter) -> None:
    evil = "name\r\n1970-01-01 error forged\x1b[31m\x00\u2028next"
    line = formatter.format(record("unknown service %s", evil, peer=evil))
    assert not {"\n", "\r", "\x1b", "\x00"} & set(line)


@pytest.mark.parametrize("formatter", [PlainLines("s"), JsonLines("s")])
@pytest.mark.parametrize("text", ["a" * 100_000, "☃" * 100_000, "\x00" * 100_000, "a\n" * 50_000])
def test_a_line_has_a_bounded_length(formatter: logging.Formatter, text: str) -> None:
    for made in (record("%s", text), record("x", peer=text), with_traceback(text)):
        line = formatter.format(made)
        assert len(line.encode()) <= LOG_LINE_BYTES_MAX
        if isinstance(formatter, JsonLines):
            assert json.loads(line)["level"] == "warning"


@pytest.mark.parametrize("formatter", [PlainLines("s"), JsonLines("s")])
def test_a_traceback_follows(formatter: logging.Formatter) -> None:
    text = formatter.format(with_traceback("the reason"))
    assert "ValueError: the reason" in text
    assert "Traceback" in text


@pytest.mark.parametrize(
    "text",
    [
        "token alicia_CANARY",
        "Authorization: Bearer CANARY",
        "authorization: basic CANARY==",
        "mqtt://user:CANARY@host:1883",
        "https://CANARY@host/",
        "postgresql://alicia:CANARY@db/alicia and more",
        "?password=CANARY&x=1",
        "token=CANARY",
    ],
)
@pytest.mark.parametrize("formatter", [PlainLines("s"), JsonLines("s")])
def test_secrets_stay_out(formatter: logging.Formatter, text: str) -> None:
    secret = "c0ffee" * 10
    given = text.replace("CANARY", secret)
    for made in (record("%s", given), record("x", peer=given), with_traceback(given)):
        assert secret not in formatter.format(made)
    assert secret not in clean("x" * 2000 + " " + given)


@pytest.mark.parametrize(
    "text",
    ["alicia_c0ffeec0ffee", "Bearer c0ffee", "password=c0ffee", "mqtt://user:c0ffee@host"],
)
@pytest.mark.parametrize("before", range(970, 1000, 5))
def test_a_cut_leaves_no_half_of_a_secret(text: str, before: int) -> None:
    cut = clean("x" * before + " " + text.replace("c0ffee", "c0ffee" * 10))
    assert "c0" not in cut


def test_repeats_are_withheld_and_counted() -> None:
    sparing = Sparing()
    passed = [sparing.filter(record("peer %s", n, created=10.0)) for n in range(100)]
    assert passed == [True] * 5 + [False] * 95
    assert sparing.filter(record("another", created=10.0))
    assert not sparing.filter(record("peer %s", 1, created=69.0))
    later = record("peer %s", 2, created=70.0)
    assert sparing.filter(later)
    assert vars(later)["withheld"] == 96
    assert "withheld=96" in PlainLines("s").format(later)


def test_the_code_decides_what_a_repeat_is() -> None:
    sparing = Sparing()
    assert all(sparing.filter(record(f"text {n}", code="same")) for n in range(5))
    assert not sparing.filter(record("text 5", code="same"))


def test_a_clock_stepping_back_silences_nobody_for_long() -> None:
    sparing = Sparing()
    for _ in range(10):
        sparing.filter(record("x", created=1000.0))
    assert sparing.filter(record("x", created=0.0))


def test_many_codes_take_bounded_memory() -> None:
    sparing = Sparing()
    for number in range(5000):
        assert sparing.filter(record(f"text {number}"))
    assert len(sparing._seen) <= 1000


def test_set_up_writes_to_one_stream() -> None:
    from alicia.adapters.logs import set_up_logs

    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    stream = io.StringIO()
    try:
        set_up_logs("collector", stream=stream)
        logging.getLogger("alicia.x").info("begun")
        logging.getLogger("httpx").info("chatter")
    finally:
        logging.captureWarnings(False)
        root.handlers[:] = handlers
        root.setLevel(level)
    lines = stream.getvalue().splitlines()
    assert len(lines) == 1
    assert lines[0].endswith("info collector: begun")
