"""Headers that make a request safe to repeat: Idempotency-Key, ETag and If-Match."""

import hashlib
import re
from http import HTTPStatus
from typing import ClassVar, Final

from starlette.requests import Request

from alicia.adapters.http.errors import HttpError
from alicia.base.errors import BadField, Kind

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


def check_revision(stored: int, wanted: int | None) -> None:
    """Refuse a change of another revision than the caller has seen.

    Raises:
        PreconditionFailed: the event has changed since.
    """
    if wanted is not None and wanted != stored:
        raise PreconditionFailed(
            f"the event is at revision {stored}, not {wanted}; read it again and repeat the change"
        )


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
