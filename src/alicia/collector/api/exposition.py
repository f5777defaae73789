"""``GET /metrics`` as text: all live series, collected in slices and written by a thread."""

import asyncio
import gzip
from collections.abc import Mapping, Sequence
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from alicia.adapters.http.encodings import takes_gzip
from alicia.series.labels import LabelSet
from alicia.series.samples import Metadata, Sample
from alicia.tsdb.store import Store
from alicia.wire.exposition import Format, content_type, render
from alicia.wire.families import group_families

_SLICE: Final = 2000  # series looked at before others get their turn on the loop
_AT_ONCE_MAX: Final = 500  # series that are written faster than a thread is woken
_GZIP_BYTES_MIN: Final = 1024
_GZIP_LEVEL: Final = 4
Families = Mapping[LabelSet, tuple[str, Metadata]]


async def text_answer(
    request: Request, store: Store, now_ms: int, kind: Format, *, utf8_names: bool
) -> Response:
    """The whole answer, compressed where the client takes that."""
    samples: list[Sample] = []
    families: dict[LabelSet, tuple[str, Metadata]] = {}
    series = store.series(())
    for start in range(0, len(series), _SLICE):
        found = store.latest_of(series[start : start + _SLICE], now_ms)
        families |= {sample.labels: store.family(sample.labels) for sample in found}
        samples += found
        await asyncio.sleep(0)
    zipped = takes_gzip(request.headers.get("accept-encoding", ""))
    if len(samples) <= _AT_ONCE_MAX:
        body, packed = _written(samples, families, kind, utf8_names=utf8_names, zipped=zipped)
    else:
        body, packed = await asyncio.to_thread(
            _written, samples, families, kind, utf8_names=utf8_names, zipped=zipped
        )
    headers = {"Vary": "Accept, Accept-Encoding"}
    if packed:
        headers["Content-Encoding"] = "gzip"
    return Response(body, headers=headers, media_type=content_type(kind, utf8_names=utf8_names))


def _written(
    samples: Sequence[Sample], families: Families, kind: Format, *, utf8_names: bool, zipped: bool
) -> tuple[bytes, bool]:
    """The body, and whether it is compressed."""
    body = render(group_families(samples, families.__getitem__, legacy_names=not utf8_names), kind)
    if not zipped or len(body) < _GZIP_BYTES_MIN:
        return body, False
    return gzip.compress(body, _GZIP_LEVEL, mtime=0), True
