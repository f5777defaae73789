"""The syntax tree. Nodes are immutable; ``start`` and ``end`` are characters of the source."""

from dataclasses import dataclass, field
from enum import Enum

from alicia.series.matchers import Matcher


class ValueType(Enum):
    """What an expression yields at one instant."""

    SCALAR = "scalar"
    VECTOR = "vector"


@dataclass(frozen=True, slots=True)
class Span:
    """Where a node stands in its source, in characters; end exclusive."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Number:
    """A number literal."""

    value: float
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Selector:
    """An instant selector; the metric name is a matcher of ``__name__``."""

    matchers: tuple[Matcher, ...]
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Paren:
    """An expression in parentheses, kept for printing."""

    inner: "Expr"
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Negation:
    """Unary minus; unary plus leaves no node."""

    operand: "Expr"
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Binary:
    """Two operands and an operator of ``operators.OPERATORS``.

    ``bool_modifier``: a comparison yields 0 or 1 instead of filtering.
    """

    operator: str
    left: "Expr"
    right: "Expr"
    type: ValueType
    bool_modifier: bool
    span: Span = field(compare=False)


Expr = Number | Selector | Paren | Negation | Binary


def type_of(expr: Expr) -> ValueType:
    """The type of an expression's value."""
    while isinstance(expr, Paren | Negation):
        expr = expr.inner if isinstance(expr, Paren) else expr.operand
    match expr:
        case Number():
            return ValueType.SCALAR
        case Selector():
            return ValueType.VECTOR
        case Binary():
            return expr.type


def stripped(expr: Expr) -> Expr:
    """The expression without the parentheses around all of it."""
    while isinstance(expr, Paren):
        expr = expr.inner
    return expr
