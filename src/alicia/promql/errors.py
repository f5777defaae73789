"""What can be wrong with an expression, told with its position."""

from typing import ClassVar

from alicia.base.errors import AliciaError, BadField, Unavailable


class BadExpression(BadField):
    """The text is no expression of the language, or uses a part of it that is not there.

    ``offset`` counts characters from 0, ``line`` and ``column`` from 1, as Prometheus does.
    """

    code: ClassVar[str] = "bad_expression"

    def __init__(self, fault: str, *, text: str, offset: int, hint: str = "") -> None:
        before = text[:offset]
        self.offset = offset
        self.line = before.count("\n") + 1
        self.column = offset - (before.rfind("\n") + 1) + 1
        self.hint = hint
        message = f"{self.line}:{self.column}: parse error: {fault}"
        super().__init__(
            "query", f"{message}; {hint}" if hint else message, reason="bad_expression"
        )


class QueryTimeout(Unavailable):
    """The answer took longer than a query may; nothing was changed."""

    code: ClassVar[str] = "query_timeout"


class EvaluationFailed(AliciaError):
    """The expression is well formed, but the data it met allow no answer."""

    code: ClassVar[str] = "evaluation_failed"


class TooManySamples(EvaluationFailed):
    """The query would hold more in memory than one query may."""

    code: ClassVar[str] = "too_many_samples"
