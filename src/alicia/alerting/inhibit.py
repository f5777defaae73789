"""Inhibition: while the cause fires, its consequences are not announced."""

from collections.abc import Mapping

from alicia.alerting.memory import AlertRecord, RuleMemory
from alicia.alerting.rule import Rule
from alicia.alerting.state import Phase
from alicia.series.labels import SERVICE


def inhibited_by(
    record: AlertRecord, rules: Mapping[str, Rule], memories: Mapping[str, RuleMemory]
) -> tuple[str, ...]:
    """Ids of the firing alerts that this one depends on.

    They are alerts of the rules in ``depends_on`` with the same ``service``, or with none.
    """
    rule = rules.get(record.rule_name)
    if rule is None:
        return ()
    service = record.labels.get(SERVICE, "")
    return tuple(
        cause.alert_id
        for name in rule.depends_on
        if name in memories
        for cause in memories[name].alerts.values()
        if cause.alert.phase is Phase.FIRING and cause.labels.get(SERVICE, "") in ("", service)
    )
