"""Sign in with a token, ask who one is, sign out."""

from http import HTTPStatus

from fastapi import APIRouter, Request
from starlette.responses import Response

from alicia.adapters.http.body import read_object
from alicia.adapters.http.guard import Guard
from alicia.adapters.http.json_response import Json
from alicia.adapters.http.roles import CALLER, Caller, Role, caller_of, needs
from alicia.adapters.http.sessions import COOKIE, SESSION_MS
from alicia.base.errors import BadField
from alicia.base.times import seconds

_TOKEN_CHARS_MAX = 256


def session_router(guard: Guard) -> APIRouter:
    """``/session`` of one service; a session signed by one service is good at the other."""
    router = APIRouter(tags=["session"])

    @router.post("/session", dependencies=[needs(Role.PUBLIC)])
    async def sign_in(request: Request) -> Response:
        """Swap a token for a session cookie."""
        secret = (await read_object(request)).get("token")
        if not isinstance(secret, str) or not 0 < len(secret) <= _TOKEN_CHARS_MAX:
            raise BadField("token", "token: send the token as text", reason="bad_token")
        address = caller_of(request).address
        token = await guard.verify(secret.strip(), address)
        request.scope[CALLER] = Caller(token.role, address, token_id=token.id)  # for the audit log
        now_ms = guard.clock.now_ms()
        expires_ms = min(token.expires_ms, now_ms + SESSION_MS)
        cookie = guard.sessions.sign(token.id, expires_ms=expires_ms)
        reply = {
            "role": token.role.value,
            "service": token.service or None,
            "expires": seconds(expires_ms),
        }
        age = (expires_ms - now_ms) // 1000
        return Json(
            reply, headers={"Set-Cookie": _cookie(cookie, age, secure=guard.https(request.scope))}
        )

    @router.get("/session", dependencies=[needs(Role.PUBLIC)])
    async def who(request: Request) -> dict[str, object]:
        """The caller's role (null: has to sign in), so that a page shows what it may do."""
        caller = caller_of(request)
        return {
            "role": caller.role.value if caller.role else None,
            "service": caller.service or None,
            "signed_in": bool(caller.token_id),
            "exposed": guard.exposed,
            "insecure": guard.insecure,
        }

    @router.delete("/session", status_code=HTTPStatus.NO_CONTENT, dependencies=[needs(Role.PUBLIC)])
    async def sign_out(request: Request) -> Response:
        """Forget the session cookie."""
        header = _cookie("", 0, secure=guard.https(request.scope))
        return Response(status_code=HTTPStatus.NO_CONTENT, headers={"Set-Cookie": header})

    return router


def _cookie(value: str, max_age_seconds: int, *, secure: bool) -> str:
    tail = "; Secure" if secure else ""
    return f"{COOKIE}={value}; Max-Age={max_age_seconds}; Path=/; HttpOnly; SameSite=Strict{tail}"
