"""What the trial broker lets amqtt say."""

import io
import logging

import pytest

from alicia.adapters.broker.trial_child import brief
from alicia.adapters.logs import PlainLines, Sparing


def test_a_storm_of_tracebacks_becomes_five_lines() -> None:
    shown = io.StringIO()
    handler = logging.StreamHandler(shown)
    handler.setFormatter(PlainLines("broker"))
    handler.addFilter(brief)
    handler.addFilter(Sparing())
    log = logging.Logger("amqtt.broker")
    log.addHandler(handler)
    for number in range(100):
        try:
            raise TimeoutError(f"no PUBACK for {number}")
        except TimeoutError as error:
            log.exception(f"Task failed: {error}")
    lines = shown.getvalue().splitlines()
    assert len(lines) == 5
    assert "error broker: Task failed: no PUBACK for 0 code=test_trial_log:" in lines[0]


@pytest.mark.parametrize("text", ["x" * 1000, "%s is no argument"])
def test_a_line_is_short_and_keeps_its_percent_signs(text: str) -> None:
    record = logging.LogRecord("amqtt", logging.ERROR, "f.py", 7, text, None, None)
    assert brief(record)
    assert record.getMessage() == text[:300]
    assert vars(record)["code"] == "f:7"
