"""``GET /metrics`` as text: all live series, family by family, so that many hold up nobody."""

import asyncio
import gzip
from collections.abc import Collection, Iterator, Sequence
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from alicia.adapters.http.encodings import takes_gzip
from alicia.series.samples import Sample
from alicia.tsdb.store import Store
from alicia.wire.exposition import END, Format, content_type, render
from alicia.wire.families import fill_family
from alicia.wire.family_plan import FamilyPlan, FamilyPlanner

_SLICE: Final = 2000  # series looked at before others get their turn on the loop
_AT_ONCE_MAX: Final = 500  # series that are written faster than a thread is woken
_GZIP_BYTES_MIN: Final = 1024
_GZIP_LEVEL: Final = 4
Filled = Sequence[tuple[FamilyPlan, Sequence[Sample]]]


async def text_answer(
    request: Request, store: Store, now_ms: int, kind: Format, *, utf8_names: bool
) -> Response:
    """The whole answer, compressed where the client takes that."""
    plans = await _plans(store, now_ms, legacy_names=not utf8_names)
    taken = {plan.name for plan in plans}
    texts = []
    for part in _parts(plans):
        filled = [(plan, store.latest_of(plan.series, now_ms)) for plan in part]
        if sum(len(samples) for _, samples in filled) <= _AT_ONCE_MAX:
            texts.append(_written(filled, kind, taken, legacy_names=not utf8_names))
        else:
            texts.append(
                await asyncio.to_thread(_written, filled, kind, taken, legacy_names=not utf8_names)
            )
    if kind is Format.OPENMETRICS:
        texts.append(END)
    body = b"".join(texts)
    headers = {"Vary": "Accept, Accept-Encoding"}
    if len(body) >= _GZIP_BYTES_MIN and takes_gzip(request.headers.get("accept-encoding", "")):
        headers["Content-Encoding"] = "gzip"
        body = await asyncio.to_thread(gzip.compress, body, _GZIP_LEVEL, mtime=0)
    return Response(body, headers=headers, media_type=content_type(kind, utf8_names=utf8_names))


async def _plans(store: Store, now_ms: int, *, legacy_names: bool) -> list[FamilyPlan]:
    planner = FamilyPlanner(store.family, legacy_names=legacy_names)
    last = 0
    while part := store.page((), after=last, limit=_SLICE):
        live = store.latest_of([labels for _, labels in part], now_ms)
        planner.add(sample.labels for sample in live)
        last = part[-1][0]
        await asyncio.sleep(0)
    return planner.families()


def _parts(plans: Sequence[FamilyPlan]) -> Iterator[list[FamilyPlan]]:
    """The families in portions of about _SLICE series."""
    part: list[FamilyPlan] = []
    size = 0
    for plan in plans:
        part.append(plan)
        size += len(plan.series)
        if size >= _SLICE:
            yield part
            part, size = [], 0
    yield part


def _written(filled: Filled, kind: Format, taken: Collection[str], *, legacy_names: bool) -> bytes:
    families = (
        fill_family(
            plan.name,
            plan.type,
            samples,
            text=plan.help,
            unit=plan.unit,
            legacy_names=legacy_names,
        )
        for plan, samples in filled
        if samples  # they may have ended since the plan was made
    )
    return render(families, kind, taken=taken)
