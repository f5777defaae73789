from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import pytest

from alicia.alerting.evaluation import (
    MISSED_AT_MOST_MS,
    ChangeKind,
    Evaluation,
    RuleFailed,
    adopt,
    evaluate,
    resume,
    retire,
)
from alicia.alerting.inhibit import inhibited_by
from alicia.alerting.memory import RuleMemory
from alicia.alerting.notify import Reason, decide
from alicia.alerting.rule import Rule
from alicia.alerting.shape import alert_to_api
from alicia.alerting.state import Phase
from alicia.series.labels import LabelSet

Rules = Callable[..., Rule]


@dataclass(frozen=True)
class Seen:
    labels: LabelSet
    value: float
    sample_ms: int = 0


def seen(value: float, at_ms: int = 0, **labels: str) -> Seen:
    return Seen(LabelSet({"__name__": "cpu", "service": "a", **labels}), value, at_ms)


def run(
    rule: Rule,
    *elements: Seen,
    memory: RuleMemory | None = None,
    now_ms: int = 0,
    gone: bool = False,
    settling: bool = False,
) -> Evaluation:
    return evaluate(
        rule,
        elements,
        memory or RuleMemory(),
        now_ms=now_ms,
        departed=lambda labels: gone,
        settling=settling,
    )


def kinds(evaluation: Evaluation) -> list[str]:
    return [change.kind.value for change in evaluation.changes]


def test_identity_is_labels_without_name_with_those_of_the_rule(rule_of: Rules) -> None:
    [change] = run(rule_of(labels={"team": "x"}), seen(95, instance="i")).changes
    assert change.kind is ChangeKind.FIRING
    assert change.record.labels == LabelSet(
        {"service": "a", "instance": "i", "team": "x", "alertname": "r"}
    )


def test_alert_id_depends_on_rule_and_labels_only(rule_of: Rules) -> None:
    one = run(rule_of(), seen(95)).changes[0].record
    other_value = run(rule_of(), seen(99), now_ms=7).changes[0].record
    other_label = run(rule_of(), seen(95, instance="i")).changes[0].record
    other_rule = run(rule_of(name="q"), seen(95)).changes[0].record
    assert one.alert_id == other_value.alert_id
    assert len({one.alert_id, other_label.alert_id, other_rule.alert_id}) == 3


def test_life_of_an_alert(rule_of: Rules) -> None:
    rule = rule_of(**{"for": "10s"})
    first = run(rule, seen(95), now_ms=0)
    second = run(rule, seen(96), memory=first.memory, now_ms=10_000)
    third = run(rule, seen(97), memory=second.memory, now_ms=20_000)
    fourth = run(rule, seen(50), memory=third.memory, now_ms=30_000)
    fifth = run(rule, seen(50), memory=fourth.memory, now_ms=40_000)
    assert [kinds(e) for e in (first, second, third, fourth, fifth)] == [
        ["pending"], ["firing"], [], ["resolved"], [],
    ]  # fmt: skip
    [record] = fifth.memory.alerts.values()
    shape = alert_to_api(record)
    assert (shape["active_at"], shape["fired_at"], shape["resolved_at"]) == (0.0, 10.0, 30.0)
    assert (shape["value"], shape["state"], shape["resolved"]) == (50, "resolved", True)


def test_hysteresis_holds_until_the_second_threshold(rule_of: Rules) -> None:
    rule = rule_of(resolve_threshold=80)
    memory = run(rule, seen(95)).memory
    between = run(rule, seen(85), memory=memory, now_ms=1)
    assert kinds(between) == []
    assert kinds(run(rule, seen(80), memory=between.memory, now_ms=2)) == ["resolved"]
    assert kinds(run(rule, seen(85))) == []  # it begins at the first threshold only


def test_absence_resolves_but_not_while_settling(rule_of: Rules) -> None:
    memory = run(rule_of(), seen(95)).memory
    assert kinds(run(rule_of(), memory=memory, now_ms=1, settling=True)) == []
    assert kinds(run(rule_of(), memory=memory, now_ms=1)) == ["resolved"]


def test_silence_is_an_alert_of_its_own_and_the_firing_one_waits(rule_of: Rules) -> None:
    rule = rule_of(missing_for="60s")
    memory = run(rule, seen(95, 0)).memory
    still_seen = run(rule, seen(95, 0), memory=memory, now_ms=59_999)
    assert kinds(still_seen) == []
    silent = run(rule, memory=still_seen.memory, now_ms=60_000)
    assert kinds(silent) == ["firing"]
    by_reason = {record.reason: record for record in silent.memory.alerts.values()}
    assert by_reason["missing"].labels["reason"] == "missing"
    assert by_reason["missing"].message == "r: no data from a for 1m"
    assert by_reason[""].alert.phase is Phase.FIRING
    assert by_reason[""].no_data
    back = run(rule, seen(95, 61_000), memory=silent.memory, now_ms=61_000)
    assert [(c.kind.value, c.record.reason) for c in back.changes] == [("resolved", "missing")]


@pytest.mark.parametrize("after_ms", [60_000, MISSED_AT_MOST_MS])
def test_nobody_is_missed_for_ever_nor_after_a_good_bye(rule_of: Rules, after_ms: int) -> None:
    rule = rule_of(missing_for="60s")
    memory = run(rule, seen(5, 0)).memory
    missed = run(rule, memory=memory, now_ms=60_000).memory
    ended = run(rule, memory=missed, now_ms=after_ms, gone=after_ms == 60_000)
    assert kinds(ended) == ["resolved"]
    assert ended.memory.seen == {}


def test_a_label_of_a_peer_does_not_make_an_alert_a_missing_one(rule_of: Rules) -> None:
    [change] = run(rule_of(**{"for": "1h"}), seen(95, reason="missing")).changes
    assert (change.kind, change.record.reason) == (ChangeKind.PENDING, "")


def test_two_elements_of_one_identity_fail_the_rule(rule_of: Rules) -> None:
    other = Seen(LabelSet({"__name__": "mem", "service": "a"}), 1)
    with pytest.raises(RuleFailed, match="same labelset"):
        run(rule_of(), seen(1), other)


def test_alerts_of_one_rule_are_bounded(rule_of: Rules) -> None:
    with pytest.raises(RuleFailed, match="narrow it"):
        run(rule_of(), *(seen(95, instance=str(i)) for i in range(10_001)))


def test_a_removed_rule_ends_its_alerts(rule_of: Rules) -> None:
    memory = run(rule_of(), seen(95), seen(96, instance="i")).memory
    evaluation = retire(memory, now_ms=5, reason="rule_removed")
    assert [(c.kind.value, c.record.reason) for c in evaluation.changes] == [
        ("resolved", "rule_removed")
    ] * 2
    pending = run(rule_of(**{"for": "1h"}), seen(95)).memory
    assert kinds(retire(pending, now_ms=5, reason="rule_removed")) == ["dropped"]


def test_a_longer_for_takes_effect_on_what_fires(rule_of: Rules) -> None:
    memory = run(rule_of(), seen(95)).memory
    adopted = adopt(memory, rule_of(**{"for": "1m"}), now_ms=1000)
    assert [record.alert.phase for record in adopted.alerts.values()] == [Phase.PENDING]


def test_downtime_counts_for_nothing(rule_of: Rules) -> None:
    rule = rule_of(**{"for": "10s"}, missing_for="60s")
    memory = resume(run(rule, seen(95, 0)).memory, by_ms=3_600_000)
    later = run(rule, seen(95, 3_600_000), memory=memory, now_ms=3_609_999)
    assert kinds(later) == []
    assert kinds(run(rule, seen(95, 3_600_000), memory=later.memory, now_ms=3_610_000)) == [
        "firing"
    ]


# announced | resolved now | silenced | inhibited | quiet | announce | reason
DECISIONS = [
    (False, False, False, False, False, True, Reason.NEW),
    (False, False, True, True, True, False, Reason.SILENCED),
    (False, False, False, True, True, False, Reason.INHIBITED),
    (False, False, False, False, True, False, Reason.COOLDOWN),
    (True, False, False, False, False, False, Reason.NOTHING_NEW),
    (True, True, True, True, True, True, Reason.ENDED),
    (False, True, False, False, False, False, Reason.NOT_ANNOUNCED),
]


@pytest.mark.parametrize("row", DECISIONS)
def test_decisions(rule_of: Rules, row: tuple[bool, bool, bool, bool, bool, bool, Reason]) -> None:
    announced, resolved, silenced, inhibited, quiet, announce, reason = row
    record = run(rule_of(), seen(95)).changes[0].record
    record = replace(
        record, announced=announced, alert=replace(record.alert, quiet_until_ms=1 if quiet else 0)
    )
    decision = decide(
        record,
        resolved_now=resolved,
        silenced_by=("s",) if silenced else (),
        inhibited_by=("i",) if inhibited else (),
        now_ms=0,
    )
    assert (decision.announce, decision.reason) == (announce, reason)


def test_causes_of_the_same_service_or_of_none_inhibit(rule_of: Rules) -> None:
    rules = {"r": rule_of(depends_on=["cause"]), "cause": rule_of(name="cause")}
    record = run(rules["r"], seen(95)).changes[0].record

    def causes(**labels: str) -> Mapping[str, RuleMemory]:
        element = Seen(LabelSet(labels), 95)
        return {"cause": run(rules["cause"], element).memory}

    assert len(inhibited_by(record, rules, causes(service="a", x="1"))) == 1
    assert len(inhibited_by(record, rules, causes(x="1"))) == 1
    assert inhibited_by(record, rules, causes(service="b")) == ()
    assert inhibited_by(record, {}, causes(service="a")) == ()
