"""What an expression needs from the store, before anything is read."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from alicia.base.limits import QUERY_POINTS_MAX
from alicia.promql.ast import Binary, Expr, Negation, Paren, Selector
from alicia.promql.errors import EvaluationFailed
from alicia.series.matchers import Matcher

LOOKBACK_MS: Final = 5 * 60 * 1000


@dataclass(frozen=True, slots=True)
class Window:
    """The instants of one query: ``start_ms`` and every ``step_ms`` up to ``end_ms``, inclusive.

    An instant query has ``start_ms == end_ms``; ``step_ms`` is at least 1.
    """

    start_ms: int
    end_ms: int
    step_ms: int = 1

    @property
    def points(self) -> int:
        """How many instants there are."""
        return (self.end_ms - self.start_ms) // self.step_ms + 1

    def instants(self) -> NDArray[np.int64]:
        """All instants, ascending."""
        return np.arange(self.start_ms, self.end_ms + 1, self.step_ms, dtype=np.int64)


@dataclass(frozen=True, slots=True)
class Selection:
    """Samples of the matching series with ``start_ms <= t <= end_ms``."""

    matchers: tuple[Matcher, ...]
    start_ms: int
    end_ms: int


@dataclass(frozen=True, slots=True)
class Plan:
    """An expression over a window, with one selection per different selector."""

    expr: Expr
    window: Window
    selections: tuple[Selection, ...]


def plan(expr: Expr, window: Window) -> Plan:
    """Name every selection once; the lookback is open at its old end, so it begins 1 ms later.

    Raises:
        EvaluationFailed: more than QUERY_POINTS_MAX instants.
    """
    assert window.step_ms >= 1, "a step moves forward"
    assert window.end_ms >= window.start_ms, "a window has an instant"
    if window.points > QUERY_POINTS_MAX:
        raise EvaluationFailed(
            f"{window.points} points per series are more than {QUERY_POINTS_MAX}; use a longer step"
        )
    start_ms = window.start_ms - LOOKBACK_MS + 1
    found = dict.fromkeys(selector.matchers for selector in _selectors(expr))
    selections = tuple(Selection(matchers, start_ms, window.end_ms) for matchers in found)
    return Plan(expr, window, selections)


def _selectors(expr: Expr) -> Iterator[Selector]:
    pending = [expr]
    while pending:
        node = pending.pop()
        match node:
            case Selector():
                yield node
            case Paren():
                pending.append(node.inner)
            case Negation():
                pending.append(node.operand)
            case Binary():
                pending += (node.right, node.left)
