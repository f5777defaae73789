"""``alicia alerts``: what is wrong now, or was."""

from alicia.cli import words
from alicia.cli.context import Context
from alicia.cli.exits import Exit
from alicia.cli.parsing import Group, positive


def configure(group: Group) -> None:
    """Describe the arguments."""
    parser = group.alone(alerts)
    parser.add_argument("--all", action="store_true", help="resolved ones too")
    parser.add_argument("--severity", choices=("info", "warning", "error", "critical"))
    parser.add_argument("--service", help="of one service")
    parser.add_argument("--limit", type=positive, metavar="N", help="(1000)")


def alerts(context: Context) -> int:
    """List alerts, those that fire first."""
    reply = context.collector.get(
        "/alerts",
        {
            "active_only": not context.get("all"),
            "severity": context.get("severity"),
            "service": context.get("service"),
            "limit": context.get("limit"),
        },
    )
    if context.json:
        context.out.json(reply)
        return Exit.DONE
    rows = alert_rows(reply["alerts"], context.clock.now_ms())
    if rows:
        context.out.table(["state", "severity", "rule", "service", "since", "message"], rows)
    else:
        context.out.line("no alerts" if context.get("all") else "no active alerts")
    return Exit.DONE


def alert_rows(found: list[dict[str, object]], now_ms: int) -> list[tuple[object, ...]]:
    """Rows of a table of alerts, in the order of urgency."""
    order = {"firing": 0, "pending": 1}
    ranked = sorted(found, key=lambda alert: order.get(str(alert.get("state")), 2))
    return [
        (
            _state(alert),
            alert.get("severity"),
            alert.get("rule_name"),
            alert.get("service_name") or "-",
            words.relative(alert.get("fired_at") or alert.get("active_at"), now_ms),
            alert.get("message"),
        )
        for alert in ranked
    ]


def _state(alert: dict[str, object]) -> str:
    state = str(alert.get("state"))
    return f"{state} (silenced)" if alert.get("silenced_by") else state
