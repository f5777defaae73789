"""Label matchers with Prometheus' semantics; regular expressions run on RE2."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from typing import cast

import re2

from alicia.base.errors import BadField
from alicia.base.limits import REGEX_BYTES_MAX


class MatchOp(StrEnum):
    """The four comparisons of a matcher."""

    EQUAL = "="
    NOT_EQUAL = "!="
    REGEX = "=~"
    NOT_REGEX = "!~"


@dataclass(frozen=True, slots=True)
class Matcher:
    """One condition on one label; an absent label has the empty value.

    Raises:
        BadField: the regular expression is longer than 1 KiB or not RE2.
    """

    name: str
    op: MatchOp
    value: str
    _full_match: Callable[[str], object] | None = field(
        init=False, repr=False, compare=False, default=None
    )

    def __post_init__(self) -> None:
        if self.op in (MatchOp.REGEX, MatchOp.NOT_REGEX):
            object.__setattr__(self, "_full_match", compile_regex(self.value))

    def matches(self, value: str) -> bool:
        """Whether a label of this value satisfies the condition."""
        if self._full_match is None:
            return (value == self.value) is (self.op is MatchOp.EQUAL)
        return bool(self._full_match(value)) is (self.op is MatchOp.REGEX)

    def __str__(self) -> str:
        quoted = self.value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
        return f'{self.name}{self.op}"{quoted}"'


def matches_all(matchers: tuple[Matcher, ...], labels: Mapping[str, str]) -> bool:
    """Whether a label set satisfies every matcher."""
    return all(matcher.matches(labels.get(matcher.name, "")) for matcher in matchers)


@lru_cache(maxsize=1000)
def compile_regex(pattern: str) -> Callable[[str], object]:
    """The full match of a pattern, anchored at both ends, where ``.`` matches newline too.

    RE2 runs in linear time, so no pattern of a peer can stall the process.

    Raises:
        BadField: the pattern is longer than 1 KiB or not RE2.
    """
    if len(pattern.encode()) > REGEX_BYTES_MAX:
        raise BadField(
            "regex",
            f"regex: {len(pattern.encode())} bytes are more than {REGEX_BYTES_MAX}; shorten it",
            reason="regex_too_long",
        )
    options = re2.Options()
    options.dot_nl = True
    options.log_errors = False
    try:
        compiled = re2.compile(pattern, options)
    except re2.error as error:
        raise BadField(
            "regex",
            f"regex: {pattern!r} is not an RE2 expression: {_reason(error)}",
            reason="bad_regex",
        ) from None
    return cast("Callable[[str], object]", compiled.fullmatch)


def _reason(error: Exception) -> str:
    detail = error.args[0] if error.args else "syntax error"
    return detail.decode(errors="replace") if isinstance(detail, bytes) else str(detail)
