"""Evaluation: plan, read, compute. Only reading touches the store; computing is pure."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from alicia.base.limits import QUERY_VALUES_MAX
from alicia.promql.ast import Binary, Expr, Negation, Number, Paren, Selector
from alicia.promql.binary import combine, merged
from alicia.promql.errors import TooManySamples
from alicia.promql.operators import OPERATORS
from alicia.promql.parser import parse
from alicia.promql.plan import Plan, Window, plan
from alicia.promql.ports import Check, Querier
from alicia.promql.select import at_instants
from alicia.promql.values import Element, Matrix, Scalar
from alicia.series.columns import Columns
from alicia.series.labels import NAME
from alicia.series.matchers import Matcher

Selected = Mapping[tuple[Matcher, ...], Columns]


def _unhurried() -> None:
    """Whoever asks in its own thread has all the time."""


class Engine:
    """Expressions over one store, at once and in the caller's thread."""

    def __init__(self, querier: Querier) -> None:
        self._querier = querier

    def instant(self, expr: str, at_ms: int) -> tuple[Element, ...] | float:
        """The vector, or the number, at one instant."""
        result = self.window(expr, Window(at_ms, at_ms))
        return float(result.values[0]) if isinstance(result, Scalar) else result.at(0)

    def window(self, expr: str, window: Window) -> Matrix | Scalar:
        """The values at every instant of a window."""
        planned = plan(parse(expr), window)
        return evaluate(planned, self._read(planned))

    def _read(self, planned: Plan) -> Selected:
        return {
            item.matchers: self._querier.select(item.matchers, item.start_ms, item.end_ms)
            for item in planned.selections
        }


def evaluate(planned: Plan, selected: Selected, *, check: Check = _unhurried) -> Matrix | Scalar:
    """Compute a plan over the samples it asked for.

    Raises:
        EvaluationFailed: the data allow no answer, for example two series of equal labels.
        TooManySamples: an operand has more than QUERY_VALUES_MAX values.
        Whatever ``check`` raises.
    """
    return _Evaluation(planned.window, selected, check).value(planned.expr)


class _Evaluation:
    def __init__(self, window: Window, selected: Selected, check: Check) -> None:
        self._t_ms = window.instants()
        self._selected = selected
        self._check = check

    def value(self, expr: Expr) -> Matrix | Scalar:
        match expr:
            case Number():
                return Scalar(self._t_ms, np.full(len(self._t_ms), expr.value))
            case Selector():
                return self._selector(self._selected[expr.matchers])
            case Paren():
                return self.value(expr.inner)
            case Negation():
                return _negated(self.value(expr.operand))
            case Binary():
                return self._chain(expr)

    def _selector(self, columns: Columns) -> Matrix:
        size = len(columns.labels) * len(self._t_ms)
        if size > QUERY_VALUES_MAX:
            raise TooManySamples(
                f"{len(columns.labels)} series at {len(self._t_ms)} instants are more than"
                f" {QUERY_VALUES_MAX} values; narrow the selector or use a longer step"
            )
        return at_instants(columns, self._t_ms, check=self._check)

    def _chain(self, expr: Binary) -> Matrix | Scalar:
        """Operators along the left edge in a loop: a chain may be longer than any stack."""
        chain: list[Binary] = []
        node: Expr = expr
        while isinstance(node, Binary):
            chain.append(node)
            node = node.left
        result = self.value(node)
        for link in reversed(chain):
            self._check()
            result = combine(
                OPERATORS[link.operator],
                result,
                self.value(link.right),
                bool_modifier=link.bool_modifier,
            )
        return result


def _negated(value: Matrix | Scalar) -> Matrix | Scalar:
    if isinstance(value, Scalar):
        return replace(value, values=-value.values)
    labels = tuple(labels.without(NAME) for labels in value.labels)
    return merged(replace(value, labels=labels, values=-value.values))
