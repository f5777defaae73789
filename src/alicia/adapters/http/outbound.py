"""The only door for outgoing requests: targets judged, answers capped, nothing followed.

Source: security.md §5.
"""

import asyncio
import re
import ssl
from collections.abc import AsyncIterable, Callable, Iterable, Mapping
from contextlib import AsyncExitStack, aclosing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, Final, final

from alicia.adapters.http.errors import HttpError
from alicia.adapters.http.inflate import inflate
from alicia.adapters.http.targets import Allow, Target, judge, parse_target
from alicia.base.errors import BadField, Unavailable
from alicia.base.version import __version__

if TYPE_CHECKING:
    import httpcore

    from alicia.adapters.http.vetted import Resolver

TIMEOUT_MS_DEFAULT: Final = 10_000
ANSWER_BYTES_MAX: Final = 64 * 1024
PER_HOST_MAX: Final = 4
_CONNECTIONS_MAX: Final = 100
_KEEP_SECONDS: Final = 30.0
_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}")
_VALUE: Final = re.compile(r"[\t -~\x80-\xff]{0,8192}")
# These frame the message or choose the server; they are ours to write.
_OURS: Final = frozenset(
    {"host", "content-length", "transfer-encoding", "connection", "upgrade", "te", "trailer"}
)


class OutboundFailed(Unavailable):
    """No whole answer came; the request may have arrived all the same.

    ``reason`` is one of ``unresolved connect tls timeout protocol``.
    """

    code: ClassVar[str] = "outbound_failed"

    def __init__(self, message: str, *, reason: str) -> None:
        super().__init__(message)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class OutboundReply:
    """An answer; names of headers are in small letters. ``cut``: the body was longer than asked."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    cut: bool = False


@final
class Outbound:
    """Sends requests for one service; belongs to one event loop.

    ``local_ok`` says whether addresses of this machine and of private networks may be reached by
    anybody's request: they may while nobody else can reach us (``lambda: not guard.exposed``).
    """

    def __init__(
        self,
        *,
        allow: Iterable[str] = (),
        local_ok: Callable[[], bool],
        resolve: "Resolver | None" = None,
        tls: Callable[[], ssl.SSLContext] = ssl.create_default_context,
    ) -> None:
        self._allow = Allow(allow)
        self._local_ok = local_ok
        self._resolve = resolve
        self._tls = tls
        self._pools: dict[tuple[str, bool], httpcore.AsyncConnectionPool] = {}
        self._slots: dict[str, asyncio.Semaphore] = {}

    def check(self, url: str, *, field: str = "url") -> None:
        """Refuse a URL that could never be asked, as soon as somebody enters it.

        Raises:
            OutboundRefused: with the reason and the fix. A name is judged when it is resolved.
        """
        target = parse_target(url, field=field)
        if target.address is not None:
            judge(
                target, [target.address], allow=self._allow, local_ok=self._local_ok(), field=field
            )

    async def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        timeout_ms: int = TIMEOUT_MS_DEFAULT,
        max_bytes: int = ANSWER_BYTES_MAX,
        owners_word: bool = False,
    ) -> OutboundReply:
        """Send one request and read at most ``max_bytes`` of the answer, inflated.

        Redirects come back as they are. ``owners_word``: the URL comes from a settings file or
        flag, or the request is a health poll, so that local addresses are fine.

        Raises:
            OutboundRefused: the target may not be asked.
            OutboundFailed: there was no answer in time, or none that is HTTP.
            BadField: the method or a header cannot be sent.
        """
        target = parse_target(url)
        sent = checked_headers(headers or {})
        if method not in _METHODS:
            raise BadField("method", f"method: {method[:20]!r} is not sent", reason="bad_method")
        local_ok = owners_word or self._local_ok()
        if target.address is not None:
            judge(target, [target.address], allow=self._allow, local_ok=local_ok)
        try:
            async with asyncio.timeout(timeout_ms / 1000), self._slot(target):
                reply = await self._send(
                    method, target, sent, body, max_bytes=max_bytes, local_ok=local_ok
                )
                return _inflated(reply, max_bytes)
        except TimeoutError:
            raise OutboundFailed(
                f"{target.origin} did not answer within {timeout_ms} ms", reason="timeout"
            ) from None

    async def close(self) -> None:
        """Close all connections; safe to call twice."""
        pools, self._pools = self._pools, {}
        async with AsyncExitStack() as stack:
            for pool in pools.values():
                stack.push_async_callback(pool.aclose)

    def _slot(self, target: Target) -> asyncio.Semaphore:
        if len(self._slots) > 1000:
            self._slots = {key: slot for key, slot in self._slots.items() if slot.locked()}
        return self._slots.setdefault(target.origin, asyncio.Semaphore(PER_HOST_MAX))

    async def _send(
        self,
        method: str,
        target: Target,
        headers: list[tuple[bytes, bytes]],
        body: bytes,
        *,
        max_bytes: int,
        local_ok: bool,
    ) -> OutboundReply:
        import httpcore

        url = f"{target.scheme}://{target.origin}{target.path}"
        headers = [(b"Host", target.authority.encode()), *headers]
        if body or method in ("POST", "PUT", "PATCH"):
            headers = [*headers, (b"Content-Length", str(len(body)).encode())]
        try:
            pool = self._pool(target.scheme, local_ok)
            async with pool.stream(method, url, headers=headers, content=body) as reply:
                async with aclosing(reply.aiter_stream()) as parts:  # type: ignore[type-var]
                    raw, cut = await _read(parts, max_bytes)
                found = {k.decode("latin-1").lower(): v.decode("latin-1") for k, v in reply.headers}
                return OutboundReply(reply.status, found, raw, cut)
        except httpcore.ConnectError as error:
            tls = any(isinstance(part, ssl.SSLError) for part in error.args)
            reason = "tls" if tls else "connect"
            raise OutboundFailed(f"{target.origin}: {error}", reason=reason) from None
        except (httpcore.ProtocolError, httpcore.NetworkError, httpcore.TimeoutException) as error:
            raise OutboundFailed(
                f"{target.origin}: {type(error).__name__} {error}", reason="protocol"
            ) from None

    def _pool(self, scheme: str, local_ok: bool) -> "httpcore.AsyncConnectionPool":
        """Connections are shared only among requests judged alike."""
        pool = self._pools.get((scheme, local_ok))
        if pool is None:
            import httpcore

            from alicia.adapters.http.vetted import VettedBackend, resolve_all

            pool = httpcore.AsyncConnectionPool(
                ssl_context=self._tls() if scheme == "https" else None,
                max_connections=_CONNECTIONS_MAX,
                keepalive_expiry=_KEEP_SECONDS,
                network_backend=VettedBackend(
                    allow=self._allow, local_ok=local_ok, resolve=self._resolve or resolve_all
                ),
            )
            self._pools[scheme, local_ok] = pool
        return pool


def checked_headers(headers: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
    """The headers of a request as they are sent, with ours where none were given.

    Raises:
        BadField: a name or value holds CR, LF, NUL or other forbidden characters, or frames the
            message.
    """
    sent = {"user-agent": f"alicia/{__version__}", "accept": "*/*", "accept-encoding": "identity"}
    for name, value in headers.items():
        if not _NAME.fullmatch(name) or name.lower() in _OURS:
            raise BadField(
                ("headers", name[:100]), f"headers: {name[:100]!r} is not sent", reason="bad_header"
            )
        if not _VALUE.fullmatch(value):
            raise BadField(
                ("headers", name),
                f"headers: the value of {name} may hold visible latin characters only, up to 8 KiB",
                reason="bad_header",
            )
        sent[name.lower()] = value
    return [(name.encode(), value.encode("latin-1")) for name, value in sent.items()]


async def _read(parts: AsyncIterable[bytes], max_bytes: int) -> tuple[bytes, bool]:
    """At most ``max_bytes``, and whether there was more."""
    body = bytearray()
    async for part in parts:
        body += part
        if len(body) > max_bytes:
            return bytes(body[:max_bytes]), True
    return bytes(body), False


def _inflated(reply: OutboundReply, max_bytes: int) -> OutboundReply:
    encoding = reply.headers.get("content-encoding", "")
    if not encoding or reply.cut:
        return reply
    try:
        return replace(reply, body=inflate(reply.body, encoding, bytes_max=max_bytes))
    except HttpError as error:
        raise OutboundFailed(f"the answer cannot be inflated: {error}", reason="protocol") from None
