"""What a rule would have done over past samples: the same steps as live, on a faster clock."""

from collections.abc import Iterable
from dataclasses import dataclass

from alicia.alerting.evaluation import ChangeKind, evaluate
from alicia.alerting.memory import AlertRecord, RuleMemory
from alicia.alerting.ports import Element
from alicia.alerting.rule import Rule
from alicia.series.labels import LabelSet


@dataclass(frozen=True, slots=True)
class Span:
    """One alert from its first true evaluation to its end.

    ``fired_ms`` None: it stayed pending. ``ended_ms`` None: it still stood at the window's end.
    ``record`` is the alert as it was last seen.
    """

    record: AlertRecord
    active_ms: int
    fired_ms: int | None
    ended_ms: int | None


def replay(rule: Rule, slots: Iterable[tuple[int, tuple[Element, ...]]]) -> tuple[Span, ...]:
    """Evaluate a rule over slots, ascending in time; spans in the order of their beginning.

    Raises:
        RuleFailed: as live.
    """
    memory = RuleMemory()
    spans: list[Span] = []
    for now_ms, elements in slots:
        evaluation = evaluate(rule, elements, memory, now_ms=now_ms, departed=_nobody)
        for change in evaluation.changes:
            if change.kind is ChangeKind.RESOLVED:
                spans.append(_span(change.record, change.record.alert.resolved_ms))
            elif change.kind is ChangeKind.DROPPED and change.record.alert.resolved_ms is None:
                spans.append(_span(change.record, now_ms))
        memory = evaluation.memory
    standing = [each for each in memory.alerts.values() if each.alert.resolved_ms is None]
    spans += [_span(record, None) for record in standing]
    return tuple(sorted(spans, key=lambda span: (span.active_ms, span.record.alert_id)))


def _span(record: AlertRecord, ended_ms: int | None) -> Span:
    return Span(record, record.alert.active_ms, record.alert.fired_ms, ended_ms)


def _nobody(_labels: LabelSet) -> bool:
    return False
