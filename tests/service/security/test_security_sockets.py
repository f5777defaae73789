"""What only a real connection shows: deadlines, smuggling, lying lengths, start and stop."""

import asyncio
import os
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from tests.service.security.guarded import Service, raw_connection

from alicia.adapters.http.bind import PortBusy, bind
from alicia.adapters.http.crowd import Crowd
from alicia.adapters.http.guard import OpenToAll
from alicia.adapters.http.protocol import make_protocol
from alicia.adapters.http.roles import Role
from alicia.adapters.http.server import HttpServer
from alicia.base.errors import BadField

HEAD = b"GET /health HTTP/1.1\r\nHost: localhost\r\n"


@asynccontextmanager
async def running(
    service: Service, *, host: str = "127.0.0.1", **deadlines: float | Crowd
) -> AsyncIterator[HttpServer]:
    server = HttpServer(
        service.app,
        host,
        0,
        guard=service.guard,
        protocol=make_protocol(**deadlines),  # type: ignore[arg-type]
    )
    await server.start()
    try:
        yield server
    finally:
        await server.stop(grace=1.0)


def port_of(server: HttpServer) -> int:
    return httpx.URL(server.url).port or 0


# Smuggling (S25)


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n"
        b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /health HTTP/1.1\r\n\r\n",
        b"POST /echo HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n"
        b"Content-Length: 5\r\n\r\n0\r\n\r\n",
        b"POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n"
        b"Content-Length: 6\r\n\r\nhello",
        b"POST /echo HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
        b"POST /echo HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
        b"POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: +5\r\n\r\nhello",
        b"POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5, 5\r\n\r\nhello",
        b"GET /health HTTP/1.1\r\nHost: localhost\r\n X: folded\r\n\r\n",
        b"GET /health HTTP/1.1\r\nHost: localhost\r\nX: a\rb\r\n\r\n",
        b"GET /health HTTP/1.1\r\nHost: localhost\r\nX\0: a\r\n\r\n",
        b"GET /health HTTP/1.1\nHost: localhost\n\x00\n\n",
        b"GET /\xff\xfe HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET  /health HTTP/9.9\r\nHost: localhost\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00",
        b"\x00" * 200 + b"\r\n\r\n",
    ],
)
async def test_what_is_no_plain_http_is_answered_once_and_closed(
    service: Service, request_bytes: bytes
) -> None:
    async with running(service) as server, raw_connection(port_of(server)) as exchange:
        reply = await exchange(request_bytes)
    assert reply.startswith(b"HTTP/1.1 400 ")
    assert reply.count(b"HTTP/1.1 ") == 1
    head = reply.partition(b"\r\n\r\n")[0].lower()
    assert b"connection: close" in head
    assert b"application/problem+json" in head
    assert b"content-security-policy" in head


async def test_a_request_without_a_host_is_refused(service: Service) -> None:
    async with running(service) as server, raw_connection(port_of(server)) as exchange:
        reply = await exchange(b"GET /health HTTP/1.0\r\n\r\n")
    assert reply.startswith(b"HTTP/1.1 421 ")


async def test_a_refused_body_closes_the_connection(service: Service) -> None:
    """What follows the refusal is body, however much it looks like a request."""
    async with running(service) as server, raw_connection(port_of(server)) as exchange:
        reply = await exchange(
            b"POST /echo HTTP/1.1\r\nHost: evil\r\nContent-Length: 40\r\n\r\n" + HEAD + b"\r\n"
        )
    assert reply.startswith(b"HTTP/1.1 421 ")
    assert reply.count(b"HTTP/1.1 ") == 1


async def test_an_endless_head_is_cut(service: Service) -> None:
    async with running(service) as server, raw_connection(port_of(server)) as exchange:
        reply = await exchange(HEAD + b"X: " + b"a" * 200_000)
    assert reply.startswith(b"HTTP/1.1 431 ")


@pytest.mark.parametrize(("size", "status"), [(64 * 1024 - 200, b"200"), (64 * 1024 + 1, b"431")])
async def test_a_large_head_that_comes_at_once_is_measured_too(
    service: Service, size: int, status: bytes
) -> None:
    end = b"\r\nConnection: close\r\n\r\n"
    large = b"GET /health HTTP/1.1\r\nHost: localhost\r\nX: "
    names = len(b"/healthHostlocalhostXConnectionclose")
    faults: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, fault: faults.append(fault))
    async with running(service) as server, raw_connection(port_of(server)) as exchange:
        reply = await exchange(large + b"a" * (size - names) + end)
    assert reply.startswith(b"HTTP/1.1 " + status)
    assert reply.count(b"HTTP/1.1 ") == 1
    assert faults == []


async def test_a_body_announced_too_large_is_refused_before_it_comes(service: Service) -> None:
    async with running(service) as server:
        reader, writer = await asyncio.open_connection("127.0.0.1", port_of(server))
        writer.write(
            b"POST /push HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999\r\n\r\nbegun"
        )
        head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5)
        assert head.startswith(b"HTTP/1.1 413 ")
        writer.close()


async def test_endless_chunks_are_cut(service: Service) -> None:
    """413 comes back although the client is still sending."""
    async with running(service) as server, raw_connection(port_of(server)) as exchange:
        chunk = b"100000\r\n" + b" " * 0x100000 + b"\r\n"
        reply = await exchange(
            b"POST /push HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
            + chunk * 12
            + b"0\r\n\r\n"
        )
    assert reply.startswith(b"HTTP/1.1 413 ")
    assert b"connection: close" in reply


async def test_who_asks_first_sends_nothing(service: Service) -> None:
    async with running(service) as server, raw_connection(port_of(server)) as exchange:
        reply = await exchange(
            b"POST /push HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999\r\n"
            b"Expect: 100-continue\r\n\r\n"
        )
    assert reply.startswith(b"HTTP/1.1 413 ")


# Deadlines (reliability.md §3)


@pytest.mark.parametrize("sent", [b"", b"GET", HEAD, b"\r\n\r\n"])
async def test_half_a_head_is_closed(service: Service, sent: bytes) -> None:
    async with (
        running(service, head_seconds=0.05) as server,
        raw_connection(port_of(server)) as exchange,
    ):
        assert await exchange(sent) == b""


async def test_blank_lines_do_not_stop_the_clock_between_requests(service: Service) -> None:
    async with running(service, head_seconds=0.05) as server:
        reader, writer = await asyncio.open_connection("127.0.0.1", port_of(server))
        writer.write(HEAD + b"\r\n")
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200 ")
        writer.write(b"\r\n")
        await reader.read(-1)  # ends, since the server closes
        writer.close()
        await writer.wait_closed()


async def test_a_stalled_body_is_closed_and_a_slow_one_is_not(service: Service) -> None:
    head = b"POST /push HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n"
    async with running(service, stall_seconds=0.2) as server:
        async with raw_connection(port_of(server)) as exchange:
            assert await exchange(head + b"\r\nhel") == b""
        reader, writer = await asyncio.open_connection("127.0.0.1", port_of(server))
        writer.write(head + b"Connection: close\r\n\r\n")
        for piece in (b"h", b"e", b"l", b"l", b"o"):
            await asyncio.sleep(0.08)  # together longer than the deadline
            writer.write(piece)
        assert (await reader.read(-1)).endswith(b'{"bytes":5}')
        writer.close()
        await writer.wait_closed()


async def test_who_takes_nothing_of_its_answer_is_closed(service: Service) -> None:
    crowd = Crowd()
    async with running(service, crowd=crowd, stall_seconds=0.1) as server:
        _, writer = await asyncio.open_connection("127.0.0.1", port_of(server), limit=1024)
        writer.write(b"GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n")
        while len(crowd) == 0:  # noqa: ASYNC110  (the server has no event for this)
            await asyncio.sleep(0.01)
        while len(crowd) > 0:  # noqa: ASYNC110  (nothing is read meanwhile; ends with the test)
            await asyncio.sleep(0.01)
        writer.close()
        await asyncio.gather(writer.wait_closed(), return_exceptions=True)
        async with httpx.AsyncClient(base_url=server.url) as client:
            assert len((await client.get("/large")).content) == 20_000_000, "a reader gets all"


async def test_half_requests_keep_nobody_out(service: Service) -> None:
    crowd = Crowd(connections_max=20, per_address_max=20)
    async with running(service, crowd=crowd) as server:
        held = [await asyncio.open_connection("127.0.0.1", port_of(server)) for _ in range(60)]
        for _, writer in held:
            writer.write(b"GET / HTT")
        async with httpx.AsyncClient(base_url=server.url) as client:
            for _ in range(5):
                assert (await client.get("/health")).status_code == 200
        assert len(crowd) <= 20
        assert crowd.closed_for_room >= 40
        for _, writer in held:
            writer.close()
            await asyncio.gather(writer.wait_closed(), return_exceptions=True)


# Start and stop


async def test_port_zero_takes_a_free_one(service: Service) -> None:
    server = HttpServer(service.app, "127.0.0.1", 0, guard=service.guard)
    port = await server.start()
    try:
        assert server.url == f"http://127.0.0.1:{port}"
        async with httpx.AsyncClient(base_url=server.url) as client:
            reply = await client.get("/health")
        assert reply.json() == {"status": "healthy"}
        assert "server" not in reply.headers
    finally:
        await server.stop()


async def test_a_busy_port_names_its_holder(service: Service) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        server = HttpServer(service.app, "127.0.0.1", port, guard=service.guard)
        with pytest.raises(PortBusy, match=rf"port {port} .*pid {os.getpid()}"):
            await server.start()
        await server.stop()  # never started: nothing to stop


async def test_a_stop_ends_streams_and_frees_the_port(service: Service) -> None:
    server = HttpServer(service.app, "127.0.0.1", 0, guard=service.guard)
    port = await server.start()
    async with (
        httpx.AsyncClient(base_url=server.url) as client,
        client.stream("GET", "/live") as stream,
    ):
        lines = stream.aiter_lines()
        assert await anext(lines) == "data: begun"
        await server.stop()
        assert "data: ended" in [line async for line in lines]
    await server.stop()
    bind("127.0.0.1", port).close()


async def test_a_stop_does_not_wait_for_the_endless(service: Service) -> None:
    server = HttpServer(service.app, "127.0.0.1", 0, guard=service.guard)
    await server.start()
    async with httpx.AsyncClient(base_url=server.url) as client:
        request = asyncio.create_task(client.get("/slow"))
        await service.app.state.entered.wait()
        begun = time.monotonic()
        await server.stop(grace=0.2)
        assert time.monotonic() - begun < 2
        result = await asyncio.gather(request, return_exceptions=True)
        assert isinstance(result[0], httpx.TransportError) or result[0].status_code >= 500


async def test_all_interfaces_need_a_token(exposed: Service) -> None:
    server = HttpServer(exposed.app, "0.0.0.0", 0, guard=exposed.guard)
    with pytest.raises(OpenToAll):
        await server.start()


@pytest.mark.parametrize(
    ("host", "loopback"),
    [("127.0.0.1", True), ("localhost", True), ("127.9.9.9", True), ("0.0.0.0", False)],
)
def test_the_bound_socket_is_judged(host: str, loopback: bool) -> None:
    listener = bind(host, 0)
    try:
        assert listener.loopback is loopback
        assert {item.getsockname()[1] for item in listener.sockets} == {listener.port}
    finally:
        listener.close()


@pytest.mark.parametrize("host", ["no.such.name.invalid", "203.0.113.9", "a" * 300, ""])
def test_a_host_that_is_not_ours_is_explained(host: str) -> None:
    with pytest.raises(BadField, match=r"HOST|cannot listen"):
        bind(host, 0)


def test_a_service_folder_is_made_private(tmp_path: Path) -> None:
    from alicia.adapters.clock import SystemClock, SystemRandom
    from alicia.adapters.http.guard import make_guard
    from alicia.adapters.settings import load_settings

    folder = tmp_path / "data"
    settings = load_settings({"DATA_DIR": str(folder)}, environment={}, folder=tmp_path)
    make_guard(settings, clock=SystemClock(), random=SystemRandom())
    assert folder.stat().st_mode & 0o777 == 0o700
    assert (folder / "session.key").stat().st_mode & 0o777 == 0o600


# TLS


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[Path, Path]:
    program = shutil.which("openssl")
    if program is None:
        pytest.skip("needs the openssl program")
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    fixed = (
        "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 1"
        " -subj /CN=localhost -addext subjectAltName=DNS:localhost,IP:127.0.0.1"
    )
    command = [program, *fixed.split(), "-keyout", str(key), "-out", str(cert)]
    subprocess.run(command, check=True, capture_output=True)
    return cert, key


async def test_tls(service: Service, certificate: tuple[Path, Path]) -> None:
    cert, key = certificate
    server = HttpServer(
        service.app, "127.0.0.1", 0, guard=service.guard, tls_cert=cert, tls_key=key
    )
    await server.start()
    try:
        assert server.url.startswith("https://")
        trusted = ssl.create_default_context(cafile=str(cert))
        async with httpx.AsyncClient(base_url=server.url, verify=trusted) as client:
            reply = await client.get("/health")
            assert reply.status_code == 200
            assert reply.headers["strict-transport-security"].startswith("max-age=")
        with pytest.raises(httpx.ConnectError):
            async with httpx.AsyncClient(base_url=server.url) as client:
                await client.get("/health")
    finally:
        await server.stop(grace=0.5)


async def test_tls_files_that_cannot_be_used(service: Service, tmp_path: Path) -> None:
    broken = tmp_path / "broken.pem"
    broken.write_text("no certificate")
    for cert in (tmp_path / "missing.pem", broken):
        server = HttpServer(
            service.app, "127.0.0.1", 0, guard=service.guard, tls_cert=cert, tls_key=cert
        )
        with pytest.raises(BadField, match=cert.name):
            await server.start()


async def test_tokens_in_clear_are_warned_of(
    exposed: Service, caplog: pytest.LogCaptureFixture
) -> None:
    exposed.token(Role.ADMIN)
    server = HttpServer(exposed.app, "0.0.0.0", 0, guard=exposed.guard)
    await server.start()
    await server.stop()
    assert "TLS_CERT" in caplog.text
