"""``alicia top``: the fleet, live; the screen is drawn again every two seconds."""

import time
from typing import Any, Final

from alicia.cli import words
from alicia.cli.context import Context
from alicia.cli.exits import Exit
from alicia.cli.output import build_table
from alicia.cli.parsing import Group

_ORDER: Final = {"down": 0, "degraded": 1, "unknown": 2, "muted": 3, "up": 4}
_COLUMNS: Final = ("service", "status", "seen", "instances", "restarts", "reason")


def configure(group: Group) -> None:
    """Describe the arguments."""
    parser = group.alone(top)
    parser.add_argument("--interval", type=float, default=2.0, metavar="SECONDS", help="(2)")
    parser.add_argument("-n", dest="count", type=int, metavar="N", help="end after N looks")


def top(context: Context) -> int:
    """Draw until Ctrl-C; without a terminal, or in JSON, one look suffices."""
    out = context.out
    console = out.console()
    if out.as_json or not console.is_terminal:
        reply = context.collector.get("/services")
        out.json(reply) if out.as_json else console.print(_table(context, reply["services"]))
        return Exit.DONE
    from rich.live import Live

    left = context.get("count")
    try:
        with Live(console=console, screen=True, auto_refresh=False) as live:
            while left is None or left > 0:
                services = context.collector.get("/services")["services"]
                live.update(_table(context, services), refresh=True)
                left = None if left is None else left - 1
                time.sleep(max(0.2, context.get("interval")))
    except KeyboardInterrupt:
        pass  # the usual way out
    return Exit.DONE


def _table(context: Context, services: list[dict[str, Any]]) -> Any:
    now_ms = context.clock.now_ms()
    ranked = sorted(services, key=lambda s: (_ORDER.get(str(s.get("status")), 2), _name(s)))
    return build_table(
        _COLUMNS,
        [
            (
                _name(service),
                service.get("status"),
                words.relative(service.get("last_seen"), now_ms),
                _count(service.get("instances")),
                service.get("restarts", 0),
                service.get("reason"),
            )
            for service in ranked
        ],
    )


def _name(service: dict[str, Any]) -> str:
    return str(service.get("service_name") or service.get("name"))


def _count(instances: object) -> object:
    return len(instances) if isinstance(instances, list | dict) else instances
