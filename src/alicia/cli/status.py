"""``alicia status``: both services, the fleet, alerts and next runs on one screen."""

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, Final

from alicia.base.errors import AliciaError
from alicia.cli import words
from alicia.cli.alerts import alert_rows
from alicia.cli.api import Api, part_of, read_note
from alicia.cli.context import Context
from alicia.cli.exits import Exit, Unreachable, one_line
from alicia.cli.parsing import Group

_PATIENCE_SECONDS: Final = 3.0  # a screen of state is worth no longer wait
_RUNS_SHOWN: Final = 5
_ALERTS_SHOWN: Final = 10


def configure(group: Group) -> None:
    """Describe the arguments: there are none but the shared ones."""
    group.alone(status)


def status(context: Context) -> int:
    """Show the state of everything; what does not answer is said and does not hide the rest."""
    report = gather(context)
    context.out.json(report) if context.json else _show(context, report)
    if any(report[name]["status"] == "unreachable" for name in ("collector", "scheduler")):
        return Exit.UNREACHABLE
    return Exit.FAILED if report["refusals"] else Exit.DONE


def gather(context: Context) -> dict[str, Any]:
    """The state as one value; lists are empty where the service did not answer."""
    collector = context.collector.within(_PATIENCE_SECONDS)
    scheduler = context.scheduler.within(_PATIENCE_SECONDS)
    note = read_note("up", context.settings.data_dir)
    lists: dict[str, tuple[str, Callable[[], list[dict[str, Any]]]]] = {
        "services": ("collector", lambda: collector.get("/services")["services"]),
        "alerts": (
            "collector",
            lambda: collector.get("/alerts", {"active_only": True})["alerts"],
        ),
        "next_runs": ("scheduler", lambda: _soonest(scheduler)),
    }
    report: dict[str, Any] = {
        "supervisor": _supervisor(note),
        "collector": _health(collector),
        "scheduler": _health(scheduler),
        "refusals": [],
    }
    for name, (service, ask) in lists.items():
        report[name] = []
        if report[service]["status"] == "unreachable":
            continue  # which is said once; asking again would only cost time
        try:
            report[name] = ask()
        except AliciaError as error:
            report["refusals"].append(f"{name}: {one_line(error)}")
    return report


def _supervisor(note: Mapping[str, Any]) -> dict[str, Any] | None:
    """What ``alicia up`` notes of its parts; None where each runs on its own."""
    if not note:
        return None
    parts = part_of(note, "parts")
    return {
        "pid": note["pid"],
        "broker": part_of(note, "broker").get("kind"),
        "restarts": {name: part_of(parts, name).get("restarts", 0) for name in parts},
    }


def _health(api: Api) -> dict[str, Any]:
    try:
        return {"url": api.url, **api.health()}
    except Unreachable as error:
        return {"url": api.url, "status": "unreachable", "detail": one_line(error)}
    except AliciaError as error:
        return {"url": api.url, "status": "unknown", "detail": one_line(error)}


def _soonest(scheduler: Api) -> list[dict[str, Any]]:
    events = scheduler.get("/events", {"active_only": True})["events"]
    planned = [event for event in events if event.get("next_run")]
    planned.sort(key=lambda event: _instant(event["next_run"]))
    return [
        {key: event.get(key) for key in ("event_id", "name", "next_run", "schedule_text")}
        for event in planned[:_RUNS_SHOWN]
    ]


def _instant(value: Any) -> int:
    from alicia.base.times import parse_time_ms

    return parse_time_ms(value)


def _show(context: Context, report: dict[str, Any]) -> None:
    now_ms = context.clock.now_ms()
    out = context.out
    supervisor = report["supervisor"] or {"broker": "-", "restarts": {}}
    restarts = supervisor["restarts"]
    out.table(
        ["service", "status", "address", "up for", "restarts", "bus", "said"],
        [
            _service_row(name, report[name], restarts.get(name, "-"))
            for name in ("collector", "scheduler")
        ],
    )
    if report["collector"]["status"] == "unreachable" == report["scheduler"]["status"]:
        return
    fleet = Counter(str(service.get("status")) for service in report["services"])
    firing = [alert for alert in report["alerts"] if alert.get("state") == "firing"]
    out.line()
    out.pairs(
        [
            ("broker", f"{supervisor['broker']}, restarts {restarts.get('broker', '-')}"),
            ("fleet", ", ".join(f"{n} {word}" for word, n in fleet.most_common()) or "no services"),
            ("alerts", f"{len(firing)} firing, {len(report['alerts']) - len(firing)} pending"),
            ("next runs", len(report["next_runs"]) or "none"),
        ],
    )
    for refusal in report["refusals"]:
        out.line(refusal)
    _show_lists(context, report, now_ms)


def _show_lists(context: Context, report: dict[str, Any], now_ms: int) -> None:
    out = context.out
    troubled = [s for s in report["services"] if s.get("status") in ("down", "degraded")]
    if troubled:
        out.line()
        columns = ["not well", "status", "reason"]
        out.table(columns, [(_name(s), s.get("status"), s.get("reason")) for s in troubled])
    if report["alerts"]:
        out.line()
        rows = alert_rows(report["alerts"], now_ms)[:_ALERTS_SHOWN]
        out.table(["alert", "severity", "rule", "service", "since", "message"], rows)
    if report["next_runs"]:
        out.line()
        runs = [
            (words.relative(run["next_run"], now_ms), run["name"], run["schedule_text"])
            for run in report["next_runs"]
        ]
        out.table(["next run", "event", "schedule"], runs)


def _name(service: dict[str, Any]) -> object:
    return service.get("service_name") or service.get("name")


def _service_row(name: str, health: dict[str, Any], restarts: object) -> tuple[object, ...]:
    uptime = health.get("uptime")
    connected = health.get("mqtt_connected")
    return (
        name,
        health["status"],
        health["url"],
        "-" if uptime is None else words.span(uptime * 1000),
        restarts,
        "-" if connected is None else "connected" if connected else "away",
        health.get("detail") or _complaint(health) or "-",
    )


def _complaint(health: dict[str, Any]) -> str:
    checks = health.get("checks")
    if not isinstance(checks, dict):
        return ""
    fine = ("healthy", "ok", "pass", "up")
    return "; ".join(
        f"{name}: {check.get('detail')}"
        for name, check in checks.items()
        if isinstance(check, dict) and check.get("status") not in fine
    )
