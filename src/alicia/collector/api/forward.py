"""``/scheduler/…``: the scheduler's API under the collector's address, so that a browser has one.

Source: dashboard.md §1, security.md §6. The caller's credential goes on, never one of ours.
"""

import re
from collections.abc import Callable
from http import HTTPStatus
from typing import ClassVar, Final

from fastapi import APIRouter, Request
from starlette.responses import Response

from alicia.adapters.http.body import read_body
from alicia.adapters.http.content_types import EVENT_FILES
from alicia.adapters.http.errors import HttpError
from alicia.adapters.http.outbound import Outbound, OutboundFailed
from alicia.adapters.http.roles import Role, caller_of, needs
from alicia.base.errors import Denied, Kind, NotFound

ANSWER_BYTES_MAX: Final = 64 * 1024 * 1024
TIMEOUT_MS: Final = 30_000
_PREFIX: Final = "/scheduler/"
_METHODS: Final = ["GET", "POST", "PUT", "DELETE"]
# What the contract offers behind the scheduler's address, and who may ask for it. The scheduler
# checks roles itself; but it may be bound to loopback, where it would trust whatever we pass on.
_ID: Final = "[^/]{1,300}"
_ROUTES: Final = tuple(
    (method, re.compile(path), roles)
    for method, path, roles in (
        ("GET", "health|events|executions|audit|stats|calendar", (Role.VIEWER,)),
        ("GET", f"(?:events|executions)/{_ID}", (Role.VIEWER,)),
        ("POST", "events/preview", (Role.VIEWER,)),
        ("POST", f"events/{_ID}/(?:trigger|pause|resume)", (Role.OPERATOR,)),
        ("POST", f"executions/{_ID}/cancel", (Role.OPERATOR,)),
        ("POST", f"executions/{_ID}/complete", (Role.OPERATOR, Role.INGEST)),
        ("POST", "events|events/import", (Role.EDITOR,)),
        ("PUT", f"events/{_ID}", (Role.EDITOR,)),
        ("DELETE", f"events/{_ID}", (Role.EDITOR,)),
    )
)
_PASSED: Final = (
    "authorization", "cookie", "content-type", "accept", "if-match", "idempotency-key",
)  # fmt: skip
_RETURNED: Final = frozenset(
    {"content-type", "etag", "location", "retry-after", "www-authenticate", "deprecation"}
)


class SchedulerUnreachable(HttpError):
    """The scheduler does not answer; the request may have arrived."""

    code: ClassVar[str] = "scheduler_unreachable"
    kind: ClassVar[Kind] = Kind.UNAVAILABLE
    status: ClassVar[HTTPStatus] = HTTPStatus.BAD_GATEWAY


def forward_routes(outbound: Outbound, base_url: Callable[[], str]) -> APIRouter:
    """All paths of the scheduler; ``base_url`` says where it answers now."""
    router = APIRouter(tags=["scheduler"])

    @router.api_route(
        "/scheduler/{path:path}",
        methods=_METHODS,
        dependencies=[needs(Role.VIEWER, Role.INGEST, types=EVENT_FILES)],
    )
    async def forward(request: Request, path: str) -> Response:
        """Pass a request on, and its answer back."""
        raw = _raw_path(request)
        _check(request, raw)
        query = request.url.query
        headers = {name: request.headers[name] for name in _PASSED if name in request.headers}
        try:
            reply = await outbound.request(
                request.method,
                f"{base_url()}/{raw}{'?' + query if query else ''}",
                headers=headers,
                body=await read_body(request),
                timeout_ms=TIMEOUT_MS,
                max_bytes=ANSWER_BYTES_MAX,
                owners_word=True,
            )
        except OutboundFailed as error:
            raise SchedulerUnreachable(
                f"the scheduler does not answer ({error.reason}); start it: alicia scheduler"
            ) from None
        kept = {name: value for name, value in reply.headers.items() if name in _RETURNED}
        if kept.get("location", "").startswith("/"):
            kept["location"] = _PREFIX.removesuffix("/") + kept["location"]
        return Response(reply.body, reply.status, headers=kept)

    return router


def _check(request: Request, path: str) -> None:
    """Let nothing pass but what the contract names, for those who may.

    Raises:
        NotFound: the scheduler has no such path, or not for this method.
        Denied: the caller's role does not suffice.
    """
    for method, pattern, roles in _ROUTES:
        if method == request.method and pattern.fullmatch(path) and ".." not in path:
            if not any(caller_of(request).holds(role) for role in roles):
                wanted = " or ".join(role.value for role in roles)
                raise Denied(f"this needs the role {wanted}")
            return
    raise NotFound(f"{request.method} /scheduler/{path[:100]}: the scheduler has no such path")


def _raw_path(request: Request) -> str:
    """The path behind ``/scheduler/`` as it was sent, so that escapes stay escapes."""
    raw = request.scope.get("raw_path") or request.url.path.encode()
    return raw.decode("ascii", errors="replace").partition("?")[0].removeprefix(_PREFIX)
