"""What the engine needs of a store, and what others may ask of an engine."""

from collections.abc import Callable
from typing import Protocol, TypeVar

from alicia.promql.plan import Window
from alicia.promql.values import Matrix, Scalar
from alicia.series.columns import Columns
from alicia.series.matchers import Matcher

Answer = TypeVar("Answer")
# Called now and then by whoever computes for long; raises where there is no more time.
Check = Callable[[], None]


class Querier(Protocol):
    """Read access to samples."""

    def select(self, matchers: tuple[Matcher, ...], start_ms: int, end_ms: int) -> Columns:
        """Samples of all matching series with ``start_ms <= t <= end_ms``, markers included."""
        ...


class Evaluator(Protocol):
    """Answers expressions; ours or a remote engine."""

    async def ask(
        self, expr: str, window: Window, then: Callable[[Matrix | Scalar, Check], Answer]
    ) -> Answer:
        """What ``then`` makes of the values at every instant of a window.

        ``then`` may run in another thread, beside the event loop: it shares nothing that
        changes. Where it takes long it calls the check that it is given.

        Raises:
            BadExpression: not an expression.
            EvaluationFailed: the data allow no answer, or are too many.
            QueryTimeout: it took more than QUERY_SECONDS_MAX.
            Unavailable: too many queries are being answered already.
        """
        ...
