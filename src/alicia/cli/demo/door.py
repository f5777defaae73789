"""The HTTP side of a simulated service: ``GET /health``, and ``POST /stop`` to make it crash.

On loopback only and for one request per connection, so it needs no server of ours.
"""

import asyncio
from collections.abc import Callable
from typing import Final

import msgspec

from alicia.cli.demo.messages import Payload

_SECONDS_MAX: Final = 5.0
_HEAD_BYTES_MAX: Final = 8 * 1024


class Door:
    """One listening port; ``open`` takes the hinted one if it is free."""

    def __init__(self, health: Callable[[], Payload], stop: Callable[[], None]) -> None:
        self._health = health
        self._stop = stop
        self._server: asyncio.Server | None = None

    async def open(self, hint: int) -> int:
        """Listen; returns the real port."""
        try:
            self._server = await self._listen(hint)
        except OSError:
            self._server = await self._listen(0)
        port = self._server.sockets[0].getsockname()[1]
        assert isinstance(port, int)
        return port

    def close(self) -> None:
        """Stop listening."""
        if self._server is not None:
            self._server.close()
            self._server = None

    async def _listen(self, port: int) -> asyncio.Server:
        return await asyncio.start_server(self._serve, "127.0.0.1", port, limit=_HEAD_BYTES_MAX)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(_SECONDS_MAX):
                head = await reader.readuntil(b"\r\n\r\n")
                status, body = self._answer(head.split(b"\r\n", 1)[0])
                writer.write(
                    f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\n"
                    f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode()
                    + body
                )
                await writer.drain()
        except (TimeoutError, OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass  # a caller that does not speak HTTP gets nothing
        finally:
            writer.close()

    def _answer(self, line: bytes) -> tuple[str, bytes]:
        match line.split(b" ")[:2]:
            case [b"GET", b"/health"]:
                return "200 OK", msgspec.json.encode(self._health())
            case [b"POST", b"/stop"]:
                asyncio.get_running_loop().call_soon(self._stop)
                return "202 Accepted", b'{"stopping":true}'
        return "404 Not Found", b'{"error":"try GET /health or POST /stop"}'
