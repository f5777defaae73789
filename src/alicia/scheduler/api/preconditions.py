"""Headers that make a request safe to repeat: Idempotency-Key, ETag and If-Match."""

import hashlib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import ClassVar, Final

from starlette.requests import Request

from alicia.adapters.http.errors import HttpError
from alicia.base.errors import BadField, Conflict, Kind

KEY_CHARS_MAX: Final = 255
_ETAG: Final = re.compile(r'(?:W/)?"(\d{1,18})"')


class PreconditionFailed(HttpError):
    """The event is not at the revision that If-Match names."""

    code: ClassVar[str] = "precondition_failed"
    kind: ClassVar[Kind] = Kind.CONFLICT
    status: ClassVar[HTTPStatus] = HTTPStatus.PRECONDITION_FAILED


def etag(rev: int) -> str:
    """The ETag of a revision."""
    return f'"{rev}"'


def if_match(request: Request) -> int | None:
    """The revision that the caller wants to change; None where any will do.

    Raises:
        BadField: not an ETag of ours.
    """
    given = request.headers.get("if-match", "").strip()
    if given in ("", "*"):
        return None
    match = _ETAG.fullmatch(given)
    if match is None:
        raise BadField(
            "If-Match",
            "If-Match: not an ETag of ours; send the ETag of the event as you read it",
            reason="bad_etag",
        )
    return int(match[1])


@contextmanager
def at_revision(wanted: int | None) -> Iterator[None]:
    """Call a lost race what it is to a caller who named a revision.

    Raises:
        PreconditionFailed: the event has changed since the caller read it.
    """
    try:
        yield
    except Conflict as error:
        if wanted is None or error.code != Conflict.code:
            raise
        raise PreconditionFailed(str(error)) from None


def idempotency_key(request: Request) -> str | None:
    """The key under which the first answer is kept; None where the caller sends none.

    Raises:
        BadField: empty or too long.
    """
    given = request.headers.get("idempotency-key")
    if given is None:
        return None
    key = given.strip().strip('"')
    if not 1 <= len(key) <= KEY_CHARS_MAX:
        raise BadField(
            "Idempotency-Key",
            f"Idempotency-Key: write 1 to {KEY_CHARS_MAX} characters, a fresh UUID say",
            reason="bad_idempotency_key",
        )
    return key


def body_hash(body: bytes) -> str:
    """What tells a repeated request from another one under the same key."""
    return hashlib.sha256(body).hexdigest()
