"""A syntax tree to its canonical text; ``parse`` reads it back to an equal tree."""

import re
from typing import Final

from alicia.promql.ast import Binary, Expr, Negation, Number, Paren, Selector
from alicia.promql.literals import format_number, format_text
from alicia.series.labels import NAME
from alicia.series.matchers import Matcher, MatchOp

_PLAIN_NAME: Final = re.compile(r"[A-Za-z_:][A-Za-z0-9_:]*")
_PLAIN_LABEL: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_NOT_NAMES: Final = frozenset({"inf", "nan", "bool", "on", "ignoring", "offset", "and", "or"})


def format_expr(expr: Expr) -> str:
    """The expression in canonical spelling, on one line."""
    match expr:
        case Number():
            return format_number(expr.value)
        case Selector():
            return _selector(expr)
        case Paren():
            return f"({format_expr(expr.inner)})"
        case Negation():
            return f"-{format_expr(expr.operand)}"
        case Binary():
            return _chain(expr)


def format_name(name: str) -> str:
    """A selector of one metric by name, quoted where the grammar needs it."""
    plain = _PLAIN_NAME.fullmatch(name) and name.lower() not in _NOT_NAMES
    return name if plain else f"{{{format_text(name)}}}"


def _chain(expr: Binary) -> str:
    parts: list[str] = []
    node: Expr = expr
    while isinstance(node, Binary):  # a chain of operators is as deep as it is long
        bool_modifier = " bool" if node.bool_modifier else ""
        parts.append(f"{node.operator}{bool_modifier} {format_expr(node.right)}")
        node = node.left
    return " ".join([format_expr(node), *reversed(parts)])


def _selector(selector: Selector) -> str:
    first, *rest = selector.matchers
    if first.name != NAME or first.op is not MatchOp.EQUAL:
        return "{" + ",".join(map(_matcher, selector.matchers)) + "}"
    name = format_name(first.value)
    if not rest:
        return name
    inner = ",".join(map(_matcher, rest))
    return f"{{{name[1:-1]},{inner}}}" if name.startswith("{") else f"{name}{{{inner}}}"


def _matcher(matcher: Matcher) -> str:
    label = matcher.name if _PLAIN_LABEL.fullmatch(matcher.name) else format_text(matcher.name)
    return f"{label}{matcher.op.value}{format_text(matcher.value)}"
