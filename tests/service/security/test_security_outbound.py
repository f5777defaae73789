"""Outgoing requests against real servers of ours, some of them hostile (security.md §5; S4)."""

import asyncio
import gzip
import ipaddress
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager

import pytest

from alicia.adapters.http.addresses import Address
from alicia.adapters.http.outbound import Outbound, OutboundFailed
from alicia.adapters.http.targets import OutboundRefused
from alicia.base.errors import BadField

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
LOCAL = ipaddress.ip_address("127.0.0.1")


class Peer:
    """A server that answers every request with the same bytes and remembers what came."""

    def __init__(self, answer: bytes, *, hold: asyncio.Event | None, at_once: bool) -> None:
        self.answer = answer
        self.hold = hold
        self.at_once = at_once
        self.seen: list[bytes] = []
        self.port = 0
        self.open = self.most = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.open += 1
        self.most = max(self.most, self.open)
        try:
            if not self.at_once:
                self.seen.append(await reader.readuntil(b"\r\n\r\n"))
            if self.hold is not None:
                await self.hold.wait()
            writer.write(self.answer)
            await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # the other side gave up, which some tests want
        finally:
            self.open -= 1
            writer.close()


@asynccontextmanager
async def peer(
    answer: bytes, *, hold: asyncio.Event | None = None, at_once: bool = False
) -> AsyncIterator[Peer]:
    made = Peer(answer, hold=hold, at_once=at_once)
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    made.port = server.sockets[0].getsockname()[1]
    try:
        yield made
    finally:
        server.close()
        await server.wait_closed()


@asynccontextmanager
async def outbound(
    *,
    local_ok: bool = True,
    allow: tuple[str, ...] = (),
    resolve: Callable[[str, int], Awaitable[Sequence[Address]]] | None = None,
) -> AsyncIterator[Outbound]:
    made = Outbound(allow=allow, local_ok=lambda: local_ok, resolve=resolve)
    try:
        yield made
    finally:
        await made.close()


async def test_a_request_arrives_as_it_was_meant() -> None:
    async with peer(OK) as target, outbound() as door:
        url = f"http://127.0.0.1:{target.port}/a?b=c"
        reply = await door.request("POST", url, headers={"X-Key": "k"}, body=b"hello")
    assert (reply.status, reply.body, reply.cut) == (200, b"ok", False)
    head = target.seen[0].decode().lower()
    assert head.startswith("post /a?b=c http/1.1\r\n")
    assert f"host: 127.0.0.1:{target.port}\r\n" in head
    assert head.count("host:") == head.count("content-length:") == 1
    assert "x-key: k\r\n" in head
    assert "cookie" not in head


async def test_a_name_that_flips_is_caught_at_the_connection() -> None:
    """8.8.8.8 when the URL was entered, 127.0.0.1 when it is asked (DNS rebinding)."""
    answers = [[ipaddress.ip_address("8.8.8.8")], [LOCAL]]
    asked: list[str] = []

    async def resolve(host: str, _port: int) -> Sequence[Address]:
        asked.append(host)
        return answers[min(len(asked) - 1, 1)]

    async with peer(OK) as target, outbound(local_ok=False, resolve=resolve) as door:
        assert await resolve("flip.example", 80) == answers[0]
        with pytest.raises(OutboundRefused, match=r"127\.0\.0\.1"):
            await door.request("GET", f"http://flip.example:{target.port}/")
        assert target.seen == []
    assert len(asked) == 2, "resolved once per connection; the answer judged is the one used"


async def test_the_vetted_address_is_the_one_connected_to() -> None:
    async def resolve(_host: str, _port: int) -> Sequence[Address]:
        return [LOCAL]

    async with peer(OK) as target, outbound(resolve=resolve) as door:
        url = f"http://no-such-name.invalid:{target.port}/"
        assert (await door.request("GET", url)).status == 200
    assert f"host: no-such-name.invalid:{target.port}".encode() in target.seen[0].lower()


async def test_a_connection_opened_for_the_owner_serves_nobody_else() -> None:
    keep = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
    async with peer(keep) as target, outbound(local_ok=False) as door:
        url = f"http://127.0.0.1:{target.port}/"
        assert (await door.request("GET", url, owners_word=True)).status == 200
        with pytest.raises(OutboundRefused, match="OUTBOUND_ALLOW"):
            await door.request("GET", url)
        named = Outbound(allow=[f"127.0.0.1:{target.port}"], local_ok=lambda: False)
        assert (await named.request("GET", url)).status == 200
        await named.close()


async def test_redirects_are_not_followed() -> None:
    async with peer(OK) as inside:
        moved = f"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:{inside.port}/\r\n"
        async with (
            peer((moved + "Content-Length: 0\r\n\r\n").encode()) as target,
            outbound() as door,
        ):
            reply = await door.request("GET", f"http://127.0.0.1:{target.port}/")
    assert reply.status == 302
    assert inside.seen == []


async def test_an_answer_is_cut_at_its_cap() -> None:
    endless = b"HTTP/1.1 200 OK\r\n\r\n" + b"a" * 300_000
    async with peer(endless) as target, outbound() as door:
        reply = await door.request("GET", f"http://127.0.0.1:{target.port}/", max_bytes=1000)
    assert (len(reply.body), reply.cut) == (1000, True)


async def test_a_compressed_answer_is_inflated_under_the_same_cap() -> None:
    def answer(content: bytes) -> bytes:
        squeezed = gzip.compress(content)
        head = f"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {len(squeezed)}"
        return head.encode() + b"\r\n\r\n" + squeezed

    async with peer(answer(b"hello")) as target, outbound() as door:
        assert (await door.request("GET", f"http://127.0.0.1:{target.port}/")).body == b"hello"
    async with peer(answer(bytes(10_000_000))) as target, outbound() as door:
        with pytest.raises(OutboundFailed, match="larger than"):
            await door.request("GET", f"http://127.0.0.1:{target.port}/")


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"nonsense\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nX: " + b"a" * 500_000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: br\r\nContent-Length: 2\r\n\r\nok",
    ],
)
async def test_a_strange_answer_is_a_typed_failure(answer: bytes) -> None:
    async with peer(answer) as target, outbound() as door:
        with pytest.raises(OutboundFailed) as caught:
            await door.request("GET", f"http://127.0.0.1:{target.port}/")
    assert caught.value.reason == "protocol"


async def test_waiting_has_an_end() -> None:
    hold = asyncio.Event()
    async with peer(OK, hold=hold) as target, outbound() as door:
        with pytest.raises(OutboundFailed, match="100 ms") as caught:
            await door.request("GET", f"http://127.0.0.1:{target.port}/", timeout_ms=100)
        hold.set()
    assert caught.value.reason == "timeout"


async def test_four_at_once_per_host() -> None:
    hold = asyncio.Event()
    async with peer(OK, hold=hold) as slow, peer(OK) as quick, outbound() as door:
        url = f"http://127.0.0.1:{slow.port}/"
        waiting = [asyncio.create_task(door.request("GET", url)) for _ in range(9)]
        # Another host answers meanwhile, and by then the four have arrived.
        while len(slow.seen) < 4:
            assert (await door.request("GET", f"http://127.0.0.1:{quick.port}/")).status == 200
        hold.set()
        assert {reply.status for reply in await asyncio.gather(*waiting)} == {200}
    assert slow.most == 4
    assert len(slow.seen) == 9


@pytest.mark.parametrize(
    ("url", "reason"),
    [("http://127.0.0.1:1/", "connect"), ("http://nobody.invalid/", "connect")],
)
async def test_nobody_there(url: str, reason: str) -> None:
    async def resolve(_host: str, _port: int) -> Sequence[Address]:
        return ()

    async with outbound(resolve=resolve) as door:
        with pytest.raises(OutboundFailed) as caught:
            await door.request("GET", url)
    assert caught.value.reason == reason


async def test_tls_is_verified() -> None:
    async with peer(OK, at_once=True) as target, outbound() as door:
        with pytest.raises(OutboundFailed) as caught:
            await door.request("GET", f"https://127.0.0.1:{target.port}/")
    assert caught.value.reason == "tls"


async def test_a_silent_handshake_ends_too() -> None:
    async with peer(OK) as target, outbound() as door:
        with pytest.raises(OutboundFailed) as caught:
            await door.request("GET", f"https://127.0.0.1:{target.port}/", timeout_ms=100)
    assert caught.value.reason == "timeout"


async def test_what_is_never_asked() -> None:
    async with outbound() as door:
        for url in ("http://169.254.169.254/", "http://0x7f.1/", "ftp://x/", "http://a@b/"):
            with pytest.raises(OutboundRefused):
                await door.request("GET", url)
            with pytest.raises(OutboundRefused) as caught:
                door.check(url, field="action.url")
            assert caught.value.loc == ("action.url",)
        with pytest.raises(BadField, match="method"):
            await door.request("GET /evil", "http://127.0.0.1/")
