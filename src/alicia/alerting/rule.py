"""Alert rules: what a user writes, checked and made whole."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from alicia.alerting.comparison import ABOVE, BELOW, COMPARISONS
from alicia.alerting.form import Form
from alicia.alerting.shortform import ReadCondition, expand
from alicia.alerting.state import Timing
from alicia.base.durations import format_duration_ms
from alicia.base.errors import BadField
from alicia.base.limits import INTERVAL_SECONDS_MIN, NAME_BYTES_MAX, QUERY_BYTES_MAX

ALERT_NAME: Final = "alertname"
_RESERVED_LABELS: Final = frozenset({ALERT_NAME, "__name__", "reason"})


class Severity(StrEnum):
    """How bad it is; values equal those of the API, ascending."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"
    CRITICAL = "critical"


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule in normal form.

    ``condition`` is as written; ``expr`` the whole in canonical spelling. Where ``operator`` is
    None the condition cannot be split, and every element of ``subject`` alerts. ``missing_for_ms``
    None: silence is no alert. Without ``interval_given`` the interval follows the setting.
    """

    name: str
    condition: str
    expr: str
    subject: str
    severity: Severity
    interval_ms: int
    operator: str | None = None
    threshold: float | None = None
    enabled: bool = True
    description: str = ""
    metric_name: str = ""
    timing: Timing = Timing()
    resolve_threshold: float | None = None
    missing_for_ms: int | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    depends_on: tuple[str, ...] = ()
    interval_given: bool = field(default=True, compare=False)


FIELDS: Final = frozenset(
    {
        "name", "condition", "threshold", "operator", "severity", "enabled", "description",
        "metric_name", "for", "keep_firing_for", "resolve_threshold", "missing_for", "interval",
        "labels", "annotations", "cooldown_period", "depends_on", "interval_given",
    }
)  # fmt: skip
# Answered beside a rule; taken and ignored, so that an answer can be sent back changed.
ANSWERED: Final = frozenset({"expr", "state", "health", "last_error", "last_evaluation", "alerts"})


def parse_rule(body: object, *, read: ReadCondition, interval_ms: int) -> Rule:
    """The rule that a request means; ``interval_ms`` is the default.

    Raises:
        BadField: the body is no object.
        BadRequest: fields are wrong; all of them are told.
    Source: contract.md §3.1, metrics.md §9.
    """
    form = Form(body, noun="rule")
    form.only(FIELDS | ANSWERED)
    name = _name(form)
    written = form.text("condition", required=True, bytes_max=QUERY_BYTES_MAX)
    severity = form.choice("severity", [item.value for item in Severity], default=None)
    metric_name = form.text("metric_name", bytes_max=NAME_BYTES_MAX)
    split = _condition(form, written, metric_name, read)
    resolve_threshold = form.number("resolve_threshold")
    _check_resolve(form, split.operator, split.threshold, resolve_threshold)
    missing = form.given("missing_for") is not None
    interval_given, rule_interval_ms = _interval(form, interval_ms)
    rule = Rule(
        name=name,
        condition=written,
        expr=split.expr,
        subject=split.subject,
        severity=Severity(severity),
        interval_ms=rule_interval_ms,
        operator=split.operator,
        threshold=split.threshold,
        enabled=form.switch("enabled", default=True),
        description=form.text("description"),
        metric_name=metric_name,
        timing=Timing(
            for_ms=form.duration("for", default_ms=0),
            keep_firing_ms=form.duration("keep_firing_for", default_ms=0),
            cooldown_ms=form.duration("cooldown_period", default_ms=0),
        ),
        resolve_threshold=resolve_threshold,
        missing_for_ms=form.duration("missing_for", default_ms=0, min_ms=1000) if missing else None,
        labels=_labels(form),
        annotations=form.texts("annotations"),
        depends_on=_depends_on(form, name),
        interval_given=interval_given,
    )
    form.finish()
    return rule


def rule_to_api(rule: Rule) -> dict[str, object]:
    """The rule as the API answers it; ``parse_rule`` reads it back to an equal rule."""
    missing = rule.missing_for_ms
    return {
        "name": rule.name,
        "condition": rule.condition,
        "expr": rule.expr,
        "metric_name": rule.metric_name or None,
        "operator": rule.operator,
        "threshold": rule.threshold,
        "severity": rule.severity.value,
        "enabled": rule.enabled,
        "description": rule.description,
        "for": format_duration_ms(rule.timing.for_ms),
        "keep_firing_for": format_duration_ms(rule.timing.keep_firing_ms),
        "resolve_threshold": rule.resolve_threshold,
        "missing_for": None if missing is None else format_duration_ms(missing),
        "interval": format_duration_ms(rule.interval_ms),
        "interval_given": rule.interval_given,
        "cooldown_period": format_duration_ms(rule.timing.cooldown_ms),
        "labels": dict(rule.labels),
        "annotations": dict(rule.annotations),
        "depends_on": list(rule.depends_on),
    }


@dataclass(frozen=True, slots=True)
class _Split:
    expr: str = ""
    subject: str = ""
    operator: str | None = None
    threshold: float | None = None


def _condition(form: Form, written: str, metric_name: str, read: ReadCondition) -> _Split:
    operator = None
    if form.given("operator") is not None:
        operator = form.choice("operator", COMPARISONS, default=None)
    threshold = form.number("threshold")
    if form.has_fault("condition", "operator", "threshold", "metric_name"):
        return _Split()
    try:
        found = expand(
            written, metric_name=metric_name, operator=operator, threshold=threshold, read=read
        )
    except BadField as error:
        _note_condition(form, error)
        return _Split()
    if operator is not None and found.operator is None:
        form.note("operator", "needs a threshold to compare with", "missing")
    return _Split(found.expr, found.subject, found.operator, found.threshold)


def _note_condition(form: Form, error: BadField) -> None:
    """Faults of the text go under ``condition``; those of the fields beside it name their own."""
    field_name = str(error.loc[0])
    if field_name in FIELDS:
        form.note(field_name, str(error).removeprefix(f"{field_name}: "), error.reason)
    else:
        form.note("condition", str(error), "bad_condition")


def _name(form: Form) -> str:
    name = form.text("name", required=True, bytes_max=NAME_BYTES_MAX)
    if "/" in name or name != name.strip() or "\n" in name or "\t" in name:
        form.note(
            "name", "has a slash, a line break or space around it; choose a plain name", "bad_name"
        )
    return name


def _check_resolve(
    form: Form, operator: str | None, threshold: float | None, resolve: float | None
) -> None:
    if resolve is None or form.has_fault("condition", "operator", "threshold", "metric_name"):
        return
    if operator is None or threshold is None or operator not in ABOVE | BELOW:
        form.note(
            "resolve_threshold",
            "needs a condition of the form expression > number, or >=, <, <=",
            "bad_resolve_threshold",
        )
    elif operator in ABOVE and resolve > threshold:
        form.note(
            "resolve_threshold",
            f"{resolve:g} is above the threshold {threshold:g}, so the alert could end while it"
            " is true; choose a lower one",
            "bad_resolve_threshold",
        )
    elif operator in BELOW and resolve < threshold:
        form.note(
            "resolve_threshold",
            f"{resolve:g} is below the threshold {threshold:g}, so the alert could end while it"
            " is true; choose a higher one",
            "bad_resolve_threshold",
        )


def _interval(form: Form, default_ms: int) -> tuple[bool, int]:
    """Whether the rule has an interval of its own, and which.

    An answer shows the default interval too; sent back unchanged it stays the default.
    """
    interval_ms = form.duration(
        "interval", default_ms=default_ms, min_ms=round(INTERVAL_SECONDS_MIN * 1000)
    )
    named = form.switch("interval_given", default=True) or interval_ms != default_ms
    return form.given("interval") is not None and named, interval_ms


def _labels(form: Form) -> Mapping[str, str]:
    labels = form.texts("labels")
    for name in labels.keys() & _RESERVED_LABELS:
        form.note("labels", f"{name} is set by us; choose another name", "reserved_label")
    return labels


def _depends_on(form: Form, name: str) -> tuple[str, ...]:
    names = form.names("depends_on")
    if name and name in names:
        form.note("depends_on", "a rule cannot depend on itself", "self_dependency")
    return names
