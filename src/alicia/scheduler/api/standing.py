"""``/stats`` and ``/api/v1/rejects``: how the service does, and what it refused."""

from collections.abc import Mapping

from fastapi import APIRouter

from alicia.adapters.http.roles import Role, needs
from alicia.scheduler.stats import Stats


def standing_routes(stats: Stats) -> APIRouter:
    """Totals of this process and of the ledger."""
    router = APIRouter(tags=["health"])

    @router.get("/stats", dependencies=[needs(Role.VIEWER)])
    async def get_stats() -> Mapping[str, object]:
        """Totals, lag percentiles, backlog, refusals."""
        return await stats.answer()

    @router.get("/api/v1/rejects", dependencies=[needs(Role.VIEWER)])
    async def get_rejects() -> Mapping[str, object]:
        """The last messages of the bus that were refused, newest first, with totals by code."""
        return stats.rejects()

    return router
