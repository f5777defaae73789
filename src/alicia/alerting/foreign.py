"""Alerts that another monitor raised, in the life and shape of our own.

Source: bus.md §7.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

from alicia.alerting.evaluation import Change, ChangeKind, Evaluation
from alicia.alerting.kinds import KIND
from alicia.alerting.memory import AlertRecord, RuleMemory
from alicia.alerting.rule import ALERT_NAME, Severity
from alicia.alerting.state import Phase, Reading, Timing, step
from alicia.series.labels import INSTANCE, SERVICE, LabelSet

LAPSES_MS: Final = 10 * 60_000  # without further word an alert of another is over
ALERTS_MAX: Final = 1000


@dataclass(frozen=True, slots=True)
class Told:
    """One word of another monitor about one alert of its own; ``over``: it has ended."""

    service: str
    instance: str
    kind: str
    severity: Severity
    message: str
    value: float
    threshold: float | None
    over: bool


def absorb(name: str, memory: RuleMemory, told: Iterable[Told], *, now_ms: int) -> Evaluation:
    """Step every alert of the monitor ``name``; the last word about each counts.

    A new one above ALERTS_MAX is left out.
    """
    words = {_identity(name, each): each for each in told}
    alerts: dict[LabelSet, AlertRecord] = {}
    changes = []
    for identity in (*memory.alerts, *(words.keys() - memory.alerts.keys())):
        before, word = memory.alerts.get(identity), words.get(identity)
        if before is None and len(alerts) >= ALERTS_MAX:
            continue
        after = _stepped(name, identity, before, word, now_ms)
        if after is not None:
            alerts[identity] = after
        if change := _change(before, after):
            changes.append(change)
    return Evaluation(RuleMemory(alerts, {}, now_ms), tuple(changes))


def _stepped(
    name: str, identity: LabelSet, before: AlertRecord | None, word: Told | None, now_ms: int
) -> AlertRecord | None:
    reading = _reading(before, word, now_ms)
    prev = None if before is None else before.alert
    alert = step(prev, reading=reading, now_ms=now_ms, timing=Timing())
    if alert is None:
        return None
    if word is None or (before is not None and reading is Reading.CLEAR):
        assert before is not None, "an alert begins by a word"
        over = alert.phase is not before.alert.phase
        return replace(before, alert=alert, updated_ms=now_ms if over else before.updated_ms)
    same = before is not None and before.alert.active_ms == alert.active_ms
    return AlertRecord(
        rule_name=f"{name}/{word.kind}",
        severity=word.severity,
        labels=identity,
        alert=alert,
        value=word.value,
        threshold=word.threshold,
        message=word.message or f"{name} reports {word.kind} of {word.service}",
        annotations={},
        updated_ms=now_ms,
        announced=same and before is not None and before.announced,
    )


def _reading(before: AlertRecord | None, word: Told | None, now_ms: int) -> Reading:
    if word is not None:
        return Reading.CLEAR if word.over else Reading.TRUE
    assert before is not None, "an alert begins by a word"
    return Reading.CLEAR if now_ms - before.updated_ms >= LAPSES_MS else Reading.HELD


def _change(before: AlertRecord | None, after: AlertRecord | None) -> Change | None:
    if after is None:
        return None if before is None else Change(ChangeKind.DROPPED, before)
    if before is not None and before.alert.phase is after.alert.phase:
        return None
    resolved = after.alert.phase is Phase.RESOLVED
    return Change(ChangeKind.RESOLVED if resolved else ChangeKind.FIRING, after)


def _identity(name: str, told: Told) -> LabelSet:
    return LabelSet(
        {ALERT_NAME: name, SERVICE: told.service, INSTANCE: told.instance, KIND: told.kind}
    )
