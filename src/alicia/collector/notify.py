"""Changes of alerts as messages: one per change for machines, and the notices for people."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Final

from alicia.adapters.bus.speaker import Speaker
from alicia.alerting.evaluation import Change, ChangeKind, Evaluation
from alicia.alerting.inhibit import inhibited_by, merged_with
from alicia.alerting.memory import AlertRecord, RuleMemory
from alicia.alerting.notify import decide
from alicia.alerting.ports import Notice
from alicia.alerting.rule import Rule
from alicia.alerting.shape import alert_to_api
from alicia.alerting.silence import Silence, silenced_by
from alicia.alerting.state import Phase
from alicia.collector.rules_foreign import MEMORY as FOREIGN
from alicia.series.labels import LabelSet

_TOLD: Final = frozenset({ChangeKind.FIRING, ChangeKind.RESOLVED})


class Notifier:
    """Turns an evaluation into the notices to store with it.

    ``metrics/alerts`` hears every beginning and end. ``alerts/new`` and ``alerts/resolved`` are
    for people's ears (a service may speak them aloud), so silence, inhibition and cooldown hold
    them back.
    """

    def __init__(
        self,
        speaker: Speaker,
        silences: Callable[[], Mapping[str, Silence]],
        rules: Callable[[], Mapping[str, Rule]],
        memories: Callable[[], Mapping[str, RuleMemory]],
    ) -> None:
        self._speaker = speaker
        self._silences = silences
        self._rules = rules
        self._memories = memories

    def shape(self, record: AlertRecord, now_ms: int) -> dict[str, object]:
        """An alert in its API shape, with what keeps it quiet now."""
        return alert_to_api(
            record,
            silenced_by=silenced_by(self._silences(), record.labels, now_ms),
            inhibited_by=self._inhibited_by(record),
        )

    def _inhibited_by(self, record: AlertRecord) -> tuple[str, ...]:
        rules, memories = self._rules(), self._memories()
        merged = merged_with(record, rules, memories, FOREIGN)
        return inhibited_by(record, rules, memories) + merged

    def notices(self, evaluation: Evaluation, now_ms: int) -> tuple[Evaluation, tuple[Notice, ...]]:
        """The evaluation with announced alerts marked, and all notices of it, oldest first."""
        resolved = {
            change.record.labels
            for change in evaluation.changes
            if change.kind is ChangeKind.RESOLVED
        }
        alerts = dict(evaluation.memory.alerts)
        announced: list[AlertRecord] = []
        for identity, record in evaluation.memory.alerts.items():
            shaped = self.shape(record, now_ms)
            decision = decide(
                record,
                resolved_now=identity in resolved,
                silenced_by=_texts(shaped["silenced_by"]),
                inhibited_by=_texts(shaped["inhibited_by"]),
                now_ms=now_ms,
            )
            if decision.announce:
                alerts[identity] = replace(record, announced=True)
                announced.append(alerts[identity])
        marked = replace(
            evaluation,
            memory=replace(evaluation.memory, alerts=alerts),
            changes=tuple(_marked(change, alerts) for change in evaluation.changes),
        )
        return marked, tuple(self._all_notices(marked.changes, announced, now_ms))

    def _all_notices(
        self, changes: Iterable[Change], announced: Iterable[AlertRecord], now_ms: int
    ) -> Iterable[Notice]:
        topics = self._speaker.topics
        for change in changes:
            if change.kind in _TOLD:
                yield self._notice(topics.metrics_alerts, change.record, now_ms)
        for record in announced:
            ended = record.alert.phase is Phase.RESOLVED
            topic = topics.alerts_resolved if ended else topics.alerts_new
            yield self._notice(topic, record, now_ms)

    def _notice(self, topic: str, record: AlertRecord, now_ms: int) -> Notice:
        payload = {**self.shape(record, now_ms), "event": record.alert.phase.value}
        message_id = self._speaker.new_id()
        sealed = self._speaker.publication(topic, payload, message_id=message_id)
        return Notice(message_id, topic, sealed.body)


def _marked(change: Change, alerts: Mapping[LabelSet, AlertRecord]) -> Change:
    if change.kind is ChangeKind.DROPPED:
        return change
    return replace(change, record=alerts.get(change.record.labels, change.record))


def _texts(value: object) -> tuple[str, ...]:
    return tuple(str(item) for item in value) if isinstance(value, list) else ()
