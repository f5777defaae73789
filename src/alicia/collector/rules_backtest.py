"""``POST /alerts/rules/test``: a rule over the past."""

from collections.abc import Iterator
from typing import ClassVar, Final

from alicia.alerting.backtest import Span, replay
from alicia.alerting.form import Form
from alicia.alerting.group import slot_of
from alicia.alerting.rule import Rule, rule_to_api
from alicia.alerting.template import format_value
from alicia.base.errors import BadField
from alicia.base.limits import QUERY_POINTS_MAX
from alicia.base.times import seconds
from alicia.promql.plan import Window
from alicia.promql.ports import Check, Evaluator
from alicia.promql.values import Element, Matrix, Scalar

WINDOW_FIELDS: Final = frozenset({"start", "end", "window"})
WINDOW_MS_DEFAULT: Final = 3_600_000
STEPS_MAX: Final = 500_000  # elements times slots: about a second of work


class BacktestTooLarge(BadField):
    """The window holds more work than one request may cause; sending it again cannot help."""

    code: ClassVar[str] = "backtest_too_large"


def split_body(body: object) -> tuple[object, dict[str, object]]:
    """The rule and the window of a request: ``{"rule": {…}, …}``, or all on one level."""
    if not isinstance(body, dict):
        return body, {}
    window = {name: body[name] for name in WINDOW_FIELDS if body.get(name) is not None}
    rule = body.get("rule", {k: v for k, v in body.items() if k not in WINDOW_FIELDS})
    return rule, window


def read_window(given: dict[str, object], *, now_ms: int) -> tuple[int, int]:
    """Start and end: both given, or ``window`` back from the end, or the last hour.

    Raises:
        BadRequest: a time or duration cannot be read, or the end is not after the start.
    """
    form = Form(given, noun="window")
    end_ms = form.time("end", default_ms=now_ms)
    length_ms = form.duration("window", default_ms=WINDOW_MS_DEFAULT, min_ms=1)
    start_ms = form.time("start", default_ms=end_ms - length_ms)
    if start_ms >= end_ms and not form.has_fault("start", "end", "window"):
        form.note("end", "is not after the start", "reversed_range")
    form.finish()
    return start_ms, end_ms


async def backtest(
    rule: Rule, evaluator: Evaluator, *, start_ms: int, end_ms: int
) -> dict[str, object]:
    """When the rule would have fired, evaluated in the very slots it would have had.

    Raises:
        BacktestTooLarge: too many slots, or too many elements in them.
        EvaluationFailed, RuleFailed: as live.
    """
    first_ms = slot_of(start_ms + rule.interval_ms - 1, rule.interval_ms)
    last_ms = max(slot_of(end_ms, rule.interval_ms), first_ms)
    window = Window(first_ms, last_ms, rule.interval_ms)
    if window.points > QUERY_POINTS_MAX:
        raise BacktestTooLarge(
            "window",
            f"window: {window.points} evaluations are more than {QUERY_POINTS_MAX};"
            " shorten the window or lengthen the interval",
            reason=BacktestTooLarge.code,
        )
    return await evaluator.ask(
        rule.subject, window, lambda result, check: _replayed(rule, result, window, check)
    )


def _replayed(
    rule: Rule, result: Matrix | Scalar, window: Window, check: Check
) -> dict[str, object]:
    if isinstance(result, Scalar):
        raise BadField(
            "condition", "condition: yields a number, not series", reason="bad_condition"
        )
    if int(result.present.sum()) > STEPS_MAX:
        raise BacktestTooLarge(
            "window",
            f"window: it holds more than {STEPS_MAX} values; narrow the condition or the window",
            reason=BacktestTooLarge.code,
        )

    def slots() -> Iterator[tuple[int, tuple[Element, ...]]]:
        for step, at_ms in enumerate(result.t_ms.tolist()):
            check()
            yield at_ms, result.at(step)

    last_ms = int(result.t_ms[-1])
    spans = replay(rule, slots())
    fired = [_span(span, last_ms) for span in spans if span.fired_ms is not None]
    pending = [_span(span, last_ms) for span in spans if span.fired_ms is None]
    return {
        "rule": rule_to_api(rule),
        "start": seconds(window.start_ms),
        "end": seconds(last_ms),
        "evaluations": window.points,
        "series": len(result.labels),
        "fired_count": len(fired),
        "longest_seconds": max((_length(span, last_ms) for span in spans), default=0.0),
        "fired": fired,
        "pending_only": pending,
    }


def _span(span: Span, last_ms: int) -> dict[str, object]:
    shape: dict[str, object] = {
        "alert_id": span.record.alert_id,
        "labels": dict(span.record.labels),
        "message": span.record.message,
        "last_value": format_value(span.record.value),
        "active_at": seconds(span.active_ms),
        "duration_seconds": _length(span, last_ms),
    }
    if span.fired_ms is not None:
        shape["fired_at"] = seconds(span.fired_ms)
    if span.ended_ms is not None:
        shape["resolved_at"] = seconds(span.ended_ms)
    return shape


def _length(span: Span, last_ms: int) -> float:
    """How long it fired, in seconds; 0 where it never did."""
    if span.fired_ms is None:
        return 0.0
    return seconds((last_ms if span.ended_ms is None else span.ended_ms) - span.fired_ms)
