import math
from collections.abc import Callable
from typing import Any

import pytest

from alicia.alerting.defaults import default_rules
from alicia.alerting.rule import Rule, parse_rule, rule_to_api
from alicia.alerting.state import Timing
from alicia.base.errors import BadField, BadRequest
from alicia.promql.condition import read_condition

BASE = {"name": "r", "condition": "cpu > 90", "severity": "warning"}

# fields | expr | subject | operator | threshold
FORMS: list[tuple[dict[str, Any], tuple[str, str, str | None, float | None]]] = [
    ({"condition": "cpu > 90"}, ("cpu > 90", "cpu", ">", 90)),
    ({"condition": "90 < cpu"}, ("90 < cpu", "cpu", ">", 90)),
    ({"condition": "cpu > 90", "threshold": 90, "operator": ">"}, ("cpu > 90", "cpu", ">", 90)),
    ({"condition": "value > 90", "metric_name": "cpu"}, ("cpu > 90", "cpu", ">", 90)),
    ({"condition": "value<=1", "metric_name": "a.b"}, ('{"a.b"} <= 1', '{"a.b"}', "<=", 1)),
    (
        {"condition": 'value{service="x"} > 1', "metric_name": "cpu"},
        ('cpu{service="x"} > 1', 'cpu{service="x"}', ">", 1),
    ),
    ({"condition": "value / 2 > 1", "metric_name": "cpu"}, ("cpu / 2 > 1", "cpu / 2", ">", 1)),
    ({"condition": "value", "metric_name": "cpu", "threshold": 3}, ("cpu > 3", "cpu", ">", 3)),
    ({"condition": "values > 1", "metric_name": "cpu"}, ("values > 1", "values", ">", 1)),
    ({"condition": "cpu", "threshold": 90}, ("cpu > 90", "cpu", ">", 90)),
    ({"condition": "cpu", "threshold": -0.5, "operator": "<"}, ("cpu < -0.5", "cpu", "<", -0.5)),
    ({"condition": "a + b", "threshold": 1e6}, ("a + b > 1000000", "a + b", ">", 1e6)),
    ({"condition": "a > b", "threshold": 1}, ("a > b > 1", "a > b", ">", 1)),
    ({"condition": "a > bool 2", "threshold": 0}, ("a > bool 2 > 0", "a > bool 2", ">", 0)),
    ({"condition": "a > b"}, ("a > b", "a > b", None, None)),
    ({"condition": "cpu"}, ("cpu", "cpu", None, None)),
]


@pytest.mark.parametrize(("fields", "expected"), FORMS)
def test_forms_of_a_condition(
    rule_of: Callable[..., Rule], fields: dict[str, Any], expected: tuple[Any, ...]
) -> None:
    rule = rule_of(**fields)
    assert (rule.expr, rule.subject, rule.operator, rule.threshold) == expected
    assert rule.condition == fields["condition"]


def test_all_fields(rule_of: Callable[..., Rule]) -> None:
    rule = rule_of(
        **{"for": "1m", "keep_firing_for": 90, "cooldown_period": "2h", "missing_for": "10s"},
        interval="5s", resolve_threshold=80, enabled=False, labels={"team": "x", "n": 3},
        annotations={"summary": "{{ $value }}"}, depends_on="other",
    )  # fmt: skip
    assert rule.timing == Timing(60_000, 90_000, 7_200_000)
    assert (rule.missing_for_ms, rule.interval_ms, rule.resolve_threshold) == (10_000, 5000, 80)
    assert rule.labels == {"team": "x", "n": "3"}
    assert rule.depends_on == ("other",)
    assert not rule.enabled


@pytest.mark.parametrize("fields", [form for form, _ in FORMS] + [{"for": "1m", "missing_for": 9}])
def test_an_answer_can_be_sent_back(rule_of: Callable[..., Rule], fields: dict[str, Any]) -> None:
    rule = rule_of(**fields)
    again = parse_rule(rule_to_api(rule), read=read_condition, interval_ms=1)
    assert again == rule


@pytest.mark.parametrize(
    ("fields", "change", "given"),
    [
        ({}, {}, False),
        ({}, {"enabled": False}, False),
        ({}, {"interval": "10s"}, True),
        ({}, {"interval_given": None}, True),  # written without the flag, it is meant
        ({}, {"interval": None}, False),
        ({"interval": "30s"}, {}, True),
        ({"interval": "10s"}, {}, True),
        ({"interval": "10s"}, {"interval": None}, False),
    ],
)
def test_an_answer_sent_back_pins_no_default_interval(
    rule_of: Callable[..., Rule], fields: dict[str, Any], change: dict[str, Any], given: bool
) -> None:
    answer = rule_to_api(rule_of(**fields))
    again = parse_rule({**answer, **change}, read=read_condition, interval_ms=30_000)
    assert again.interval_given is given


# fields | faulty field | code | words of the message
FAULTS: list[tuple[dict[str, Any], str, str, str]] = [
    ({"name": None}, "name", "missing", "write a text"),
    ({"name": 7}, "name", "bad_type", "quotes"),
    ({"name": "x" * 257}, "name", "bad_text", "at most 256"),
    ({"name": "a\x00b"}, "name", "bad_text", "control character"),
    ({"name": "a/b"}, "name", "bad_name", "slash"),
    ({"name": "\ud800"}, "name", "bad_text", "surrogate"),
    ({"condition": ""}, "condition", "missing", "write a text"),
    ({"condition": "cpu >"}, "condition", "bad_condition", "1:6: parse error"),
    ({"condition": "sum(cpu) > 1"}, "condition", "bad_condition", "1:1: parse error"),
    ({"condition": "1 > bool 2"}, "condition", "bad_condition", "must select series"),
    ({"condition": "value > 1"}, "metric_name", "missing", "must name the metric"),
    ({"condition": "value > >", "metric_name": "c"}, "condition", "bad_condition", "1:9: "),
    ({"condition": "x" * 4097}, "condition", "bad_text", "at most 4096"),
    ({"severity": "fatal"}, "severity", "bad_severity", "info, warning, error, critical"),
    ({"severity": None}, "severity", "bad_severity", "is missing"),
    ({"severity": ["info"]}, "severity", "bad_severity", "unknown"),
    ({"operator": "=>"}, "operator", "bad_operator", ">="),
    ({"condition": "a > b", "operator": "<"}, "operator", "missing", "needs a threshold"),
    ({"threshold": "90"}, "threshold", "bad_type", "without quotes"),
    ({"threshold": math.nan}, "threshold", "not_finite", "finite"),
    ({"threshold": 10**400}, "threshold", "not_finite", "finite"),
    ({"threshold": True}, "threshold", "bad_type", "number"),
    ({"threshold": 80}, "threshold", "contradiction", "compares with 90"),
    ({"operator": "<"}, "operator", "contradiction", "says >"),
    ({"resolve_threshold": 91}, "resolve_threshold", "bad_resolve_threshold", "lower"),
    (
        {"condition": "cpu < 5", "resolve_threshold": 4},
        "resolve_threshold", "bad_resolve_threshold", "higher",
    ),
    (
        {"condition": "cpu == 5", "resolve_threshold": 5},
        "resolve_threshold", "bad_resolve_threshold", "needs a condition",
    ),
    (
        {"condition": "a > b", "resolve_threshold": 5},
        "resolve_threshold", "bad_resolve_threshold", "needs a condition",
    ),
    ({"for": "soon"}, "for", "bad_duration", "30s"),
    ({"for": -1}, "for", "bad_duration", "duration"),
    ({"for": [1]}, "for", "bad_duration", "30s"),
    ({"interval": 0.01}, "interval", "too_short", "100 ms"),
    ({"interval_given": "no"}, "interval_given", "bad_type", "true nor false"),
    ({"missing_for": 0}, "missing_for", "too_short", "1000 ms"),
    ({"enabled": "yes"}, "enabled", "bad_type", "true nor false"),
    ({"labels": ["a"]}, "labels", "bad_type", "object"),
    ({"labels": {"alertname": "x"}}, "labels", "reserved_label", "choose another"),
    ({"labels": {"": "x"}}, "labels", "bad_label", "without a name"),
    ({"labels": {"a": {}}}, "labels", "bad_label", "not a text"),
    ({"labels": {f"l{i}": "x" for i in range(65)}}, "labels", "too_many", "at most 64"),
    ({"annotations": {"a": "x" * 4097}}, "annotations", "bad_label", "at most 4096"),
    ({"depends_on": [1]}, "depends_on", "bad_type", "list of names"),
    ({"depends_on": ["r"]}, "depends_on", "self_dependency", "itself"),
    ({"treshold": 5}, "treshold", "unknown_field", "did you mean threshold?"),
    ({"zzz": 5}, "zzz", "unknown_field", "leave it out"),
]  # fmt: skip


@pytest.mark.parametrize(("fields", "field", "code", "words"), FAULTS)
def test_faults(fields: dict[str, Any], field: str, code: str, words: str) -> None:
    with pytest.raises(BadRequest) as caught:
        parse_rule({**BASE, **fields}, read=read_condition, interval_ms=30_000)
    [fault] = caught.value.errors()
    assert (fault.loc, fault.code) == ((field,), code)
    assert fault.msg.startswith(f"{field}: ")
    assert words in fault.msg


def test_all_faults_are_told_at_once() -> None:
    with pytest.raises(BadRequest) as caught:
        parse_rule({"severity": "x", "for": "x", "q": 1}, read=read_condition, interval_ms=1)
    assert {fault.loc[0] for fault in caught.value.errors()} == {
        "name", "condition", "severity", "for", "q",
    }  # fmt: skip


@pytest.mark.parametrize("body", [None, [], "rule", 7])
def test_a_rule_is_an_object(body: object) -> None:
    with pytest.raises(BadField, match="a rule is a JSON object"):
        parse_rule(body, read=read_condition, interval_ms=1)


def test_default_rules() -> None:
    rules = default_rules(read=read_condition, interval_ms=30_000)
    assert {rule.name: rule.expr for rule in rules} == {
        "high_cpu": "cpu_percent > 90",
        "high_memory": "memory_percent > 85",
        "high_disk": "disk_percent > 90",
        "service_down": "up == 0",
        "high_error_rate": "error_rate > 5",
        "response_time_high": "response_time > 5",
    }


def test_only_the_first_of_many_unknown_fields_are_named() -> None:
    with pytest.raises(BadRequest) as caught:
        parse_rule(
            {**BASE, **{f"x{i}": 1 for i in range(1000)}}, read=read_condition, interval_ms=30_000
        )
    *named, rest = caught.value.errors()
    assert [fault.loc for fault in named] == [(f"x{i}",) for i in range(20)]
    assert (rest.loc, rest.msg, rest.code) == (
        ("body",), "body: has 980 more fields unknown to a rule", "unknown_field",
    )  # fmt: skip
