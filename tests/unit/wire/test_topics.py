import pytest

from alicia.base.errors import BadField
from alicia.wire.topics import Topics, check_filter, check_topic, filter_matches


@pytest.mark.parametrize(
    ("pattern", "topic", "expected"),
    [
        ("a/b", "a/b", True),
        ("a/b", "a/bc", False),
        ("a/+", "a/b", True),
        ("a/+", "a", False),
        ("a/+", "a/b/c", False),
        ("a/+/c", "a//c", True),
        ("a/#", "a", True),
        ("a/#", "a/b/c", True),
        ("#", "a/b", True),
        ("#", "$SYS/uptime", False),
        ("+/uptime", "$SYS/uptime", False),
        ("$SYS/#", "$SYS/uptime", True),
        ("alicia/system/discovery/register", "alicia/system/discovery/unregister", False),
    ],
)
def test_filters_cover_topics_as_mqtt_says(pattern: str, topic: str, expected: bool) -> None:
    assert filter_matches(pattern, topic) is expected


def test_the_contract_names_every_topic() -> None:
    topics = Topics()
    assert topics.metrics_collect == "alicia/metrics/collect"
    assert topics.scheduler_events_result == "alicia/scheduler/events/result"
    assert topics.command_of("tts_service") == "alicia/tts_service/command"
    assert topics.health_of("metrics_collector") == "alicia/system/health/metrics_collector"
    assert Topics("home").everything == "home/#"


@pytest.mark.parametrize(
    "topic",
    [
        "",
        "a/+",
        "a/#",
        "a\0b",
        "a\nb",
        "x" * 65_536,
        "a/\ud800",
        "a/\x80",
        "a/\ufdd0",
        "a/\ufffe",
        "a/\U0001ffff",
        "/" * 200,
    ],
)
def test_one_publishes_to_one_clean_topic(topic: str) -> None:
    with pytest.raises(BadField) as caught:
        check_topic(topic, field="target_topic")
    assert caught.value.reason == "bad_topic"
    assert caught.value.loc == ("target_topic",)


@pytest.mark.parametrize("pattern", ["", "a/b+", "a/#/b", "a#", "\0"])
def test_misplaced_wildcards_are_refused(pattern: str) -> None:
    with pytest.raises(BadField):
        check_filter(pattern, field="topic")


@pytest.mark.parametrize("pattern", ["a", "+", "#", "a/+/b/#", "$SYS/#"])
def test_well_formed_filters_pass_unchanged(pattern: str) -> None:
    assert check_filter(pattern, field="topic") == pattern
