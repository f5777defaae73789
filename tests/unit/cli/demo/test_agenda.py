from zoneinfo import ZoneInfo

import pytest

from alicia.cli.demo.agenda import EVENTS
from alicia.cli.demo.cast import roles
from alicia.scheduling.parse import parse_event

NOW_US = 1_795_600_000_000_000


@pytest.mark.parametrize("body", EVENTS, ids=lambda body: str(body["name"]))
def test_the_scheduler_takes_every_planned_event(body: dict) -> None:
    parsed = parse_event(
        body, now_us=NOW_US, default_zone="Europe/Riga", event_id="e1", zones=ZoneInfo
    )
    event = getattr(parsed, "event", parsed)
    assert event.name == body["name"]


def test_events_target_services_of_the_fleet() -> None:
    names = {role.name for role in roles(20)}
    assert {body["target_service"] for body in EVENTS} <= names


def test_names_tell_events_apart() -> None:
    assert len({body["name"] for body in EVENTS}) == len(EVENTS)
