"""``/alerts/rules``: what makes an alert."""

from http import HTTPStatus

from fastapi import APIRouter, Request

from alicia.adapters.http.audited import note_change
from alicia.adapters.http.body import read_json
from alicia.adapters.http.paging import page, read_page
from alicia.adapters.http.roles import Role, needs
from alicia.alerting.rule import Rule, parse_rule, rule_to_api
from alicia.alerting.state import Phase
from alicia.base.clock import Clock
from alicia.base.errors import BadField, LimitExceeded
from alicia.base.times import seconds
from alicia.collector.rules import Rules
from alicia.collector.rules_backtest import backtest, read_window, split_body
from alicia.promql.condition import read_condition
from alicia.promql.ports import Evaluator

RULES_MAX = 1000


def rule_routes(rules: Rules, evaluator: Evaluator, clock: Clock, *, interval_ms: int) -> APIRouter:
    """Listing, changing and testing rules; ``interval_ms`` is the default interval."""
    router = APIRouter(tags=["alerts"])

    @router.get("/alerts/rules", dependencies=[needs(Role.VIEWER)])
    async def get_rules(request: Request) -> dict[str, object]:
        """All rules by name, each with its state and last evaluation."""
        found = sorted(rules.rules.values(), key=lambda rule: rule.name)
        part = page(found, lambda rule: (rule.name,), read_page(request))
        return part.body("rules", [_shape(rules, rule) for rule in part.items])

    @router.post("/alerts/rules", status_code=HTTPStatus.CREATED, dependencies=[needs(Role.EDITOR)])
    async def add_rule(request: Request) -> dict[str, object]:
        """Store a rule; the answer is its normal form with the whole expression."""
        if len(rules.rules) >= RULES_MAX:
            raise LimitExceeded(f"{RULES_MAX} rules are kept at most; delete some")
        rule = _parsed(await read_json(request), interval_ms)
        await rules.add(rule)
        note_change(request, after=rule_to_api(rule))
        return _shape(rules, rule)

    @router.post("/alerts/rules/test", dependencies=[needs(Role.VIEWER)])
    async def test_rule(request: Request) -> dict[str, object]:
        """When a rule would have fired over ``start`` to ``end``, or the last ``window``."""
        body, given = split_body(await read_json(request))
        if isinstance(body, dict):
            body = {"name": "test", "severity": "warning", **body}
        rule = _parsed(body, interval_ms)
        start_ms, end_ms = read_window(given, now_ms=clock.now_ms())
        return await backtest(rule, evaluator, start_ms=start_ms, end_ms=end_ms)

    @router.get("/alerts/rules/{name}", dependencies=[needs(Role.VIEWER)])
    async def get_rule(name: str) -> dict[str, object]:
        """One rule."""
        return _shape(rules, rules.rule(name))

    @router.put("/alerts/rules/{name}", dependencies=[needs(Role.EDITOR)])
    async def put_rule(request: Request, name: str) -> dict[str, object]:
        """Replace a rule as a whole; its alerts live on if the expression stays."""
        before = rules.rule(name)
        rule = _renewed(name, await read_json(request), interval_ms)
        await rules.replace(rule)
        note_change(request, before=rule_to_api(before), after=rule_to_api(rule))
        return _shape(rules, rule)

    @router.delete("/alerts/rules/{name}", dependencies=[needs(Role.EDITOR)])
    async def delete_rule(request: Request, name: str) -> dict[str, object]:
        """Delete a rule; its alerts resolve."""
        before = rules.rule(name)
        await rules.delete(name)
        note_change(request, before=rule_to_api(before))
        return {"deleted": name}

    return router


def _parsed(body: object, interval_ms: int) -> Rule:
    return parse_rule(body, read=read_condition, interval_ms=interval_ms)


def _renewed(name: str, body: object, interval_ms: int) -> Rule:
    rule = _parsed({"name": name, **body} if isinstance(body, dict) else body, interval_ms)
    if rule.name != name:
        raise BadField(
            "name",
            f"name: a rule cannot be renamed from {name!r}; add a new one, delete this one",
            reason="renamed",
        )
    return rule


def _shape(rules: Rules, rule: Rule) -> dict[str, object]:
    memory, health = rules.memories.get(rule.name), rules.health.get(rule.name)
    phases = {record.alert.phase for record in memory.alerts.values()} if memory else set()
    state = next((p.value for p in (Phase.FIRING, Phase.PENDING) if p in phases), "inactive")
    evaluated = "unhealthy" if health and health.error else "healthy"
    return {
        **rule_to_api(rule),
        "state": state,
        "health": evaluated if health else "unknown",
        "last_error": health.error if health else "",
        "last_evaluation": seconds(health.at_ms) if health else None,
    }
