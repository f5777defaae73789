"""What the simulated home has planned: a few events that target the simulated services.

They carry the tag ``demo``, end by themselves within a day, and are removed when the demo stops,
so that a look at the demo leaves nothing behind in an owner's schedule.
"""

from collections.abc import Mapping
from typing import Any, Final

from alicia.adapters.settings import Settings
from alicia.cli.api import Api, find_service, path
from alicia.cli.exits import Refused, Unreachable

TAG: Final = "demo"
_LIFE_SECONDS: Final = 86_400
_RIGA: Final = {"latitude": 56.95, "longitude": 24.1}

EVENTS: Final[tuple[Mapping[str, Any], ...]] = (
    {
        "name": "voice self-test",
        "description": "Say a sentence and check that it is understood.",
        "schedule_type": "interval",
        "interval_seconds": 20,
        "target_service": "stt_service",
        "payload": {"command": "self_test"},
        "require_ack": True,
        "timeout": 10,
        "max_retries": 1,
    },
    {
        "name": "weather report",
        "schedule_type": "cron",
        "cron_expression": "*/2 * * * *",
        "target_service": "tts_service",
        "payload": {"command": "speak", "text": "Light rain, four degrees."},
        "require_ack": True,
        "timeout": 10,
    },
    {
        "name": "good morning",
        "schedule_type": "cron",
        "cron_expression": "30 7 * * mon-fri",
        "target_service": "tts_service",
        "payload": {"command": "speak", "text": "Good morning"},
    },
    {
        "name": "lights at dusk",
        "schedule_type": "recurring",
        "recurrence": {"sun": "sunset", "offset": "-15m", **_RIGA},
        "target_service": "device_control",
        "payload": {"command": "lights", "state": "on"},
    },
)


def plan(settings: Settings, *, now: float) -> bool:
    """Store the events that are not there yet; False where no scheduler answers or it refuses."""
    api = find_service("scheduler", settings)
    try:
        known = {event["name"] for event in _planned(api)}
        for event in EVENTS:
            if event["name"] not in known:
                api.post("/events", {**event, "tags": [TAG], "end_at": now + _LIFE_SECONDS})
    except (Refused, Unreachable):
        return False
    return True


def clear(settings: Settings) -> None:
    """Remove the events with their history, as far as the scheduler still answers."""
    api = find_service("scheduler", settings)
    try:
        for event in _planned(api):
            api.delete(path("events", event["event_id"]) + "?purge=true")
    except (Refused, Unreachable):
        return


def _planned(api: Api) -> list[dict[str, Any]]:
    return list(api.get("/events", {"tag": TAG, "active_only": True})["events"])
