"""The outermost layer of an app: guards requests, dresses answers, and catches what escapes."""

import logging
from collections.abc import Awaitable, Callable, MutableMapping
from http import HTTPStatus
from typing import Any, Final, final

from alicia.adapters.http.audited import change_made
from alicia.adapters.http.errors import answer, plain_answer
from alicia.adapters.http.guard import Guard, too_large
from alicia.adapters.http.roles import CALLER
from alicia.adapters.http.security_headers import HSTS, NO_STORE, SECURITY_HEADERS
from alicia.base.counters import Counters
from alicia.base.errors import AliciaError
from alicia.base.limits import BODY_BYTES_MAX

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

_CLOSE: Final = (b"connection", b"close")
# A client that sends on while we refuse would see a reset instead of the answer.
_DRAIN_BYTES_MAX: Final = 4 * BODY_BYTES_MAX
_log: Final = logging.getLogger(__name__)


@final
class Front:
    """One ASGI middleware for everything that holds on every route.

    Families counted: ``http_answers`` by status, ``http_errors`` by code.
    """

    def __init__(self, app: App, *, guard: Guard, counters: Counters) -> None:
        self._app = app
        self._guard = guard
        self._counters = counters

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; never raises but for cancellation."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        exchange = _Exchange(scope, receive, send, https=self._guard.https(scope))
        if scope["method"] == "HEAD":
            scope = {**scope, "method": "GET"}  # the same answer, of which the body is not sent
        try:
            scope[CALLER] = await self._guard.check(scope)
        except AliciaError as error:
            self._counters.add("http_errors", error.code)
            await exchange.refuse(error)
        except OSError as error:  # the file of tokens cannot be read
            await self._fault(exchange, error)
        else:
            await self._serve(scope, exchange)
        self._counters.add("http_answers", str(exchange.status))
        if self._guard.audit is not None:
            change = change_made(scope, status=exchange.status)
            if change is not None:
                self._guard.audit.record(change)

    async def _serve(self, scope: Scope, exchange: "_Exchange") -> None:
        try:
            await self._app(scope, exchange.receive, exchange.send)
        except Exception as error:  # the outermost frame of a request
            await self._fault(exchange, error)

    async def _fault(self, exchange: "_Exchange", error: Exception) -> None:
        self._counters.add("http_errors", "internal")
        _log.error("a request failed", exc_info=error, extra={"code": "http_internal"})
        if exchange.status:
            raise error  # half an answer is sent: only closing the connection tells the client
        await exchange.fail()


@final
class _Exchange:
    """One request and its answer; ``status`` is 0 until the answer begins."""

    def __init__(self, scope: Scope, receive: Receive, send: Send, *, https: bool) -> None:
        self._scope = scope
        self._receive = receive
        self._send = send
        self._https = https
        self._head_only = scope["method"] == "HEAD"
        self._received_bytes = 0
        self._more_body = True
        self._close = False
        self.status = 0

    async def receive(self) -> Message:
        """The next part of the body.

        Raises:
            BodyTooLarge: together the parts are larger than we take.
        """
        message = await self._next()
        if self._received_bytes > BODY_BYTES_MAX:
            self._close = True
            raise too_large(BODY_BYTES_MAX)
        return message

    async def send(self, message: Message) -> None:
        """Pass a part of the answer on, with the headers every answer has."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            message["headers"] = self._dressed(message.get("headers") or [])
        elif self._head_only:
            return  # ended below already
        if self._close and message["type"] == "http.response.body" and not message.get("more_body"):
            # The client has its answer now, and the connection ends once it has sent its body.
            await self._send({**message, "more_body": True})
            await self._drain()
            message = {"type": "http.response.body", "body": b"", "more_body": False}
        await self._send(message)
        if self._head_only:
            await self._send({"type": "http.response.body", "body": b"", "more_body": False})

    async def refuse(self, error: AliciaError) -> None:
        """Answer a request whose body was not read."""
        self._close = self._has_body()
        await answer(error, path=self._scope["path"])(self._scope, self._receive, self.send)

    async def fail(self) -> None:
        """Answer a request that met a fault of ours; nothing of the fault is shown."""
        self._close = self._has_body()
        reply = plain_answer(
            HTTPStatus.INTERNAL_SERVER_ERROR,
            "this is a fault of the service, not of the request; its log has the details",
            path=self._scope["path"],
        )
        await reply(self._scope, self._receive, self.send)

    async def _next(self) -> Message:
        message = await self._receive()
        if message["type"] == "http.request":
            self._received_bytes += len(message.get("body") or b"")
            self._more_body = bool(message.get("more_body"))
        else:
            self._more_body = False
        return message

    async def _drain(self) -> None:
        if not self._received_bytes and any(n == b"expect" for n, _ in self._scope["headers"]):
            return  # the client asked first, and sends nothing after a refusal
        while self._more_body and self._received_bytes < _DRAIN_BYTES_MAX:
            await self._next()

    def _has_body(self) -> bool:
        return any(
            name == b"transfer-encoding" or (name == b"content-length" and value != b"0")
            for name, value in self._scope["headers"]
        )

    def _dressed(self, headers: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
        dressed = [*headers, *SECURITY_HEADERS]
        if not any(name == b"cache-control" for name, _ in headers):
            dressed.append(NO_STORE)
        if self._https:
            dressed.append(HSTS)
        if self._close:
            dressed.append(_CLOSE)
        return dressed
