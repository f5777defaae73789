"""What the engine needs of a store, and what others may ask of an engine."""

from typing import Protocol

from alicia.promql.plan import Window
from alicia.promql.values import Element, Matrix, Scalar
from alicia.series.columns import Columns
from alicia.series.matchers import Matcher


class Querier(Protocol):
    """Read access to samples."""

    def select(self, matchers: tuple[Matcher, ...], start_ms: int, end_ms: int) -> Columns:
        """Samples of all matching series with ``start_ms <= t <= end_ms``, markers included."""
        ...


class Evaluator(Protocol):
    """Answers expressions; ours or a remote engine.

    Raises (both calls):
        BadExpression: not an expression.
        EvaluationFailed: the data allow no answer.
    """

    def instant(self, expr: str, at_ms: int) -> tuple[Element, ...] | float:
        """The vector, or the number, at one instant."""
        ...

    def window(self, expr: str, window: Window) -> Matrix | Scalar:
        """The values at every instant of a window."""
        ...
