"""``GET /alerts``: what is wrong."""

from fastapi import APIRouter, Request

from alicia.adapters.http.paging import page, read_page
from alicia.adapters.http.query import query_choice, query_switch, query_text
from alicia.adapters.http.roles import Role, needs
from alicia.alerting.memory import AlertRecord
from alicia.alerting.rule import Severity
from alicia.alerting.state import Phase
from alicia.base.clock import Clock
from alicia.collector.rules import Rules
from alicia.series.labels import SERVICE

_SEVERITIES = tuple(severity.value for severity in Severity)


def alert_routes(rules: Rules, clock: Clock) -> APIRouter:
    """Alerts as of now."""
    router = APIRouter(tags=["alerts"])

    @router.get("/alerts", dependencies=[needs(Role.VIEWER)])
    async def get_alerts(request: Request) -> dict[str, object]:
        """Alerts, oldest first; pending and firing ones only, unless ``active_only=false``."""
        active_only = query_switch(request, "active_only", default=True)
        severity = query_choice(request, "severity", _SEVERITIES)
        service = query_text(request, "service")
        found = [
            record
            for record in rules.records()
            if (not active_only or record.alert.phase is not Phase.RESOLVED)
            and severity in (None, record.severity.value)
            and service in (None, record.labels.get(SERVICE, ""))
        ]
        part = page(found, _age, read_page(request, key_length=2))
        now_ms = clock.now_ms()
        return part.body("alerts", [rules.notifier.shape(each, now_ms) for each in part.items])

    return router


def _age(record: AlertRecord) -> tuple[int, str]:
    return record.alert.active_ms, record.alert_id
