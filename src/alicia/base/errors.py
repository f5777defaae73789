"""Typed errors: a permanent code, and a kind that says what the caller can do."""

from enum import Enum
from typing import ClassVar


class Kind(Enum):
    """What the caller of a failed operation can do about it."""

    BAD_INPUT = "bad_input"  # mend the request; a retry cannot help
    NOT_FOUND = "not_found"
    DENIED = "denied"
    CONFLICT = "conflict"  # someone else was first: reread, retry
    LIMIT = "limit"  # a stated bound; the message names the setting
    UNAVAILABLE = "unavailable"  # retry later; nothing was changed
    CORRUPT = "corrupt"  # stored bytes fail their checksum: a person must look


class AliciaError(Exception):
    """An operation of ours that failed; the message names the field, the reason and the fix.

    ``code`` never changes once released. ``loc`` is the path of the faulty field, empty where
    there is none.
    """

    code: ClassVar[str] = "error"
    kind: ClassVar[Kind] = Kind.BAD_INPUT

    def __init__(self, message: str, *, loc: tuple[str | int, ...] = ()) -> None:
        super().__init__(message)
        self.loc = loc

    def errors(self) -> tuple["FieldError", ...]:
        """The single faults behind this error; one for most errors, several for a form."""
        return (FieldError(self.loc, str(self), self.code),) if self.loc else ()


class FieldError:
    """One faulty field of a request: where it is, what is wrong and how to mend it."""

    __slots__ = ("code", "loc", "msg")

    def __init__(self, loc: tuple[str | int, ...], msg: str, code: str) -> None:
        self.loc = loc
        self.msg = msg
        self.code = code

    def __repr__(self) -> str:
        return f"FieldError(loc={self.loc!r}, msg={self.msg!r}, code={self.code!r})"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, FieldError):
            return NotImplemented
        return (self.loc, self.msg, self.code) == (other.loc, other.msg, other.code)

    def __hash__(self) -> int:
        return hash((self.loc, self.msg, self.code))


class BadField(AliciaError):
    """One field of a request is wrong.

    ``reason`` is the stable code of the fault (``run_at_past``, ``reversed_range``); it is the
    ``code`` of the error too, so that one handler serves all.
    """

    code = "bad_field"

    def __init__(self, field: str | tuple[str | int, ...], message: str, *, reason: str) -> None:
        super().__init__(message, loc=(field,) if isinstance(field, str) else field)
        self.reason = reason

    def errors(self) -> tuple[FieldError, ...]:
        """The one fault, under its own reason code."""
        return (FieldError(self.loc, str(self), self.reason),)


class BadRequest(AliciaError):
    """Several fields of one request are wrong; all are reported at once."""

    code = "bad_request"

    def __init__(self, faults: tuple[FieldError, ...]) -> None:
        assert faults, "an error needs a fault"
        super().__init__("; ".join(fault.msg for fault in faults))
        self.faults = faults

    def errors(self) -> tuple[FieldError, ...]:
        """All faults, in the order they were found."""
        return self.faults


class NotFound(AliciaError):
    """The named thing does not exist."""

    code = "not_found"
    kind = Kind.NOT_FOUND


class Conflict(AliciaError):
    """Someone else was first: the name is taken or the revision is old."""

    code = "conflict"
    kind = Kind.CONFLICT


class LimitExceeded(AliciaError):
    """A stated bound is reached; the message names the setting that raises it."""

    code = "limit_exceeded"
    kind = Kind.LIMIT


class Unavailable(AliciaError):
    """A part that is needed does not answer now; nothing was changed, a retry may succeed."""

    code = "unavailable"
    kind = Kind.UNAVAILABLE


class Denied(AliciaError):
    """The caller may not do this."""

    code = "denied"
    kind = Kind.DENIED
