"""Checks of the two services: their ports, their health, the fleet they see."""

import socket
from typing import Any, Final

from alicia.base.errors import AliciaError
from alicia.cli.api import Api
from alicia.cli.doctor.finding import Finding, fail, ok, warn
from alicia.cli.exits import NotAnswering, Unreachable, one_line

_FLEET_SIZE: Final = 22  # bus.md §3
_NAMES: Final = {"collector": "metrics_collector", "scheduler": "event_scheduler"}


def service(api: Api) -> Finding:
    """It answers, it is the right one, and it is well."""
    try:
        health = api.health()
    except NotAnswering as error:
        return _stuck(api, one_line(error))
    except Unreachable as error:
        return _silent(api, one_line(error))
    except AliciaError as error:
        return fail(api.service, one_line(error), fix="give a token in ALICIA_TOKEN")
    if not isinstance(health, dict) or health.get("service_name") != _NAMES[api.service]:
        return fail(
            api.service,
            f"{api.url} is answered by another program",
            fix=f"choose another port: {api.service.upper()}_PORT",
        )
    status = str(health.get("status"))
    if status == "healthy":
        return ok(api.service, f"healthy at {api.url}")
    judge = fail if status == "unhealthy" else warn
    return judge(api.service, f"{status}: {_complaints(health)}", fix="see the reason; restart it")


def _silent(api: Api, detail: str) -> Finding:
    address = api.url.partition("//")[2]
    host, _, port = address.rpartition(":")
    if port.isdigit() and _takes_connections(host.strip("[]"), int(port)):
        from alicia.adapters.http.bind import port_holder

        holder = port_holder(int(port))
        return fail(
            api.service,
            f"port {port} is held by {holder}, which speaks no HTTP",
            fix=f"stop it, or choose another port: {api.service.upper()}_PORT",
        )
    return fail(api.service, detail.partition("; start")[0], fix="alicia up")


def _stuck(api: Api, detail: str) -> Finding:
    from alicia.adapters.http.bind import port_holder

    holder = port_holder(int(api.url.rpartition(":")[2]))
    return fail(
        api.service,
        detail.partition("; if")[0],
        fix=f"end {holder}; under alicia up it then starts again",
    )


def fleet(api: Api) -> Finding:
    """How many services of the fleet answer."""
    try:
        services = api.get("/services")["services"]
    except AliciaError as error:
        return fail("fleet", one_line(error).partition("; start")[0], fix="alicia up")
    up = sum(1 for service in services if service.get("status") == "up")
    detail = f"{up} of {max(_FLEET_SIZE, len(services))} services answer"
    down = [_name(service) for service in services if service.get("status") == "down"]
    if down:
        fix = f"start {', '.join(down[:5])}{' …' if len(down) > 5 else ''}"
        return warn("fleet", f"{detail}, {len(down)} are down", fix=fix)
    return ok("fleet", detail)


def _name(service: dict[str, Any]) -> str:
    return str(service.get("service_name") or service.get("name"))


def _complaints(health: dict[str, Any]) -> str:
    checks = health.get("checks")
    if not isinstance(checks, dict):
        return "it does not say why"
    return "; ".join(
        f"{name}: {check.get('detail')}"
        for name, check in checks.items()
        if isinstance(check, dict) and check.get("status") not in ("healthy", "ok")
    )


def _takes_connections(host: str, port: int) -> bool:
    try:
        with socket.create_connection((host, port), timeout=1):
            return True
    except OSError:
        return False
