"""Which requests the audit log keeps, and what it says of them."""

from collections.abc import Mapping, MutableMapping
from typing import Any, Final

from fastapi import Request

from alicia.adapters.http.audit_chain import Change
from alicia.adapters.http.origins import SAFE_METHODS
from alicia.adapters.http.roles import CALLER, Caller, Role, declared

_NOTED: Final = "alicia.change"
# Samples are no changes of anybody's settings, and queries sent by POST none at all.
_UNAUDITED: Final = frozenset({Role.VIEWER, Role.INGEST})


def note_change(request: Request, *, before: object = None, after: object = None) -> None:
    """Tell the audit log what a handler changed; secrets are masked when it is written."""
    request.scope[_NOTED] = {"before": before, "after": after}


def change_made(scope: MutableMapping[str, Any], *, status: int) -> Change | None:
    """The change that a finished request stands for; None for reading and for samples."""
    if scope["method"] in SAFE_METHODS:
        return None
    route = scope.get("route")
    need = declared(getattr(route, "dependencies", ()))
    if need is not None and set(need.roles) <= _UNAUDITED:
        return None
    if need is None and status in (404, 405):
        return None
    noted: Mapping[str, object] = scope.get(_NOTED, {})
    caller = scope.get(CALLER)
    return Change(
        who=_name(caller),
        address=caller.address if isinstance(caller, Caller) else _peer(scope),
        action=f"{scope['method']} {getattr(route, 'path', scope['path'][:200])}",
        target=scope["path"][:1000],
        status=status,
        before=noted.get("before"),
        after=noted.get("after"),
    )


def _name(caller: object) -> str:
    if not isinstance(caller, Caller) or caller.role is None:
        return "nobody"
    return caller.token_id or "loopback"


def _peer(scope: Mapping[str, Any]) -> str:
    client = scope.get("client")
    return str(client[0]) if client else ""
