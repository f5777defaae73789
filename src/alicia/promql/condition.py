"""An alert's condition, taken apart: what is watched, and the number it is compared with."""

from dataclasses import dataclass

from alicia.promql.ast import Binary, Expr, Number, ValueType, stripped, type_of
from alicia.promql.errors import BadExpression
from alicia.promql.format import format_expr
from alicia.promql.operators import OPERATORS
from alicia.promql.parser import parse

_MIRRORED = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition that may be split at its top.

    ``expr`` is the whole in canonical spelling. Where the top is a comparison of a vector with a
    number, ``subject`` is the vector's expression, unfiltered, and ``operator`` and
    ``threshold`` stand as if the number were on the right. Elsewhere ``subject`` is ``expr`` and
    the other two are None.
    """

    expr: str
    subject: str
    operator: str | None
    threshold: float | None


def read_condition(text: str) -> Condition:
    """Parse a condition and split it where its top is a comparison with a number.

    Raises:
        BadExpression: not an expression, or one that yields a number instead of series.
    """
    expr = parse(text)
    if type_of(expr) is ValueType.SCALAR:
        raise BadExpression(
            "a condition must select series, and this is a number",
            text=text,
            offset=expr.span.start,
            hint="name a metric: cpu_percent > 90",
        )
    whole = format_expr(expr)
    top = stripped(expr)
    if isinstance(top, Binary) and OPERATORS[top.operator].compares and not top.bool_modifier:
        left, right = stripped(top.left), stripped(top.right)
        if isinstance(right, Number):
            return Condition(whole, _subject(top.left), top.operator, right.value)
        if isinstance(left, Number):
            mirrored = _MIRRORED.get(top.operator, top.operator)
            return Condition(whole, _subject(top.right), mirrored, left.value)
    return Condition(whole, whole, None, None)


def _subject(expr: Expr) -> str:
    return format_expr(stripped(expr))
