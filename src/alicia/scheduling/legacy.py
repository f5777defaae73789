"""The older shape of an event, ``schedule_config`` and its like, in today's words.

Source: contract.md §4.
"""

from collections.abc import Mapping
from typing import Final

# Today's field, and what older clients called it within ``schedule_config``; first one wins.
_SAME: Final[Mapping[str, tuple[str, ...]]] = {
    "run_at": ("run_at", "run_time", "run_date", "datetime", "scheduled_time", "time", "at"),
    "interval_seconds": ("interval_seconds", "interval", "seconds"),
    "cron_expression": ("cron_expression", "cron", "expression"),
    "recurrence": ("recurrence", "rrule", "pattern"),
    "timezone": ("timezone", "tz"),
    "start_at": ("start_at", "start_time", "start_date"),
    "end_at": ("end_at", "end_time", "end_date"),
    "max_runs": ("max_runs", "max_executions"),
}
_UNITS: Final = {
    "interval_minutes": 60, "minutes": 60, "interval_hours": 3600, "hours": 3600,
    "interval_days": 86_400, "days": 86_400,
}  # fmt: skip
_TYPES: Final = {
    "one_time": "once", "one-time": "once", "onetime": "once", "date": "once", "at": "once",
    "periodic": "interval", "every": "interval", "rrule": "recurring", "recurrence": "recurring",
}  # fmt: skip
_TYPE_OF_FIELD: Final = {
    "run_at": "once", "interval_seconds": "interval", "cron_expression": "cron",
    "recurrence": "recurring",
}  # fmt: skip


def normalised(body: Mapping[str, object]) -> dict[str, object]:
    """The body with ``schedule_config`` spread over today's fields, and the type filled in.

    Today's fields win over older ones. Values are not judged here; a config that is no object
    stays, for the reader to refuse.
    """
    result = dict(body)
    config = body.get("schedule_config")
    if isinstance(config, Mapping):
        del result["schedule_config"]
        _spread(config, result)
    older = result.pop("event_type", None)
    kind = older if result.get("schedule_type") in (None, "") else result["schedule_type"]
    if isinstance(kind, str) and kind.strip():
        kind = kind.strip().lower()
        result["schedule_type"] = _TYPES.get(kind, kind)
    elif kind is None or isinstance(kind, str):
        given = [name for name in _TYPE_OF_FIELD if result.get(name) not in (None, "")]
        if len(given) == 1:
            result["schedule_type"] = _TYPE_OF_FIELD[given[0]]
    return result


def _spread(config: Mapping[str, object], into: dict[str, object]) -> None:
    for name, older in _SAME.items():
        found = next((config[key] for key in older if config.get(key) is not None), None)
        if found is not None:
            into.setdefault(name, found)
    for name, size in _UNITS.items():
        value = config.get(name)
        if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e9:
            into.setdefault("interval_seconds", value * size)
    if "frequency" in config or "sun" in config:
        into.setdefault("recurrence", dict(config))
    if isinstance(config.get("type"), str):
        into.setdefault("schedule_type", config["type"])
