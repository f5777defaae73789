import math
from collections.abc import Callable
from dataclasses import replace

import pytest

from alicia.alerting.foreign import ALERTS_MAX, LAPSES_MS, Told, absorb
from alicia.alerting.inhibit import MERGED_MS, merged_with
from alicia.alerting.kinds import kind_of_rule, kind_of_text
from alicia.alerting.memory import RuleMemory
from alicia.alerting.rule import Rule, Severity
from alicia.alerting.state import RESOLVED_KEPT_MS

Rules = Callable[..., Rule]
T0 = 1_700_000_000_000
CPU = Told("a", "a", "cpu", Severity.WARNING, "CPU 93%", 93.0, 80.0, over=False)
OVER = replace(CPU, over=True, message="fine again")


@pytest.mark.parametrize(
    ("text", "kind"),
    [("high_CPU_usage", "cpu"), ("memory_mb", "memory"), ("Error rate 12%", "errors"),
     ("slow response", "latency"), ("response_time", "latency"), ("service_offline", "offline"),
     ("not responding", "offline"), ("disk", "disk"), ("??", "other"), ("", "other")],
)  # fmt: skip
def test_kinds(text: str, kind: str) -> None:
    assert kind_of_text(text) == kind


def test_the_kind_of_a_rule_is_its_label_or_its_metric(rule_of: Rules) -> None:
    assert kind_of_rule(rule_of(condition="up == 0")) == "offline"
    assert kind_of_rule(rule_of(condition="upload_errors > 1")) == "errors"
    assert kind_of_rule(rule_of(condition="x > 1", labels={"kind": "cpu"})) == "cpu"


def run(*steps: tuple[int, tuple[Told, ...]]) -> list[list[str]]:
    memory, found = RuleMemory(), []
    for at_ms, told in steps:
        evaluation = absorb("m", memory, told, now_ms=T0 + at_ms)
        memory = evaluation.memory
        found.append([change.kind.value for change in evaluation.changes])
    return found


def test_it_fires_at_once_stays_and_ends_by_word_or_by_silence() -> None:
    assert run((0, (CPU,)), (1000, ()), (2000, (CPU,)), (3000, (OVER,))) == [
        ["firing"], [], [], ["resolved"],
    ]  # fmt: skip
    assert run((0, (CPU,)), (LAPSES_MS - 1, ()), (LAPSES_MS, ())) == [["firing"], [], ["resolved"]]
    assert run((0, (OVER,))) == [[]]
    assert run((0, (CPU, OVER)), (1, (OVER, CPU))) == [[], ["firing"]]  # the last word counts
    assert run((0, (CPU,)), (1, (OVER,)), (1 + RESOLVED_KEPT_MS, ())) == [
        ["firing"], ["resolved"], ["dropped"],
    ]  # fmt: skip


def test_what_it_tells_is_kept_as_its_own() -> None:
    memory = absorb("m", RuleMemory(), (CPU,), now_ms=T0).memory
    [record] = memory.alerts.values()
    assert (record.rule_name, record.message, record.value) == ("m/cpu", "CPU 93%", 93.0)
    assert dict(record.labels) == {
        "alertname": "m", "service": "a", "instance": "a", "kind": "cpu",
    }  # fmt: skip
    silent = replace(CPU, message="", value=math.nan)
    [record] = absorb("m", RuleMemory(), (silent,), now_ms=T0).memory.alerts.values()
    assert record.message == "m reports cpu of a"


def test_a_flood_is_bounded() -> None:
    told = [replace(CPU, service=str(i)) for i in range(ALERTS_MAX + 5)]
    assert len(absorb("m", RuleMemory(), told, now_ms=T0).memory.alerts) == ALERTS_MAX


@pytest.mark.parametrize(
    ("row", "merged"),
    [(("a", "cpu", MERGED_MS, True), True), (("a", "cpu", -MERGED_MS, True), True),
     (("a", "cpu", MERGED_MS + 1, True), False), (("b", "cpu", 0, True), False),
     (("a", "memory", 0, True), False), (("a", "cpu", 0, False), False)],
)  # fmt: skip
def test_two_who_see_the_same_within_two_minutes_are_one_notification(
    rule_of: Rules, row: tuple[str, str, int, bool], merged: bool
) -> None:
    service, kind, later_ms, announced = row

    def memory_of(told: Told, at_ms: int, name: str, *, announced: bool) -> RuleMemory:
        memory = absorb(name, RuleMemory(), (told,), now_ms=at_ms).memory
        [(identity, record)] = memory.alerts.items()
        named = replace(record, announced=announced, rule_name=name)
        return replace(memory, alerts={identity: named})

    rule = rule_of(name="hot", condition="cpu_percent > 90")
    ours = memory_of(CPU, T0, "hot", announced=announced)
    told = replace(CPU, service=service, kind=kind)
    theirs = memory_of(told, T0 + later_ms, f"m/{kind}", announced=announced)
    memories, rules = {"hot": ours, "bus/m": theirs}, {"hot": rule}
    [own], [their] = ours.alerts.values(), theirs.alerts.values()
    assert merged_with(own, rules, memories, "bus/m") == ((their.alert_id,) if merged else ())
    assert merged_with(their, rules, memories, "bus/m") == ((own.alert_id,) if merged else ())
    assert merged_with(own, rules, {"hot": ours}, "bus/m") == ()
