"""The short forms of a condition, expanded to a whole one (contract.md §3.1).

1. ``value > 90`` with ``metric_name``: the word stands for the metric.
2. ``cpu_percent > 90``: a whole condition already.
3. A bare expression with ``threshold`` and perhaps ``operator``.
"""

import re
from collections.abc import Callable
from typing import Final, Protocol

from alicia.base.errors import BadField

OPERATOR_DEFAULT: Final = ">"
_VALUE: Final = re.compile(r"(?P<before>[\s(]*)value(?![\w:])(?P<brace>\s*\{)?")


class Condition(Protocol):
    """A condition taken apart; ``operator`` and ``threshold`` are None where it cannot be."""

    @property
    def expr(self) -> str:
        """The whole in canonical spelling."""
        ...

    @property
    def subject(self) -> str:
        """What is compared, unfiltered; the whole where there is no comparison."""
        ...

    @property
    def operator(self) -> str | None:
        """The sign, as if the number stood on the right."""
        ...

    @property
    def threshold(self) -> float | None:
        """The number."""
        ...


# Raises BadField with position and hint where the text is no expression.
ReadCondition = Callable[[str], Condition]


def expand(
    condition: str,
    *,
    metric_name: str,
    operator: str | None,
    threshold: float | None,
    read: ReadCondition,
) -> Condition:
    """The condition that a rule's three or four fields mean together.

    Raises:
        BadField: no expression, or fields that contradict each other; ``loc`` names the field.
    """
    given = read(condition)  # as written, so that positions in errors are the user's
    text = _named(condition, metric_name)
    whole = given if text == condition else read(text)
    if whole.operator is None:
        if threshold is None:
            return whole
        return _compared(text, whole.expr, operator or OPERATOR_DEFAULT, threshold, read)
    _refuse_contradiction(whole, operator, threshold)
    return whole


def _named(condition: str, metric_name: str) -> str:
    match = _VALUE.match(condition)
    if match is None:
        return condition
    if not metric_name:
        raise BadField(
            "metric_name",
            "metric_name: the condition says value, so this must name the metric",
            reason="missing",
        )
    quoted = metric_name.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    selector = f'{{"{quoted}",' if match["brace"] else f'{{"{quoted}"}}'
    return f"{match['before']}{selector}{condition[match.end() :]}"


def _compared(
    text: str, expr: str, operator: str, threshold: float, read: ReadCondition
) -> Condition:
    """The comparison, in parentheses only where the operators inside bind less tightly."""
    number = repr(threshold)
    try:
        plain = read(f"{text} {operator} {number}")
    except BadField:
        plain = None
    if plain is not None and plain.subject == expr:
        return plain
    return read(f"({text}) {operator} {number}")


def _refuse_contradiction(whole: Condition, operator: str | None, threshold: float | None) -> None:
    fix = "leave it out, or write the bare expression as condition"
    if threshold is not None and threshold != whole.threshold:
        raise BadField(
            "threshold",
            f"threshold: {threshold:g} contradicts the condition, which compares with"
            f" {whole.threshold:g}; {fix}",
            reason="contradiction",
        )
    if operator is not None and operator != whole.operator:
        raise BadField(
            "operator",
            f"operator: {operator} contradicts the condition, which says {whole.operator}; {fix}",
            reason="contradiction",
        )
