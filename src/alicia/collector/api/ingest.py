"""``POST /metrics``."""

from http import HTTPStatus

from fastapi import APIRouter, Request

from alicia.adapters.http.body import read_json
from alicia.adapters.http.errors import PROBLEM
from alicia.adapters.http.json_response import Json
from alicia.adapters.http.roles import Role, caller_of, needs
from alicia.base.clock import Clock
from alicia.base.counters import Counters
from alicia.collector.ingest import SLICE, Ingest, Outcome
from alicia.wire.names import SeriesNames
from alicia.wire.samples import Decoded, decode_metrics

_ENTRY = "http"


def ingest_routes(
    ingest: Ingest, names: SeriesNames, clock: Clock, counters: Counters
) -> APIRouter:
    """Samples over HTTP."""
    router = APIRouter(tags=["metrics"])

    @router.post("/metrics", dependencies=[needs(Role.INGEST)])
    async def post_metrics(request: Request) -> Json:
        """Store one metric, a list, or ``{service_name, instance_id?, metrics}``.

        A bad metric is listed and costs no other; 422 where none could be stored.
        """
        value = await read_json(request)
        counters.add("http_bodies")
        received_ms = clock.now_ms()
        decoded = decode_metrics(
            value,
            received_ms=received_ms,
            names=names,
            forced_service=caller_of(request).service,
        )
        if len(decoded.samples) <= SLICE:
            outcome = ingest.offer(decoded, received_ms=received_ms, entry=_ENTRY, payload=value)
        else:
            outcome = await ingest.offer_large(
                decoded, received_ms=received_ms, entry=_ENTRY, payload=value
            )
        return _reply(outcome, decoded)

    return router


def _reply(outcome: Outcome, decoded: Decoded) -> Json:
    body: dict[str, object] = {
        "accepted": outcome.accepted,
        "rejected": [reject.to_api() for reject in outcome.rejects],
    }
    if outcome.accepted:
        return Json(body)
    first = outcome.rejects[0] if outcome.rejects else None
    problem: dict[str, object] = {
        "type": first.code if first else "no_metrics",
        "title": HTTPStatus.UNPROCESSABLE_ENTITY.phrase,
        "status": int(HTTPStatus.UNPROCESSABLE_ENTITY),
        "detail": f"none of {decoded.size} metrics was stored: "
        + (first.detail if first else "the body holds no metric; send at least one"),
        "errors": [
            {"loc": ["body", reject.index], "msg": reject.detail, "code": reject.code}
            for reject in outcome.rejects
        ],
        **body,
    }
    return Json(problem, HTTPStatus.UNPROCESSABLE_ENTITY, media_type=PROBLEM)
