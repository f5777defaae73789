"""``GET /health`` of both services."""

from collections.abc import Callable
from http import HTTPStatus

from fastapi import APIRouter

from alicia.adapters.health import Condition, Health
from alicia.adapters.http.json_response import Json
from alicia.adapters.http.roles import Role, needs


def health_routes(health: Health, *, exposed: Callable[[], bool]) -> APIRouter:
    """``exposed``: strangers can ask, so details stay out."""
    router = APIRouter(tags=["health"])

    @router.get("/health", dependencies=[needs(Role.PUBLIC)])
    async def get_health() -> Json:
        """Condition of the service; 503 when it is unhealthy."""
        body = health.answer(with_details=not exposed())
        unhealthy = body["status"] == Condition.UNHEALTHY.word
        return Json(body, HTTPStatus.SERVICE_UNAVAILABLE if unhealthy else HTTPStatus.OK)

    return router
