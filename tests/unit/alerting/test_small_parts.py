import math
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from alicia.alerting.backtest import replay
from alicia.alerting.group import due, slot_of, wait_ms
from alicia.alerting.rule import Rule
from alicia.alerting.template import render
from alicia.series.labels import LabelSet

Rules = Callable[..., Rule]


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("{{ $labels.service }} at {{$value}} %", "stt at 95 %"),
        ('{{ $labels["a b"] }}', "quoted"),
        ("{{ $labels.none }}!", "!"),
        ("{{ $labels.service | upper }}", "{{ $labels.service | upper }}"),
        ("{service} %s {0} ${x}", "{service} %s {0} ${x}"),
        ("{{ __import__('os') }}", "{{ __import__('os') }}"),
    ],
)
def test_templates_look_up_and_nothing_more(template: str, text: str) -> None:
    assert render(template, labels={"service": "stt", "a b": "quoted"}, value=95.0) == text


def test_a_label_that_looks_like_a_template_stays_text() -> None:
    assert render("{{ $labels.a }}", labels={"a": "{{ $value }}"}, value=1) == "{{ $value }}"


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.1 + 0.2, "0.3"), (1e20, "1e+20"), (-3.0, "-3"), (math.nan, "NaN"), (-math.inf, "-Inf")],
)
def test_values_for_people(value: float, text: str) -> None:
    assert render("{{ $value }}", labels={}, value=value) == text


def test_rules_are_due_at_multiples_of_their_interval(rule_of: Rules) -> None:
    rule = rule_of(interval="10s")
    assert slot_of(29_999, 10_000) == 20_000
    [first] = due([rule], {}, 25_000)
    assert (first.slot_ms, first.missed) == (20_000, 0)
    assert due([rule], {"r": 20_000}, 29_999) == ()
    [late] = due([rule], {"r": 20_000}, 65_000)
    assert (late.slot_ms, late.missed) == (60_000, 3)
    assert due([rule_of(enabled=False)], {}, 0) == ()


def test_the_wait_ends_at_the_next_slot(rule_of: Rules) -> None:
    rules = [rule_of(interval="10s"), rule_of(interval="7s"), rule_of(enabled=False)]
    assert wait_ms(rules, 13_000, longest_ms=60_000) == 1000
    assert wait_ms(rules, 13_000, longest_ms=500) == 500
    assert wait_ms([], 13_000, longest_ms=500) == 500


@dataclass(frozen=True)
class Seen:
    labels: LabelSet
    value: float
    sample_ms: int = 0


def test_a_backtest_tells_every_span(rule_of: Rules) -> None:
    rule = rule_of(**{"for": "20s"}, interval="10s")
    values = [95, 50, 95, 95, 96, 50, 95]
    slots = [(i * 10_000, (Seen(LabelSet({"service": "a"}), v),)) for i, v in enumerate(values)]
    spans = [(s.active_ms, s.fired_ms, s.ended_ms) for s in replay(rule, slots)]
    assert spans == [(0, None, 10_000), (20_000, 40_000, 50_000), (60_000, None, None)]
