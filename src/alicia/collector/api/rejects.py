"""``GET /api/v1/rejects``: what was refused lately, and why."""

from fastapi import APIRouter, Request

from alicia.adapters.http.paging import read_page
from alicia.adapters.http.roles import Role, caller_of, needs
from alicia.base.counters import Counters
from alicia.collector.rejects import RejectLog


def reject_routes(log: RejectLog, counters: Counters) -> APIRouter:
    """The newest rejects first, with totals by code."""
    router = APIRouter(tags=["metrics"])

    @router.get("/api/v1/rejects", dependencies=[needs(Role.VIEWER)])
    async def get_rejects(request: Request) -> dict[str, object]:
        """The last rejects of all entries; admins see the redacted payloads too."""
        with_payload = caller_of(request).holds(Role.ADMIN)
        kept = log.newest()[: read_page(request).limit]
        return {
            "rejects": [refusal.to_api(with_payload=with_payload) for refusal in kept],
            "total": counters.by_label("rejected"),
        }

    return router
