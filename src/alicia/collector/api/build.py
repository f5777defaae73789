"""What clients ask to learn whom they talk to."""

from fastapi import APIRouter

from alicia.adapters.http.roles import Role, needs
from alicia.base.version import __version__

# Clients choose features by the version of Prometheus that an answer claims (metrics.md §6).
_PROMETHEUS = "3.14.0"


def build_routes() -> APIRouter:
    """Our version, and the one whose features we have."""
    router = APIRouter(tags=["health"])

    @router.get("/api/v1/status/buildinfo", dependencies=[needs(Role.VIEWER)])
    async def get_build() -> dict[str, object]:
        """Which Prometheus our API equals, and our own version."""
        names = ("revision", "branch", "buildUser", "buildDate", "goVersion")
        data = {"version": _PROMETHEUS, **dict.fromkeys(names, ""), "alicia": __version__}
        return {"status": "success", "data": data}

    return router
