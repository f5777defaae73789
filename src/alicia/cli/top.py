"""``alicia top``: the fleet, live; the screen is drawn again every two seconds."""

import contextlib
import time
from typing import TYPE_CHECKING, Any, Final

from alicia.cli import words
from alicia.cli.context import Context
from alicia.cli.exits import Exit, Unreachable, Usage, one_line
from alicia.cli.output import styled
from alicia.cli.parsing import Group, positive

if TYPE_CHECKING:
    from rich.text import Text

_INTERVAL_SECONDS_MIN: Final = 0.2
_ORDER: Final = {"down": 0, "degraded": 1, "unknown": 2, "muted": 3, "up": 4}
_COLUMNS: Final = ("service", "status", "seen", "instances", "restarts", "reason")


def configure(group: Group) -> None:
    """Describe the arguments."""
    parser = group.alone(top)
    parser.add_argument("--interval", type=float, default=2.0, metavar="SECONDS", help="(2)")
    parser.add_argument("-n", dest="count", type=positive, metavar="N", help="end after N looks")


def top(context: Context) -> int:
    """Draw until Ctrl-C; without a terminal, or in JSON, one look suffices."""
    out, interval = context.out, context.get("interval")
    if not interval >= _INTERVAL_SECONDS_MIN:
        raise Usage(f"--interval: {interval:g} is too short; write {_INTERVAL_SECONDS_MIN} or more")
    console = out.console()
    if out.as_json or not console.is_terminal:
        reply = context.collector.get("/services")
        out.json(reply) if out.as_json else out.table(_COLUMNS, _rows(context, reply["services"]))
        return Exit.DONE
    from rich.live import Live

    left = context.get("count")
    with (
        contextlib.suppress(KeyboardInterrupt),  # the usual way out
        Live(console=console, screen=True, auto_refresh=False) as live,
    ):
        while left is None or left > 0:
            live.update(_screen(context), refresh=True)
            left = None if left is None else left - 1
            time.sleep(interval)
    return Exit.DONE


def _screen(context: Context) -> "Text":
    """All services, the worst first; a service that does not answer is part of the picture."""
    from rich.text import Text

    from alicia.cli.tables import lay_out

    try:
        services = context.collector.get("/services")["services"]
    except Unreachable as error:
        return Text(one_line(error))
    lines = lay_out(_COLUMNS, _rows(context, services), width=None)
    screen = Text("\n").join(map(styled, lines))
    screen.no_wrap, screen.overflow = True, "ellipsis"
    return screen


def _rows(context: Context, services: list[dict[str, Any]]) -> list[tuple[object, ...]]:
    now_ms = context.clock.now_ms()
    ranked = sorted(services, key=lambda s: (_ORDER.get(str(s.get("status")), 2), _name(s)))
    return [
        (
            _name(service),
            service.get("status"),
            words.relative(service.get("last_seen"), now_ms),
            _count(service.get("instances")),
            service.get("restarts", 0),
            service.get("reason"),
        )
        for service in ranked
    ]


def _name(service: dict[str, Any]) -> str:
    return str(service.get("service_name") or service.get("name"))


def _count(instances: object) -> object:
    return len(instances) if isinstance(instances, list | dict) else instances
