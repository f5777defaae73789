"""Tokens to a syntax tree: precedence climbing, bounded before it begins.

Recursion follows nesting only, at most QUERY_DEPTH_MAX levels; chains of operators are loops.
"""

from typing import Final

from alicia.base.errors import BadField
from alicia.base.limits import QUERY_BYTES_MAX, QUERY_DEPTH_MAX
from alicia.promql.ast import (
    Binary,
    Expr,
    Negation,
    Number,
    Paren,
    Selector,
    Span,
    ValueType,
    type_of,
)
from alicia.promql.errors import BadExpression
from alicia.promql.lexer import Lexeme, Token, tokens_of
from alicia.promql.literals import number_of, seconds_of, text_of
from alicia.promql.operators import OPERATORS, UNARY_PRECEDENCE
from alicia.series.labels import NAME
from alicia.series.matchers import Matcher, MatchOp

_KNOWN: Final = "selectors, numbers, comparisons, + - * / % ^ and parentheses are understood"
_WORD_OPERATORS: Final = frozenset({"and", "or", "unless", "atan2"})
_MATCHING: Final = frozenset({"on", "ignoring", "group_left", "group_right"})
_CONSTANTS: Final = {"inf": float("inf"), "nan": float("nan")}
_MATCH_OPS: Final = frozenset(op.value for op in MatchOp)


def parse(text: str) -> Expr:
    """The tree of an expression.

    Raises:
        BadExpression: too long, too deep, or not an expression; position and hint are in it.
    """
    if len(text.encode(errors="surrogatepass")) > QUERY_BYTES_MAX:
        raise BadExpression(
            f"the expression is longer than {QUERY_BYTES_MAX} bytes",
            text=text,
            offset=0,
            hint="shorten it",
        )
    return _Parser(text, tokens_of(text)).whole()


class _Parser:
    def __init__(self, text: str, lexemes: tuple[Lexeme, ...]) -> None:
        self._text = text
        self._lexemes = lexemes
        self._at = 0
        self._depth = 0

    def whole(self) -> Expr:
        if self._peek().kind is Token.END:
            raise self._error(
                "no expression found in input", self._peek(), "write cpu_percent > 90"
            )
        expr = self._expression(0)
        rest = self._peek()
        if rest.kind is not Token.END:
            hint = "write == to compare" if rest.text == "=" else ""
            raise self._error(f"unexpected {rest.shown()}", rest, hint)
        return expr

    def _expression(self, weakest: int) -> Expr:
        """An operand and all operators behind it that bind at least as tightly."""
        self._depth += 1
        if self._depth > QUERY_DEPTH_MAX:
            raise self._error(
                f"nested deeper than {QUERY_DEPTH_MAX} levels", self._peek(), "simplify it"
            )
        left = self._operand()
        while (found := OPERATORS.get(self._peek().text)) and found.precedence >= weakest:
            lexeme = self._take()
            bool_modifier = self._bool_modifier(lexeme)
            self._refuse_matching()
            right = self._expression(found.precedence + (not found.right_associative))
            left = self._binary(lexeme, left, right, bool_modifier)
        self._refuse_word_operators()
        self._depth -= 1
        return left

    def _operand(self) -> Expr:
        lexeme = self._take()
        match lexeme.kind:
            case Token.NUMBER:
                return Number(number_of(lexeme.text), _span(lexeme))
            case Token.DURATION:
                return Number(seconds_of(lexeme.text), _span(lexeme))
            case Token.IDENT:
                return self._named(lexeme)
            case Token.STRING:
                raise self._error(
                    "a text is no operand",
                    lexeme,
                    f"a quoted name stands in braces: {{{lexeme.text}}}",
                )
        match lexeme.text:
            case "(":
                inner = self._expression(0)
                return Paren(inner, Span(lexeme.start, self._expect(")").end))
            case "{":
                return self._selector(None, lexeme)
            case "-" | "+":
                return self._signed(lexeme)
        raise self._error(
            f"unexpected {lexeme.shown()}", lexeme, "a name, a number or ( is expected here"
        )

    def _signed(self, sign: Lexeme) -> Expr:
        operand = self._expression(UNARY_PRECEDENCE)
        if sign.text == "+":
            return operand
        if isinstance(operand, Number):
            return Number(-operand.value, Span(sign.start, operand.span.end))
        return Negation(operand, Span(sign.start, operand.span.end))

    def _named(self, lexeme: Lexeme) -> Expr:
        following = self._peek()
        if lexeme.text.lower() in _CONSTANTS and following.text != "{":
            return Number(_CONSTANTS[lexeme.text.lower()], _span(lexeme))
        if following.text == "(" or following.text in ("by", "without"):
            raise self._error(f"the function {lexeme.text} is not available", lexeme, _KNOWN)
        if following.text == "{":
            return self._selector(lexeme, self._take())
        return self._suffixed(Selector((Matcher(NAME, MatchOp.EQUAL, lexeme.text),), _span(lexeme)))

    def _selector(self, name: Lexeme | None, brace: Lexeme) -> Expr:
        first = name or brace
        matchers = [Matcher(NAME, MatchOp.EQUAL, name.text)] if name else []
        while self._peek().text != "}":
            matchers.append(self._matcher())
            if self._peek().text != "}":
                self._expect(",")
        span = Span(first.start, self._take().end)
        self._check_matchers(matchers, first)
        return self._suffixed(Selector(tuple(matchers), span))

    def _matcher(self) -> Matcher:
        """One condition in braces; a quoted text alone is the metric's name."""
        label = self._take()
        if label.kind not in (Token.IDENT, Token.STRING):
            raise self._error(
                f"unexpected {label.shown()} in label matching", label, 'write label="value"'
            )
        name = self._unquote(label) if label.kind is Token.STRING else label.text
        if label.kind is Token.STRING and self._peek().text in (",", "}"):
            return Matcher(NAME, MatchOp.EQUAL, name)
        operator, value = self._take(), self._peek()
        if operator.text not in _MATCH_OPS or operator.kind is not Token.OPERATOR:
            raise self._error(
                f"unexpected {operator.shown()} in label matching", operator, "write = != =~ or !~"
            )
        if value.kind is not Token.STRING:
            raise self._error(
                f"unexpected {value.shown()} in label matching", value, "the value needs quotes"
            )
        try:
            return Matcher(name, MatchOp(operator.text), self._unquote(self._take()))
        except BadExpression:
            raise
        except BadField as error:
            raise self._error(str(error), value, "") from None

    def _check_matchers(self, matchers: list[Matcher], first: Lexeme) -> None:
        names = [m for m in matchers if m.name == NAME and m.op is MatchOp.EQUAL]
        if len(names) > 1:
            raise self._error(
                f"metric name must not be set twice: {names[0].value!r} or {names[1].value!r}",
                first,
                "keep one",
            )
        if all(matcher.matches("") for matcher in matchers):
            raise self._error(
                "vector selector must contain at least one non-empty matcher",
                first,
                "name a metric or a label's value",
            )

    def _suffixed(self, selector: Selector) -> Selector:
        following = self._peek()
        if following.text in ("[", "@", "offset"):
            raise self._error(f"{following.shown()} is not available here", following, _KNOWN)
        return selector

    def _bool_modifier(self, operator: Lexeme) -> bool:
        following = self._peek()
        if following.kind is not Token.IDENT or following.text.lower() != "bool":
            return False
        if not OPERATORS[operator.text].compares:
            raise self._error(
                "bool modifier can only be used on comparison operators", following, "leave it out"
            )
        self._take()
        return True

    def _binary(self, operator: Lexeme, left: Expr, right: Expr, bool_modifier: bool) -> Binary:
        both = (type_of(left), type_of(right)) == (ValueType.SCALAR, ValueType.SCALAR)
        if both and OPERATORS[operator.text].compares and not bool_modifier:
            raise self._error(
                "comparisons between scalars must use BOOL modifier",
                operator,
                f"write {operator.text} bool",
            )
        value_type = ValueType.SCALAR if both else ValueType.VECTOR
        span = Span(left.span.start, right.span.end)
        return Binary(operator.text, left, right, value_type, bool_modifier, span)

    def _refuse_matching(self) -> None:
        following = self._peek()
        if following.kind is Token.IDENT and following.text.lower() in _MATCHING:
            raise self._error(f"{following.shown()} is not available", following, _KNOWN)

    def _refuse_word_operators(self) -> None:
        following = self._peek()
        if following.kind is Token.IDENT and following.text.lower() in _WORD_OPERATORS:
            raise self._error(
                f"the operator {following.shown()} is not available", following, _KNOWN
            )

    def _unquote(self, lexeme: Lexeme) -> str:
        try:
            return text_of(lexeme.text)
        except ValueError as error:
            raise self._error(str(error), lexeme, "double a backslash that is meant") from None

    def _peek(self) -> Lexeme:
        return self._lexemes[self._at]

    def _take(self) -> Lexeme:
        lexeme = self._lexemes[self._at]
        if lexeme.kind is not Token.END:
            self._at += 1
        return lexeme

    def _expect(self, text: str) -> Lexeme:
        lexeme = self._take()
        if lexeme.text != text or lexeme.kind is not Token.PUNCTUATION:
            raise self._error(f"unexpected {lexeme.shown()}", lexeme, f"{text} is expected here")
        return lexeme

    def _error(self, fault: str, lexeme: Lexeme, hint: str) -> BadExpression:
        return BadExpression(fault, text=self._text, offset=lexeme.start, hint=hint)


def _span(lexeme: Lexeme) -> Span:
    return Span(lexeme.start, lexeme.end)
