"""Connections to vetted addresses only: the address that was judged is the one connected to.

Loaded with the first outgoing request, since httpcore is of no use before.
"""

import asyncio
import ipaddress
import socket
import ssl
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any, final

import httpcore
from httpcore import AnyIOBackend, AsyncNetworkBackend, AsyncNetworkStream

from alicia.adapters.http.addresses import Address, parse_address
from alicia.adapters.http.targets import Allow, Target, judge

Resolver = Callable[[str, int], Awaitable[Sequence[Address]]]


@final
class VettedBackend(AsyncNetworkBackend):
    """Resolves a name once, judges every address, and connects to one of those.

    A name that resolves to something else a moment later changes nothing.
    """

    def __init__(self, *, allow: Allow, local_ok: bool, resolve: Resolver) -> None:
        self._allow = allow
        self._local_ok = local_ok
        self._resolve = resolve
        self._inner = AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109  (httpcore's signature)
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> AsyncNetworkStream:
        """Connect to the first address of ``host`` that answers.

        Raises:
            OutboundRefused: one of the addresses may not be reached.
            httpcore.ConnectError: there is no address, or none answers.
        """
        literal = parse_address(host)
        addresses = [literal] if literal else await self._resolve(host, port)
        target = Target(scheme="", host=host, port=port, path="", address=literal)
        judge(target, addresses, allow=self._allow, local_ok=self._local_ok)
        fault = httpcore.ConnectError("the name has no address")
        for address in addresses:
            try:
                stream = await self._inner.connect_tcp(
                    str(address), port, timeout, local_address, socket_options
                )
                return _OwnedStream(stream)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                fault = httpcore.ConnectError(f"cannot connect to {address}: {error}")
        raise fault

    async def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,  # noqa: ASYNC109  (httpcore's signature)
        socket_options: Iterable[Any] | None = None,
    ) -> AsyncNetworkStream:
        """Never: no URL names one."""
        raise httpcore.ConnectError("no requests to sockets of this machine")

    async def sleep(self, seconds: float) -> None:
        """Wait, as httpcore does between retries."""
        await asyncio.sleep(seconds)


@final
class _OwnedStream(AsyncNetworkStream):
    """A connection that is closed also when its TLS handshake is cancelled; httpcore forgets."""

    def __init__(self, inner: AsyncNetworkStream) -> None:
        self._inner = inner

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109
        return await self._inner.read(max_bytes, timeout)

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109
        await self._inner.write(buffer, timeout)

    async def aclose(self) -> None:
        await self._inner.aclose()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109
    ) -> AsyncNetworkStream:
        try:
            return await self._inner.start_tls(ssl_context, server_hostname, timeout)
        except asyncio.CancelledError:
            await self._inner.aclose()
            raise

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


async def resolve_all(host: str, port: int) -> Sequence[Address]:
    """Every address of a name, as the system resolves it; empty where it has none."""
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return ()
    texts = dict.fromkeys(str(address[0]) for *_, address in found)
    return tuple(ipaddress.ip_address(text.partition("%")[0]) for text in texts)
