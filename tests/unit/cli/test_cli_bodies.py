"""What the flags become on their way to the services."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from alicia.cli.context import Context
from alicia.cli.event_form import event_body
from alicia.cli.main import parse
from alicia.cli.push import _body as push_body
from alicia.cli.rules import rule_body
from alicia.cli.silences import _body as silence_body
from alicia.cli.silences import parse_matcher

NOW_MS = 1_795_425_234_000


class StoppedClock:
    def now_ms(self) -> int:
        return NOW_MS

    def now_us(self) -> int:
        return NOW_MS * 1000

    def monotonic_ms(self) -> int:
        return 0


def context(*words: str) -> Context:
    made = Context(parse(words), {})
    made.clock = StoppedClock()
    return made


@pytest.mark.parametrize(
    ("words", "body"),
    [
        (
            ["--once", "2026-11-26 07:30", "--timezone", "Europe/Riga", "--topic", "home/wake"],
            {
                "schedule_type": "once",
                "run_at": "2026-11-26 07:30",
                "timezone": "Europe/Riga",
                "target_topic": "home/wake",
            },
        ),
        (
            ["--once", "+10m", "--remind"],
            {
                "schedule_type": "once",
                "run_at": "2026-11-23T09:23:54.000+00:00",
                "action": {"type": "remind"},
            },
        ),
        (
            ["--every", "1m30s", "--service", "tts_service", "--payload", '{"text": "hi"}'],
            {
                "schedule_type": "interval",
                "interval_seconds": 90.0,
                "target_service": "tts_service",
                "payload": {"text": "hi"},
            },
        ),
        (
            ["--cron", "30 7 * * 1-5", "--misfire", "skip", "--overlap", "allow", "--tag", "a"],
            {
                "schedule_type": "cron",
                "cron_expression": "30 7 * * 1-5",
                "misfire": {"policy": "skip"},
                "overlap": "allow",
                "tags": ["a"],
            },
        ),
        (
            ["--rrule", "FREQ=DAILY", "--http", "http://h/", "--method", "put", "--header", "A=b",
             "--payload", "{}", "--require-ack", "--retries", "2"],
            {
                "schedule_type": "recurring",
                "recurrence": "FREQ=DAILY",
                "action": {
                    "type": "http",
                    "method": "PUT",
                    "url": "http://h/",
                    "headers": {"A": "b"},
                    "body": {},
                },
                "require_ack": True,
                "max_retries": 2,
            },
        ),
    ],
)  # fmt: skip
def test_events(words: Sequence[str], body: dict[str, Any]) -> None:
    assert event_body(context("events", "add", "wake", *words)) == {"name": "wake", **body}


def test_flags_complete_the_event_of_a_file(tmp_path: Path) -> None:
    file = tmp_path / "event.json"
    file.write_text(json.dumps({"name": "a", "schedule_type": "cron"}), encoding="utf-8")
    body = event_body(context("events", "add", "--file", str(file), "--topic", "t"))
    assert body == {"name": "a", "schedule_type": "cron", "target_topic": "t"}


def test_samples() -> None:
    given = context(
        *[
            "push",
            "a=1",
            "b=-2.5",
            "--service",
            "s",
            "--instance",
            "i",
            "--label",
            "room=x",
            "--type",
            "counter",
            "--at",
            "-1m",
        ]
    )
    shared = {"metric_type": "counter", "labels": {"room": "x"}, "timestamp": NOW_MS / 1000 - 60}
    assert push_body(given) == {
        "service_name": "s",
        "instance_id": "i",
        "metrics": [{"name": "a", "value": 1.0, **shared}, {"name": "b", "value": -2.5, **shared}],
    }


def test_rules(tmp_path: Path) -> None:
    words = (
        "rules add hot value>30 --metric temp --severity critical --for 5m --resolve-threshold 28"
        " --label team=home --cooldown 1h"
    )
    assert rule_body(context(*words.split())) == {
        "name": "hot",
        "condition": "value>30",
        "metric_name": "temp",
        "severity": "critical",
        "for": "5m",
        "resolve_threshold": 28.0,
        "labels": {"team": "home"},
        "cooldown_period": "1h",
    }
    file = tmp_path / "rule.json"
    file.write_text('{"name": "a", "condition": "x > 1", "severity": "info"}', encoding="utf-8")
    assert rule_body(context("rules", "add", "--file", str(file))) == {
        "name": "a",
        "condition": "x > 1",
        "severity": "info",
    }


def test_silences() -> None:
    body = silence_body(
        context(
            *["silence", "add", "service=stt", "--for", "2h", "--comment", "why", "--author", "me"]
        )
    )
    assert body == {
        "matchers": [{"name": "service", "op": "=", "value": "stt"}],
        "start": NOW_MS / 1000,
        "end": NOW_MS / 1000 + 7200,
        "comment": "why",
        "author": "me",
    }


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("a=b", ("a", "=", "b")),
        ("a=", ("a", "=", "")),
        ("a!=b", ("a", "!=", "b")),
        ("a=~b.*", ("a", "=~", "b.*")),
        ("a!~b=c", ("a", "!~", "b=c")),
        ('a="b c"', ("a", "=", "b c")),
        ("a=b=~c", ("a", "=", "b=~c")),
    ],
)
def test_matchers(text: str, parts: tuple[str, str, str]) -> None:
    assert tuple(parse_matcher(text).values()) == parts
