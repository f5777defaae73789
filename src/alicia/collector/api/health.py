"""``GET /health`` and what clients ask to learn whom they talk to."""

from collections.abc import Callable
from http import HTTPStatus

from fastapi import APIRouter

from alicia.adapters.http.json_response import Json
from alicia.adapters.http.roles import Role, needs
from alicia.base.version import __version__
from alicia.collector.health import Health

# Clients choose features by the version of Prometheus that an answer claims (metrics.md §6).
_PROMETHEUS = "3.14.0"


def health_routes(
    health: Health, *, mqtt_connected: Callable[[], bool], exposed: Callable[[], bool]
) -> APIRouter:
    """``exposed``: strangers can ask, so details stay out."""
    router = APIRouter(tags=["health"])

    @router.get("/health", dependencies=[needs(Role.PUBLIC)])
    async def get_health() -> Json:
        """Condition of the service; 503 when it is unhealthy."""
        body = health.answer(mqtt_connected=mqtt_connected(), with_details=not exposed())
        unhealthy = body["status"] == "unhealthy"
        return Json(body, HTTPStatus.SERVICE_UNAVAILABLE if unhealthy else HTTPStatus.OK)

    @router.get("/api/v1/status/buildinfo", dependencies=[needs(Role.VIEWER)])
    async def get_build() -> dict[str, object]:
        """Which Prometheus our API equals, and our own version."""
        names = ("revision", "branch", "buildUser", "buildDate", "goVersion")
        data = {"version": _PROMETHEUS, **dict.fromkeys(names, ""), "alicia": __version__}
        return {"status": "success", "data": data}

    return router
