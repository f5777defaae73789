"""``POST /metrics``."""

from http import HTTPStatus

from fastapi import APIRouter, Request

from alicia.adapters.http.body import read_json
from alicia.adapters.http.errors import PROBLEM
from alicia.adapters.http.json_response import Json
from alicia.adapters.http.roles import Role, caller_of, needs
from alicia.base.clock import Clock
from alicia.base.counters import Counters
from alicia.collector.ingest import Ingest, Outcome
from alicia.wire.names import SeriesNames
from alicia.wire.samples import MetricBody

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
        value = await read_json(request, odd_numbers=True)
        counters.add("http_bodies")
        received_ms = clock.now_ms()
        body = MetricBody(
            value,
            received_ms=received_ms,
            names=names,
            forced_service=caller_of(request).service,
        )
        outcome = ingest.take(body, received_ms=received_ms, entry=_ENTRY, payload=value)
        if not isinstance(outcome, Outcome):
            outcome = await outcome
        return _reply(outcome, body.size)

    return router


def _reply(outcome: Outcome, size: int) -> Json:
    body: dict[str, object] = {
        "accepted": outcome.accepted,
        "rejected": [reject.to_api() for reject in outcome.rejects],
    }
    if outcome.rejected > len(outcome.rejects):
        body["rejected_count"] = outcome.rejected
    if outcome.accepted:
        return Json(body)
    first = outcome.rejects[0] if outcome.rejects else None
    fault = first.detail if first else "the body holds no metric; send at least one"
    problem: dict[str, object] = {
        "type": first.code if first else "no_metrics",
        "title": HTTPStatus.UNPROCESSABLE_ENTITY.phrase,
        "status": int(HTTPStatus.UNPROCESSABLE_ENTITY),
        "detail": f"none of {size} metrics was stored: {fault}" if size > 1 else fault,
        "errors": [
            {"loc": ["body", reject.index], "msg": reject.detail, "code": reject.code}
            for reject in outcome.rejects
        ],
        **body,
    }
    return Json(problem, HTTPStatus.UNPROCESSABLE_ENTITY, media_type=PROBLEM)
