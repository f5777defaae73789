"""``/metrics/job/…``: pushes of jobs that end before anybody could ask them (Pushgateway)."""

import asyncio
import re
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Final

from fastapi import APIRouter, Request
from starlette.responses import Response

from alicia.adapters.http.body import read_body
from alicia.adapters.http.content_types import ANY_TYPE, media_type
from alicia.adapters.http.errors import WrongType
from alicia.adapters.http.json_response import Json
from alicia.adapters.http.roles import Role, caller_of, needs
from alicia.base.counters import Counters
from alicia.collector.push import Pushes
from alicia.wire.exposition import Format
from alicia.wire.push import parse_grouping
from alicia.wire.read_exposition import Exposition, read_text
from alicia.wire.read_openmetrics import read_openmetrics
from alicia.wire.read_series import Pairs, SeriesTexts

_AT_ONCE_BYTES_MAX: Final = 32 * 1024  # read faster than a thread is woken
_OPENMETRICS: Final = "application/openmetrics-text"
_OPENMETRICS_VERSIONS: Final = ("0.0.1", "1.0.0")
_VERSION: Final = re.compile(r';\s*version="?([^\s;"]*)')
_PROTOBUF: Final = "application/vnd.google.protobuf"
# What curl says of any body, and what clients say that say nothing.
_TEXTS: Final = ("text/plain", "", "application/x-www-form-urlencoded")
_READERS: Final[Mapping[Format, Callable[..., Exposition]]] = {
    Format.TEXT: read_text,
    Format.OPENMETRICS: read_openmetrics,
}


def push_routes(pushes: Pushes, texts: SeriesTexts, counters: Counters) -> APIRouter:
    """Pushing groups of metrics, and deleting them. Family counted: ``exemplars``, not kept."""
    router = APIRouter(tags=["metrics"])
    may_push = needs(Role.INGEST, types=ANY_TYPE)
    reading = asyncio.Lock()  # large bodies are read one by one, so that they fill no memory

    async def push(request: Request, *, whole: bool) -> Response:
        kind = _format_of(request.headers.get("content-type", ""))
        grouping = _grouping_of(request)
        body = await read_body(request)
        counters.add("http_bodies")
        read = _READERS[kind]
        if len(body) <= _AT_ONCE_BYTES_MAX:
            exposition = read(body, texts, forced=grouping)
        else:
            async with reading:
                exposition = await asyncio.to_thread(read, body, texts, forced=grouping)
        counters.add("exemplars", count=exposition.exemplars)
        outcome = await pushes.push(grouping, exposition, whole=whole)
        return Json(
            {
                "accepted": outcome.accepted,
                "rejected": [reject.to_api() for reject in outcome.rejects],
            }
        )

    @router.put("/metrics/job/{grouping:path}", dependencies=[may_push])
    @router.put("/metrics/job@base64/{grouping:path}", dependencies=[may_push])
    async def put_group(request: Request) -> Response:
        """Replace all metrics of a group: ``{job}[/{label}/{value}]*``."""
        return await push(request, whole=True)

    @router.post("/metrics/job/{grouping:path}", dependencies=[may_push])
    @router.post("/metrics/job@base64/{grouping:path}", dependencies=[may_push])
    async def post_group(request: Request) -> Response:
        """Replace those metrics of a group that have the same names."""
        return await push(request, whole=False)

    @router.delete("/metrics/job/{grouping:path}", dependencies=[may_push])
    @router.delete("/metrics/job@base64/{grouping:path}", dependencies=[may_push])
    async def delete_group(request: Request) -> Response:
        """End a group and all its series; one that is not there is no error."""
        await pushes.delete(_grouping_of(request))
        return Response(status_code=HTTPStatus.ACCEPTED)

    return router


def _grouping_of(request: Request) -> Pairs:
    """The grouping labels of the address as it was sent: a coded slash is part of its segment."""
    sent = request.scope.get("raw_path") or request.scope["path"].encode()
    path = sent.partition(b"?")[0].decode("latin-1")
    _, _, grouping = path.partition("/metrics/")
    return parse_grouping(grouping, forced_service=caller_of(request).service)


def _format_of(header: str) -> Format:
    """The format of a body by its Content-Type.

    Raises:
        WrongType: it is none of the two.
    """
    kind = media_type(header)
    if kind in _TEXTS:
        return Format.TEXT
    version = _VERSION.search(header)
    if kind == _OPENMETRICS and (version is None or version[1] in _OPENMETRICS_VERSIONS):
        return Format.OPENMETRICS
    about = "delimited protobuf" if kind == _PROTOBUF else repr(header[:100])
    raise WrongType(
        f"Content-Type: {about} is not taken here; send text/plain (0.0.4) or {_OPENMETRICS}"
        " (1.0.0)"
    )
