"""``/health`` and ``/stats``: how the service does."""

from collections.abc import Callable, Mapping
from http import HTTPStatus

from fastapi import APIRouter

from alicia.adapters.http.json_response import Json
from alicia.adapters.http.roles import Role, needs
from alicia.scheduler.health import Health
from alicia.scheduler.stats import Stats


def standing_routes(health: Health, stats: Stats, *, exposed: Callable[[], bool]) -> APIRouter:
    """``exposed``: strangers can ask, so details stay out."""
    router = APIRouter(tags=["health"])

    @router.get("/health", dependencies=[needs(Role.PUBLIC)])
    async def get_health() -> Json:
        """Condition of the service; 503 when it is unhealthy."""
        body = health.answer(with_details=not exposed())
        unhealthy = body["status"] == "unhealthy"
        return Json(body, HTTPStatus.SERVICE_UNAVAILABLE if unhealthy else HTTPStatus.OK)

    @router.get("/stats", dependencies=[needs(Role.VIEWER)])
    async def get_stats() -> Mapping[str, object]:
        """Totals, lag percentiles, backlog, refusals."""
        return await stats.answer()

    return router
