"""What a rule remembers between two evaluations: its alerts, and what it has seen."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

from alicia.alerting.rule import Severity
from alicia.alerting.state import Alert
from alicia.series.labels import LabelSet


@dataclass(frozen=True, slots=True)
class AlertRecord:
    """One alert with everything that is told about it.

    ``labels`` are its identity. ``value`` is the last one seen; ``no_data``: it is old, because
    its element is silent. ``announced``: a notice of its firing went out, so one of its end will.
    ``reason`` says why it exists or ended where the condition is not the reason
    (``missing``, ``rule_removed``).
    """

    rule_name: str
    severity: Severity
    labels: LabelSet
    alert: Alert
    value: float
    threshold: float | None
    message: str
    annotations: Mapping[str, str]
    updated_ms: int
    no_data: bool = False
    announced: bool = False
    reason: str = ""

    @property
    def is_foreign(self) -> bool:
        """Whether another monitor raised it; no rule of ours has a slash in its name."""
        return "/" in self.rule_name

    @property
    def alert_id(self) -> str:
        """Stable for one rule and label set, in every process and for ever."""
        digest = hashlib.sha256(self.rule_name.encode())
        for name, value in self.labels.pairs:
            digest.update(b"\xfe" + name.encode() + b"\xff" + value.encode())
        return digest.hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class RuleMemory:
    """The state of one rule; a new value per evaluation.

    ``seen``: when each element last had a sample, kept for rules with ``missing_for`` only.
    ``evaluated_ms``: the last evaluation that worked, None before the first.
    """

    alerts: Mapping[LabelSet, AlertRecord] = field(default_factory=dict)
    seen: Mapping[LabelSet, int] = field(default_factory=dict)
    evaluated_ms: int | None = None
