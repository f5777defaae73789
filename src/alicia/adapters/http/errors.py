"""Errors of the HTTP door, and the one place where any error becomes an answer."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import ClassVar, Final

from alicia.adapters.http.json_response import Json
from alicia.base.errors import AliciaError, Kind
from alicia.wire.json import Undecodable

PROBLEM: Final = "application/problem+json"

# What a kind means over HTTP; an HttpError states its own status instead.
STATUS: Final[Mapping[Kind, HTTPStatus]] = {
    Kind.BAD_INPUT: HTTPStatus.UNPROCESSABLE_ENTITY,
    Kind.NOT_FOUND: HTTPStatus.NOT_FOUND,
    Kind.DENIED: HTTPStatus.FORBIDDEN,
    Kind.CONFLICT: HTTPStatus.CONFLICT,
    Kind.LIMIT: HTTPStatus.TOO_MANY_REQUESTS,
    Kind.UNAVAILABLE: HTTPStatus.SERVICE_UNAVAILABLE,
    Kind.CORRUPT: HTTPStatus.INTERNAL_SERVER_ERROR,
}
# Long enough to spare a service in trouble, short enough that nobody waits for nothing.
_RETRY_AFTER: Final[Mapping[int, str]] = {429: "1", 503: "5"}

# First path segments behind /api/v1 that belong to Prometheus; its clients read its envelope.
_PROMETHEUS: Final = frozenset(
    {"query", "query_range", "query_exemplars", "series", "labels", "label", "metadata", "rules"}
    | {"alerts", "targets", "status", "format_query", "parse_query", "write", "otlp"}
)
_PROMETHEUS_TYPE: Final[Mapping[Kind, str]] = {
    Kind.BAD_INPUT: "bad_data",
    Kind.NOT_FOUND: "not_found",
    Kind.DENIED: "forbidden",
    Kind.CONFLICT: "conflict",
    Kind.LIMIT: "execution",
    Kind.UNAVAILABLE: "unavailable",
    Kind.CORRUPT: "internal",
}


class HttpError(AliciaError):
    """An error that only exists over HTTP, with the status that HTTP has for it."""

    status: ClassVar[HTTPStatus] = HTTPStatus.BAD_REQUEST


class BadBody(HttpError):
    """The body cannot be read as what it claims to be; nothing of it was used."""

    code = "bad_body"


class BodyTooLarge(HttpError):
    """The body, as sent or after inflating, is larger than the limit."""

    code = "body_too_large"
    kind = Kind.LIMIT
    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE


class WrongType(HttpError):
    """The route does not take this content type or content encoding."""

    code = "wrong_content_type"
    status = HTTPStatus.UNSUPPORTED_MEDIA_TYPE


class Unauthorized(HttpError):
    """No credentials, or wrong ones."""

    code = "unauthorized"
    kind = Kind.DENIED
    status = HTTPStatus.UNAUTHORIZED


class ForeignOrigin(HttpError):
    """A page of another origin asked for a change."""

    code = "foreign_origin"
    kind = Kind.DENIED
    status = HTTPStatus.FORBIDDEN


class WrongHost(HttpError):
    """The Host header names a machine that we are not."""

    code = "wrong_host"
    kind = Kind.DENIED
    status = HTTPStatus.MISDIRECTED_REQUEST


def status_of(error: AliciaError) -> HTTPStatus:
    """The status that ``error`` is answered with."""
    if isinstance(error, HttpError):
        return error.status
    if isinstance(error, Undecodable):  # read in no part, unlike one with a wrong value in it
        too_much = error.kind is Kind.LIMIT
        return HTTPStatus.REQUEST_ENTITY_TOO_LARGE if too_much else HTTPStatus.BAD_REQUEST
    return STATUS[error.kind]


def answer(error: AliciaError, *, path: str) -> Json:
    """The whole answer to a failed request, in the shape that callers of ``path`` read.

    Source: RFC 9457; Prometheus HTTP API for its own paths.
    """
    status = status_of(error)
    if is_prometheus(path):
        # A bad query is 400 there, and clients tell errors apart by ``errorType``.
        code = 400 if status == HTTPStatus.UNPROCESSABLE_ENTITY else int(status)
        return Json(
            {"status": "error", "errorType": _PROMETHEUS_TYPE[error.kind], "error": str(error)},
            code,
            headers=_headers(code),
        )
    faults = error.errors()
    body: dict[str, object] = {
        "type": faults[0].code if len(faults) == 1 else error.code,
        "title": status.phrase,
        "status": int(status),
        "detail": str(error),
    }
    if faults:
        body["errors"] = [
            {"loc": list(fault.loc), "msg": fault.msg, "code": fault.code} for fault in faults
        ]
    return Json(body, int(status), headers=_headers(status), media_type=PROBLEM)


def plain_answer(
    status: int, detail: str, *, path: str = "", headers: Mapping[str, str] | None = None
) -> Json:
    """An answer for what the framework refused: no such path, no such method; or for our fault."""
    known = HTTPStatus(status)
    if is_prometheus(path):
        word = {404: "not_found", 500: "internal"}.get(status, "bad_data")
        return Json(
            {"status": "error", "errorType": word, "error": detail or known.description},
            status,
            headers=headers,
        )
    body = {
        "type": known.name.lower(),
        "title": known.phrase,
        "status": status,
        "detail": detail or known.description,
    }
    return Json(body, status, headers=headers, media_type=PROBLEM)


def is_prometheus(path: str) -> bool:
    """Whether ``path`` belongs to the Prometheus HTTP API."""
    prefix, found, rest = path.partition("/api/v1/")
    return bool(found) and not prefix and rest.partition("/")[0] in _PROMETHEUS


def _headers(status: int) -> dict[str, str]:
    headers = {}
    if status in _RETRY_AFTER:
        headers["Retry-After"] = _RETRY_AFTER[status]
    if status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = 'Bearer realm="alicia"'
    return headers
