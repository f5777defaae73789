"""Exit codes of the command line, and the errors that only it has.

Source: contract.md §1.
"""

from enum import IntEnum
from typing import ClassVar, Final

from alicia.base.errors import AliciaError, Kind


class Exit(IntEnum):
    """What a finished command tells the shell."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    UNREACHABLE = 3


class Usage(AliciaError):
    """The command line cannot be read; the message says how to write it."""

    code: ClassVar[str] = "usage"


class Failed(AliciaError):
    """What was asked for could not be done, although it was asked for rightly."""

    code: ClassVar[str] = "failed"
    kind: ClassVar[Kind] = Kind.CONFLICT


class Unreachable(AliciaError):
    """A service or the broker does not answer."""

    code: ClassVar[str] = "unreachable"
    kind: ClassVar[Kind] = Kind.UNAVAILABLE


class NotAnswering(Unreachable):
    """Something took the connection, and then said nothing for as long as we wait."""

    code: ClassVar[str] = "not_answering"


class Refused(AliciaError):
    """A service answered, and its answer was an error; ``problem`` is its body."""

    code: ClassVar[str] = "refused"
    kind: ClassVar[Kind] = Kind.CONFLICT

    def __init__(self, message: str, *, status: int, problem: object) -> None:
        super().__init__(message)
        self.status = status
        self.problem = problem


_BY_KIND: Final = {
    Kind.BAD_INPUT: Exit.USAGE,
    Kind.NOT_FOUND: Exit.FAILED,
    Kind.DENIED: Exit.FAILED,
    Kind.CONFLICT: Exit.FAILED,
    Kind.LIMIT: Exit.FAILED,
    Kind.UNAVAILABLE: Exit.UNREACHABLE,
    Kind.CORRUPT: Exit.FAILED,
}


def exit_of(error: AliciaError) -> Exit:
    """The exit code of an error that ended a command."""
    return _BY_KIND[error.kind]


def one_line(error: AliciaError) -> str:
    """The message on one line without control characters: it may quote a peer."""
    return "".join(char if char.isprintable() else " " for char in str(error))
