"""Text to tokens: the whole lexical grammar of PromQL, so that the parser can grow alone."""

import re
from dataclasses import dataclass
from enum import Enum
from typing import Final

from alicia.promql.errors import BadExpression


class Token(Enum):
    """Kinds of tokens; keywords are identifiers, told apart by the parser."""

    IDENT = "name"
    STRING = "text"
    NUMBER = "number"
    DURATION = "duration"
    OPERATOR = "operator"
    PUNCTUATION = "punctuation"
    END = "end of input"


@dataclass(frozen=True, slots=True)
class Lexeme:
    """One token: its text as written and where it stands, in characters, end exclusive."""

    kind: Token
    text: str
    start: int
    end: int

    def shown(self) -> str:
        """The token as error messages name it."""
        return "end of input" if self.kind is Token.END else f'"{self.text}"'


_SPACE: Final = re.compile(r"(?:\s+|#[^\n]*)*")
_DIGITS: Final = r"[0-9](?:_?[0-9])*"
_PATTERNS: Final = (
    (Token.DURATION, re.compile(r"(?:[0-9]+(?:ms|[smhdwy]))+(?![\w.])")),
    (
        Token.NUMBER,
        re.compile(
            rf"0[xX][0-9a-fA-F]+|(?:{_DIGITS}(?:\.(?:{_DIGITS})?)?|\.{_DIGITS})(?:[eE][+-]?[0-9]+)?"
        ),
    ),
    (Token.IDENT, re.compile(r"[A-Za-z_:][A-Za-z0-9_:]*")),
    (Token.STRING, re.compile(r'"(?:[^"\\\n]|\\.)*"|\'(?:[^\'\\\n]|\\.)*\'|`[^`]*`')),
    (Token.OPERATOR, re.compile(r"==|!=|=~|!~|<=|>=|[-+*/%^<>=@]")),
    (Token.PUNCTUATION, re.compile(r"[(){}\[\],:]")),
)
_HINTS: Final = {
    ".": 'quote a name that has dots: {"a.b"}',
    "&": "write and",
    "|": "write or",
    "!": "write != to compare, !~ to refuse a pattern",
    "$": "there are no variables here; write the value",
    '"': "close the text with the quote that opened it, on the same line",
    "'": "close the text with the quote that opened it, on the same line",
    "`": "close the text with a backquote",
}


def tokens_of(text: str) -> tuple[Lexeme, ...]:
    """All tokens of a text, white space and comments left out, ``END`` last.

    Raises:
        BadExpression: a character that begins no token.
    """
    found = []
    at = _skip(text, 0)
    while at < len(text):
        lexeme = _next(text, at)
        found.append(lexeme)
        at = _skip(text, lexeme.end)
    return (*found, Lexeme(Token.END, "", len(text), len(text)))


def _skip(text: str, at: int) -> int:
    space = _SPACE.match(text, at)
    return space.end() if space else at


def _next(text: str, at: int) -> Lexeme:
    for kind, pattern in _PATTERNS:
        if match := pattern.match(text, at):
            return Lexeme(kind, match.group(), at, match.end())
    char = text[at]
    shown = repr(char) if not char.isprintable() else f'"{char}"'
    raise BadExpression(
        f"unexpected character {shown}", text=text, offset=at, hint=_HINTS.get(char, "")
    )
