"""Who may call a route: every route declares it, and a route that does not stops the start."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Any, ClassVar, Final

from fastapi import Depends, Request
from fastapi.params import Depends as DependsParam

from alicia.adapters.http.content_types import JSON_ONLY, check_type
from alicia.adapters.http.errors import Unauthorized
from alicia.base.errors import AliciaError, Denied

CALLER: Final = "alicia.caller"  # key of the Caller in an ASGI scope


class Role(Enum):
    """What a caller may do; each of the first four includes the ones before it.

    Source: security.md §3.
    """

    VIEWER = "viewer"
    OPERATOR = "operator"
    EDITOR = "editor"
    ADMIN = "admin"
    INGEST = "ingest"  # apart: writes samples, sees nothing
    PUBLIC = "public"  # of routes only: anybody, without credentials


_HELD: Final[dict[Role, frozenset[Role]]] = {
    Role.VIEWER: frozenset({Role.VIEWER}),
    Role.OPERATOR: frozenset({Role.VIEWER, Role.OPERATOR}),
    Role.EDITOR: frozenset({Role.VIEWER, Role.OPERATOR, Role.EDITOR}),
    # The owner may also send samples by hand; nobody else sends in a service's name.
    Role.ADMIN: frozenset({Role.VIEWER, Role.OPERATOR, Role.EDITOR, Role.ADMIN, Role.INGEST}),
    Role.INGEST: frozenset({Role.INGEST}),
}


@dataclass(frozen=True, slots=True)
class Caller:
    """Whoever sent a request, as far as credentials tell.

    ``role`` is None for somebody without credentials where credentials are needed. ``service``
    is the one an ingest token is bound to: samples of its holder carry that label, whatever
    they claim. ``token_id`` is empty for callers on an open loopback.
    """

    role: Role | None
    address: str
    token_id: str = ""
    service: str = ""

    def holds(self, role: Role) -> bool:
        """Whether this caller may do what ``role`` may."""
        return role is Role.PUBLIC or (self.role is not None and role in _HELD[self.role])


class UndeclaredRole(AliciaError):
    """A route says nothing about who may call it, so the service does not start."""

    code: ClassVar[str] = "undeclared_role"


class Need:
    """The dependency that holds one route's declaration and enforces it."""

    def __init__(self, roles: tuple[Role, ...], types: tuple[str, ...]) -> None:
        self.roles = roles
        self.types = types

    async def __call__(self, request: Request) -> None:
        """Let the caller pass, or raise.

        Raises:
            Unauthorized: no credentials came with the request.
            Denied: the caller's role does not suffice.
            WrongType: the body's content type is not one the route takes.
        """
        caller = caller_of(request)
        if not any(caller.holds(role) for role in self.roles):
            raise _refusal(caller, self.roles)
        check_type(request.scope["headers"], self.types)


def needs(*roles: Role, types: tuple[str, ...] = JSON_ONLY) -> Any:
    """Declare who may call a route: the holder of any of ``roles``.

    ``types`` are the content types of a body that the route takes; whatever is not JSON rests
    on the Origin check alone, so name only what the route reads.
    """
    assert roles, "a route needs a role; Role.PUBLIC is one"
    return Depends(Need(roles, types))


def caller_of(request: Request) -> Caller:
    """Who sent ``request``; somebody unknown where no guard stood before the route."""
    caller = request.scope.get(CALLER)
    return caller if isinstance(caller, Caller) else Caller(None, "")


def declared(dependencies: Iterable[DependsParam]) -> Need | None:
    """The declaration among a route's dependencies."""
    for item in dependencies:
        if isinstance(item.dependency, Need):
            return item.dependency
    return None


def _refusal(caller: Caller, roles: tuple[Role, ...]) -> AliciaError:
    wanted = " or ".join(role.value for role in roles)
    if caller.role is None:
        return Unauthorized(
            f"this needs a token of role {wanted}: sign in, or send Authorization: Bearer …;"
            " alicia token create makes one"
        )
    return Denied(f"this needs the role {wanted}; your token has {caller.role.value}")
