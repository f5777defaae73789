"""Events by what people call them."""

from typing import Any, Final

from alicia.cli.api import Api, path
from alicia.cli.exits import Failed, Refused, Usage

_EVENTS_MAX: Final = 10_000  # of one page


def find_event(scheduler: Api, wanted: str) -> dict[str, Any]:
    """The event by its id, else by its name.

    Of several events with the name the one that is not cancelled is meant.

    Raises:
        Refused: there is neither.
        Failed: several events have the name.
    """
    if not wanted:
        raise Usage("EVENT: is empty; write its id or its name")
    try:
        event: dict[str, Any] = scheduler.get(path("events", wanted))["event"]
    except Refused as error:
        if error.status != 404:
            raise
        named = _named(scheduler, wanted)
        if not named:
            raise
        if len(named) > 1:
            ids = ", ".join(str(candidate["event_id"]) for candidate in named[:5])
            raise Failed(f"{len(named)} events are named {wanted[:64]!r}: {ids}") from None
        event = scheduler.get(path("events", named[0]["event_id"]))["event"]
    return event


def event_names(scheduler: Api) -> dict[str, str]:
    """The name of each event, cancelled ones too, by id."""
    found = scheduler.get("/events", {"limit": _EVENTS_MAX})["events"]
    return {str(event["event_id"]): str(event.get("name") or "") for event in found}


def _named(scheduler: Api, name: str) -> list[dict[str, Any]]:
    found = scheduler.get("/events", {"search": name, "limit": _EVENTS_MAX})["events"]
    named = [event for event in found if event.get("name") == name]
    alive = [event for event in named if event.get("status") != "cancelled"]
    return alive or named
