"""``/api/v1/rule-packs``: shipped sets of rules, loaded on request."""

from fastapi import APIRouter, Request

from alicia.adapters.http.audited import note_change
from alicia.adapters.http.roles import Role, needs
from alicia.alerting.packs import PACKS
from alicia.alerting.rule import parse_rule
from alicia.base.errors import Conflict, NotFound
from alicia.collector.rules import Rules
from alicia.promql.condition import read_condition


def pack_routes(rules: Rules, *, interval_ms: int) -> APIRouter:
    """Listing and loading packs."""
    router = APIRouter(tags=["alerts"])

    @router.get("/api/v1/rule-packs", dependencies=[needs(Role.VIEWER)])
    async def get_packs() -> dict[str, object]:
        """All packs, each with its rules as they would be posted."""
        return {"packs": {name: list(bodies) for name, bodies in PACKS.items()}}

    @router.post("/api/v1/rule-packs/{name}", dependencies=[needs(Role.EDITOR)])
    async def load_pack(request: Request, name: str) -> dict[str, object]:
        """Add the rules of a pack; rules of the same names stay as they are."""
        if name not in PACKS:
            known = ", ".join(PACKS)
            raise NotFound(f"rule pack {name[:64]!r}: there is none; there are {known}")
        added, kept = [], []
        for body in PACKS[name]:
            rule = parse_rule(dict(body), read=read_condition, interval_ms=interval_ms)
            try:
                await rules.add(rule)
            except Conflict:
                kept.append(rule.name)
            else:
                added.append(rule.name)
        note_change(request, after={"added": added})
        return {"pack": name, "added": added, "kept": kept}

    return router
