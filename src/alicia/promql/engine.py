"""Evaluation: plan, read, compute. Only reading touches the store; computing is pure."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from alicia.promql.ast import Binary, Expr, Negation, Number, Paren, Selector
from alicia.promql.binary import combine, merged
from alicia.promql.operators import OPERATORS
from alicia.promql.parser import parse
from alicia.promql.plan import Plan, Window, plan
from alicia.promql.ports import Querier
from alicia.promql.select import at_instants
from alicia.promql.values import Element, Matrix, Scalar
from alicia.series.columns import Columns
from alicia.series.labels import NAME
from alicia.series.matchers import Matcher

Selected = Mapping[tuple[Matcher, ...], Columns]


class Engine:
    """Expressions over one store; fits ``ports.Evaluator``."""

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


def evaluate(planned: Plan, selected: Selected) -> Matrix | Scalar:
    """Compute a plan over the samples it asked for.

    Raises:
        EvaluationFailed: the data allow no answer, for example two series of equal labels.
    """
    return _Evaluation(planned.window, selected).value(planned.expr)


class _Evaluation:
    def __init__(self, window: Window, selected: Selected) -> None:
        self._t_ms = window.instants()
        self._selected = selected

    def value(self, expr: Expr) -> Matrix | Scalar:
        match expr:
            case Number():
                return Scalar(self._t_ms, np.full(len(self._t_ms), expr.value))
            case Selector():
                return at_instants(self._selected[expr.matchers], self._t_ms)
            case Paren():
                return self.value(expr.inner)
            case Negation():
                return _negated(self.value(expr.operand))
            case Binary():
                return self._chain(expr)

    def _chain(self, expr: Binary) -> Matrix | Scalar:
        """Operators along the left edge in a loop: a chain may be longer than any stack."""
        chain: list[Binary] = []
        node: Expr = expr
        while isinstance(node, Binary):
            chain.append(node)
            node = node.left
        result = self.value(node)
        for link in reversed(chain):
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
