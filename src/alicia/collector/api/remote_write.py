"""``POST /api/v1/write``: what Prometheus and its kin send on."""

import asyncio
from collections.abc import Callable
from http import HTTPStatus
from typing import Final, NamedTuple

from fastapi import APIRouter, Request
from starlette.responses import Response

from alicia.adapters.http.body import read_raw
from alicia.adapters.http.content_types import ANY_TYPE, media_type
from alicia.adapters.http.errors import BadBody, BodyTooLarge, WrongType, answer, plain_answer
from alicia.adapters.http.roles import Role, caller_of, needs
from alicia.adapters.http.shortcut import LEAN
from alicia.adapters.http.snappy import inflate_block
from alicia.base.clock import Clock
from alicia.base.counters import Counters
from alicia.base.errors import AliciaError
from alicia.collector.ingest_requests import RequestIngest, Taken
from alicia.tsdb.request import BadProtobuf, RequestTooLarge, WriteRequest, decode_request
from alicia.tsdb.request2 import decode_request2

_TYPE: Final = "application/x-protobuf"
_WRITTEN: Final = "X-Prometheus-Remote-Write-{}-Written"
_AT_ONCE_BYTES_MAX: Final = 128 * 1024  # a larger body is read by a worker thread


class _Version(NamedTuple):
    decode: Callable[[memoryview], WriteRequest]
    tells_written: bool


_VERSIONS: Final = {
    "prometheus.WriteRequest": _Version(decode_request, False),
    "io.prometheus.write.v2.Request": _Version(decode_request2, True),
}
_FIRST: Final = _VERSIONS["prometheus.WriteRequest"]


def remote_write_routes(ingest: RequestIngest, clock: Clock, counters: Counters) -> APIRouter:
    """Samples from other monitoring systems."""
    router = APIRouter(tags=["prometheus"])

    @router.post(
        "/api/v1/write",
        status_code=HTTPStatus.NO_CONTENT,
        dependencies=[needs(Role.INGEST, types=ANY_TYPE)],
        openapi_extra={LEAN: True},
    )
    async def remote_write(request: Request) -> Response:
        """Store a remote-write request, 1.0 or 2.0: protobuf in a snappy block.

        400 names the first samples that were refused; all others of the request are stored.
        """
        version = _version(request)
        try:
            written = await _read(request, version)
            counters.add("http_bodies")
            taken = await ingest.take(written, received_ms=clock.now_ms())
        except AliciaError as error:
            counters.add("http_errors", error.code)
            return _told(answer(error, path=request.url.path), version, 0)
        return _told(_reply(taken, request.url.path), version, taken.stored)

    return router


def _version(request: Request) -> _Version:
    """The version that the headers name.

    Raises:
        WrongType: it is not known here, or the body is not compressed with snappy.
    """
    header = request.headers.get("content-type", _TYPE)
    coding = request.headers.get("content-encoding", "snappy")
    if coding.strip().lower() != "snappy":
        raise WrongType(f"Content-Encoding: {coding[:100]!r} is not taken here; send snappy")
    version = _VERSIONS.get(_proto(header)) if media_type(header) == _TYPE else None
    if version is None:
        raise WrongType(
            f"Content-Type: {header[:100]!r} is not taken here; send {_TYPE} with proto="
            + " or ".join(_VERSIONS)
        )
    return version


def _proto(header: str) -> str:
    for parameter in header.split(";")[1:]:
        name, _, value = parameter.strip().partition("=")
        if name.lower() == "proto":
            return value.strip('"')
    return "prometheus.WriteRequest"


async def _read(request: Request, version: _Version) -> WriteRequest:
    body = await read_raw(request)
    service = caller_of(request).service
    if len(body) > _AT_ONCE_BYTES_MAX:
        return await asyncio.to_thread(_decode, body, version, service)
    return _decode(body, version, service)


def _decode(body: bytes, version: _Version, service: str) -> WriteRequest:
    try:
        decoded = version.decode(inflate_block(body))
    except BadProtobuf as error:
        raise BadBody(str(error)) from None
    except RequestTooLarge as error:
        raise BodyTooLarge(str(error)) from None
    return decoded.held_to(service) if service else decoded


def _reply(taken: Taken, path: str) -> Response:
    if not taken.refused:
        return Response(status_code=HTTPStatus.NO_CONTENT)
    counts = ", ".join(f"{count} {code}" for code, count in taken.refused.items())
    details = "; ".join(reject.detail for reject in taken.first)
    detail = f"{taken.stored} samples are stored; refused: {counts}. {details}"
    return plain_answer(HTTPStatus.BAD_REQUEST, detail, path=path)


def _told(reply: Response, version: _Version, samples: int) -> Response:
    if version.tells_written:
        for kind, count in (("Samples", samples), ("Histograms", 0), ("Exemplars", 0)):
            reply.headers[_WRITTEN.format(kind)] = str(count)
    return reply
