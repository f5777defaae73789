"""One rule at one instant: elements in, a new memory and the changes out.

Source: metrics.md §9.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import ClassVar, Final

from alicia.alerting.comparison import compare
from alicia.alerting.memory import AlertRecord, RuleMemory
from alicia.alerting.ports import Departed, Element
from alicia.alerting.rule import ALERT_NAME, Rule
from alicia.alerting.state import Alert, Phase, Reading, Timing, ended, retimed, shifted, step
from alicia.alerting.template import format_value, render
from alicia.base.durations import format_duration_ms
from alicia.base.errors import AliciaError
from alicia.series.labels import INSTANCE, NAME, SERVICE, LabelSet

MISSED_AT_MOST_MS: Final = 7 * 86_400_000
ALERTS_PER_RULE_MAX: Final = 10_000
MISSING: Final = "missing"
REASON: Final = "reason"


class RuleFailed(AliciaError):
    """A rule cannot be evaluated over the data it met; its alerts stay as they are."""

    code: ClassVar[str] = "rule_failed"


class ChangeKind(StrEnum):
    """What became of an alert in one evaluation."""

    PENDING = "pending"
    FIRING = "firing"
    RESOLVED = "resolved"
    DROPPED = "dropped"  # a pending alert that never fired, or a resolved one that grew old


@dataclass(frozen=True, slots=True)
class Change:
    """One alert that entered another phase; of a dropped one, as it was."""

    kind: ChangeKind
    record: AlertRecord


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What one step of a rule leads to; to be saved before anybody hears of it."""

    memory: RuleMemory
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class _Seen:
    reading: Reading
    value: float
    no_data: bool = False  # the value is old: its element is silent
    missing: bool = False  # the alert is about the silence itself


def evaluate(
    rule: Rule,
    elements: Iterable[Element],
    memory: RuleMemory,
    *,
    now_ms: int,
    departed: Departed,
    settling: bool = False,
) -> Evaluation:
    """Step every alert of a rule.

    ``settling``: the service has just started and not everything has been heard again, so
    absence means nothing yet.

    Raises:
        RuleFailed: two elements have one identity, or there are more than ALERTS_PER_RULE_MAX.
    """
    present = _identified(rule, elements)
    seen = _remembered(rule, present, memory, now_ms=now_ms, departed=departed)
    silent = set() if settling else _silent(rule, seen, now_ms)
    readings = {
        identity: _reading(rule, element, memory.alerts.get(identity))
        for identity, element in present.items()
    }
    for identity, record in memory.alerts.items():
        if identity not in readings and record.reason != MISSING and not settling:
            # Its element is gone. Where silence is an alert of its own, this one waits beside it.
            waits = identity in silent and record.alert.phase is Phase.FIRING
            readings[identity] = _Seen(
                Reading.HELD if waits else Reading.CLEAR, record.value, no_data=waits
            )
    for identity in silent:
        silence = (now_ms - seen[identity]) / 1000
        readings[_missing_identity(identity)] = _Seen(Reading.TRUE, silence, missing=True)
    if not settling:
        for identity, record in memory.alerts.items():
            if record.reason == MISSING:
                readings.setdefault(identity, _Seen(Reading.CLEAR, record.value, missing=True))
    return _stepped(rule, readings, memory, seen, now_ms)


def retire(memory: RuleMemory, *, now_ms: int, reason: str) -> Evaluation:
    """End all alerts of a rule that is removed, disabled or has another expression."""
    alerts: dict[LabelSet, AlertRecord] = {}
    changes = []
    for identity, record in memory.alerts.items():
        after = ended(record.alert, now_ms=now_ms)
        if after is None:
            changes.append(Change(ChangeKind.DROPPED, record))
            continue
        alerts[identity] = record
        if after is not record.alert:
            alerts[identity] = replace(record, alert=after, updated_ms=now_ms, reason=reason)
            changes.append(Change(ChangeKind.RESOLVED, alerts[identity]))
    return Evaluation(RuleMemory(alerts), tuple(changes))


def adopt(memory: RuleMemory, rule: Rule, *, now_ms: int) -> RuleMemory:
    """The memory under a rule with the same expression but perhaps other durations."""
    alerts = {
        identity: replace(record, alert=retimed(record.alert, timing=rule.timing, now_ms=now_ms))
        for identity, record in memory.alerts.items()
    }
    return replace(memory, alerts=alerts)


def resume(memory: RuleMemory, *, by_ms: int) -> RuleMemory:
    """The memory with all running clocks moved by time in which nobody evaluated."""
    alerts = {
        identity: replace(record, alert=shifted(record.alert, by_ms))
        for identity, record in memory.alerts.items()
    }
    seen = {identity: last_ms + by_ms for identity, last_ms in memory.seen.items()}
    return replace(memory, alerts=alerts, seen=seen)


def _identified(rule: Rule, elements: Iterable[Element]) -> dict[LabelSet, Element]:
    extra = {**rule.labels, ALERT_NAME: rule.name}
    found: dict[LabelSet, Element] = {}
    for element in elements:
        identity = element.labels.without(NAME).merged(extra)
        if identity in found:
            raise RuleFailed(
                f"vector contains metrics with the same labelset after the name is dropped:"
                f" {identity}; narrow the condition to one metric"
            )
        found[identity] = element
    return found


def _remembered(
    rule: Rule,
    present: Mapping[LabelSet, Element],
    memory: RuleMemory,
    *,
    now_ms: int,
    departed: Departed,
) -> dict[LabelSet, int]:
    if rule.missing_for_ms is None:
        return {}
    seen = {**memory.seen, **{identity: each.sample_ms for identity, each in present.items()}}
    return {
        identity: last_ms
        for identity, last_ms in seen.items()
        if now_ms - last_ms < MISSED_AT_MOST_MS and not departed(identity)
    }


def _silent(rule: Rule, seen: Mapping[LabelSet, int], now_ms: int) -> set[LabelSet]:
    if rule.missing_for_ms is None:
        return set()
    return {
        identity for identity, last_ms in seen.items() if now_ms - last_ms >= rule.missing_for_ms
    }


def _missing_identity(identity: LabelSet) -> LabelSet:
    return identity.merged({REASON: MISSING})


def _reading(rule: Rule, element: Element, record: AlertRecord | None) -> _Seen:
    value = element.value
    if rule.operator is None or rule.threshold is None:
        return _Seen(Reading.TRUE, value)
    if compare(rule.operator, value, rule.threshold):
        return _Seen(Reading.TRUE, value)
    resolve = rule.resolve_threshold
    if record is not None and resolve is not None and compare(rule.operator, value, resolve):
        return _Seen(Reading.HELD, value)
    return _Seen(Reading.CLEAR, value)


def _stepped(
    rule: Rule,
    readings: Mapping[LabelSet, _Seen],
    memory: RuleMemory,
    seen: Mapping[LabelSet, int],
    now_ms: int,
) -> Evaluation:
    untouched = memory.alerts.keys() - readings.keys()
    alerts = {identity: memory.alerts[identity] for identity in untouched}
    changes = []
    for identity, what in readings.items():
        before = memory.alerts.get(identity)
        # A missing series is known to be missing for long enough already.
        timing = Timing() if what.missing else rule.timing
        prev = None if before is None else before.alert
        after = step(prev, reading=what.reading, now_ms=now_ms, timing=timing)
        if after is not None:
            alerts[identity] = _record(
                rule, identity, after, what=what, before=before, now_ms=now_ms
            )
        if change := _change(before, alerts.get(identity)):
            changes.append(change)
    if len(alerts) > ALERTS_PER_RULE_MAX:
        raise RuleFailed(
            f"{len(alerts)} alerts are more than {ALERTS_PER_RULE_MAX} for one rule; narrow it"
        )
    return Evaluation(RuleMemory(alerts, seen, now_ms), tuple(changes))


def _change(before: AlertRecord | None, after: AlertRecord | None) -> Change | None:
    if after is None:
        return None if before is None else Change(ChangeKind.DROPPED, before)
    same = (
        before is not None
        and before.alert.phase is after.alert.phase
        and before.alert.active_ms == after.alert.active_ms
    )
    return None if same else Change(ChangeKind(after.alert.phase.value), after)


def _record(
    rule: Rule,
    identity: LabelSet,
    alert: Alert,
    *,
    what: _Seen,
    before: AlertRecord | None,
    now_ms: int,
) -> AlertRecord:
    if alert.phase is Phase.RESOLVED and before and before.alert.phase is Phase.RESOLVED:
        return before  # told and done: it keeps the value it ended with
    missing, value = what.missing, what.value
    texts = {
        name: render(text, labels=identity, value=value) for name, text in rule.annotations.items()
    }
    same = before is not None and before.alert.active_ms == alert.active_ms
    return AlertRecord(
        rule_name=rule.name,
        severity=rule.severity,
        labels=identity,
        alert=alert,
        value=value,
        threshold=None if missing else rule.threshold,
        message=_message(rule, identity, value, texts, missing=missing),
        annotations=texts,
        updated_ms=now_ms,
        no_data=what.no_data,
        announced=before is not None and same and before.announced,
        reason=MISSING if missing else "",
    )


def _message(
    rule: Rule, labels: LabelSet, value: float, texts: Mapping[str, str], *, missing: bool
) -> str:
    if missing:
        silent = format_duration_ms(round(value) * 1000)
        return f"{rule.name}: no data from {_who(labels)} for {silent}"
    if text := texts.get("summary") or texts.get("message"):
        return text
    if rule.description:
        return render(rule.description, labels=labels, value=value)
    compared = f"is {format_value(value)}"
    if rule.operator is not None and rule.threshold is not None:
        compared += f" (alert at {rule.operator} {format_value(rule.threshold)})"
    return f"{rule.subject} {compared} on {_who(labels)}"


def _who(labels: LabelSet) -> str:
    service, instance = labels.get(SERVICE, ""), labels.get(INSTANCE, "")
    if not service or instance in ("", service):
        return service or instance or "an unnamed service"
    return f"{service} ({instance})"
