"""Inhibition: while the cause fires, its consequences are not announced."""

from collections.abc import Iterable, Mapping
from typing import Final

from alicia.alerting.kinds import KIND, kind_of_rule
from alicia.alerting.memory import AlertRecord, RuleMemory
from alicia.alerting.rule import Rule
from alicia.alerting.state import Phase
from alicia.series.labels import SERVICE

MERGED_MS: Final = 2 * 60_000


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


def merged_with(
    record: AlertRecord,
    rules: Mapping[str, Rule],
    memories: Mapping[str, RuleMemory],
    foreign: str,
) -> tuple[str, ...]:
    """Ids of alerts by which people know of this one already (bus.md §7).

    They are of the other monitor, whose memory has the name ``foreign`` (for one of its own:
    of our rules), about the same kind of trouble of the same service, and began within
    MERGED_MS.
    """
    others: Iterable[AlertRecord] = memories.get(foreign, RuleMemory()).alerts.values()
    if record.is_foreign:
        ours = (memory for name, memory in memories.items() if name != foreign)
        others = (each for memory in ours for each in memory.alerts.values())
    subject = _subject(record, rules)
    return tuple(
        each.alert_id
        for each in others
        if each.announced and _together(each, record) and _subject(each, rules) == subject
    )


def _together(one: AlertRecord, other: AlertRecord) -> bool:
    first, second = one.alert.fired_ms, other.alert.fired_ms
    if one.alert.phase is not Phase.FIRING or first is None or second is None:
        return False
    return abs(first - second) <= MERGED_MS


def _subject(record: AlertRecord, rules: Mapping[str, Rule]) -> tuple[str, str]:
    """Whose trouble of what kind an alert tells."""
    rule = rules.get(record.rule_name)
    kind = record.labels.get(KIND, "") if rule is None else kind_of_rule(rule)
    return record.labels.get(SERVICE, ""), kind
