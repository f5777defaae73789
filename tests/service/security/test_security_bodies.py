"""Bodies that are too large, too deep, lying or broken, in process (contract.md §6; S10, S13)."""

import gzip
import zlib
from collections.abc import AsyncIterator

import pytest
from tests.service.security.guarded import Service

from alicia.base.limits import BODY_BYTES_MAX, BODY_INFLATED_BYTES_MAX, JSON_DEPTH_MAX

JSON = {"Content-Type": "application/json"}


def quoted(size: int) -> bytes:
    return b'"' + b"a" * (size - 2) + b'"'


async def stream(total: int, piece: int = 1 << 20) -> AsyncIterator[bytes]:
    for start in range(0, total, piece):
        yield b" " * min(piece, total - start)


@pytest.mark.parametrize(("size", "status"), [(BODY_BYTES_MAX, 200), (BODY_BYTES_MAX + 1, 413)])
async def test_ten_megabytes_are_the_limit(service: Service, size: int, status: int) -> None:
    async with service.client() as client:
        reply = await client.post("/echo", content=quoted(size), headers=JSON)
    assert reply.status_code == status
    if status == 413:
        assert reply.json()["type"] == "body_too_large"
        assert str(BODY_BYTES_MAX) in reply.json()["detail"]


@pytest.mark.parametrize(("size", "status"), [(BODY_BYTES_MAX, 200), (BODY_BYTES_MAX + 1, 413)])
async def test_a_body_of_no_declared_length_is_counted(
    service: Service, size: int, status: int
) -> None:
    async with service.client() as client:
        reply = await client.post("/push", content=stream(size))
    assert reply.status_code == status


async def test_a_declared_length_alone_is_refused(service: Service) -> None:
    async with service.client() as client:
        headers = {**JSON, "Content-Length": str(10**15)}
        reply = await client.post("/echo", content=b"{}", headers=headers)
    assert reply.status_code == 413
    assert reply.headers["connection"] == "close"


@pytest.mark.parametrize("length", ["-1", "1e3", "0x10", "+5", "\u00b2".encode(), "5 5", ""])
async def test_a_length_is_a_number(service: Service, length: str | bytes) -> None:
    async with service.client() as client:
        headers = {**JSON, "Content-Length": length}
        reply = await client.post("/echo", content=b"{}", headers=headers)
    assert reply.status_code == 400


@pytest.mark.parametrize("coding", ["gzip", "deflate"])
async def test_a_compressed_body_is_read(service: Service, coding: str) -> None:
    squeeze = gzip.compress if coding == "gzip" else zlib.compress
    async with service.client() as client:
        reply = await client.post(
            "/echo", content=squeeze(b'{"a": 1}'), headers={**JSON, "Content-Encoding": coding}
        )
    assert reply.json() == {"value": {"a": 1}}


async def test_a_bomb_is_defused(service: Service) -> None:
    bomb = gzip.compress(bytes(BODY_INFLATED_BYTES_MAX + 1))
    async with service.client() as client:
        reply = await client.post("/push", content=bomb, headers={"Content-Encoding": "gzip"})
    assert len(bomb) < 100_000
    assert reply.status_code == 413


async def test_nested_codings_are_not_unpacked(service: Service) -> None:
    twice = gzip.compress(gzip.compress(b"{}"))
    async with service.client() as client:
        reply = await client.post(
            "/push", content=twice, headers={"Content-Encoding": "gzip, gzip"}
        )
    assert reply.status_code == 415


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "bad_body"),
        (b"  ", "bad_body"),
        (b"{", "bad_json"),
        (b"{} {}", "bad_json"),
        (b"{'a': 1}", "bad_json"),
        (b"nan", "bad_json"),
        (b"1e999", "bad_json"),
        (b'{"a": "\xff"}', "bad_utf8"),
        (b'"\xc0\x80"', "bad_utf8"),
        (b"\xfe\xff\x00{", "bad_utf8"),
        (b"[" * 100_000, "too_deep"),
        (b'{"a":' * 100_000, "too_deep"),
    ],
)
async def test_what_is_no_json_is_400(service: Service, body: bytes, code: str) -> None:
    async with service.client() as client:
        reply = await client.post("/echo", content=body, headers=JSON)
    assert reply.status_code == 400, reply.text
    assert reply.json()["type"] == code
    assert service.counters.by_label("http_errors") == {code: 1}


@pytest.mark.parametrize(("depth", "status"), [(JSON_DEPTH_MAX, 200), (JSON_DEPTH_MAX + 1, 400)])
async def test_depth_has_an_exact_bound(service: Service, depth: int, status: int) -> None:
    body = b"[" * depth + b"]" * depth
    async with service.client() as client:
        assert (await client.post("/echo", content=body, headers=JSON)).status_code == status


async def test_odd_numbers_come_back_as_json(service: Service) -> None:
    async with service.client() as client:
        reply = await client.post("/echo", content=b"[1e308, -0.0, 9007199254740993]", headers=JSON)
    assert reply.json() == {"value": [1e308, -0.0, 9007199254740993]}
