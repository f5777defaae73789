"""The sun against astral, up to 60 degrees; and no place on earth that breaks it."""

from datetime import UTC, date, datetime, timedelta

from astral import Observer
from astral.sun import dawn, dusk, sunrise, sunset
from hypothesis import given, settings
from hypothesis import strategies as st

from alicia.scheduling.triggers.sun import SunSpec, SunTrigger
from alicia.scheduling.triggers.sun_position import SunEvent

ASTRAL = {
    SunEvent.SUNRISE: sunrise,
    SunEvent.SUNSET: sunset,
    SunEvent.DAWN: dawn,
    SunEvent.DUSK: dusk,
}
SECOND = 1_000_000


def nearest(event: SunEvent, observer: Observer, moment: datetime) -> float:
    """Seconds between a moment and astral's closest event; astral counts days by UTC."""
    distances = []
    for shift in (-1, 0, 1):
        try:
            found = ASTRAL[event](observer, date=(moment + timedelta(days=shift)).date())
        except ValueError:
            continue
        distances.append(abs((found - moment).total_seconds()))
    return min(distances)


@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from(SunEvent),
    st.floats(-60, 60),
    st.floats(-180, 180),
    st.dates(date(1975, 1, 1), date(2150, 12, 31)),
)
def test_astral_agrees_within_a_minute(
    event: SunEvent, latitude: float, longitude: float, day: date
) -> None:
    start = int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) * SECOND
    trigger = SunTrigger(
        SunSpec(event=event, latitude=latitude, longitude=longitude), UTC, zone_name="UTC"
    )
    due = trigger.next_after(start)
    if due is None or due - start > 2 * 86_400 * SECOND:
        assert abs(latitude) > 59  # a white night: the sun stays above the dusk
        return
    moment = datetime.fromtimestamp(due / SECOND, UTC)
    observer = Observer(latitude=latitude, longitude=longitude, elevation=0)
    assert nearest(event, observer, moment) <= 60


@settings(max_examples=100, deadline=None)
@given(
    st.sampled_from(SunEvent),
    st.floats(-90, 90),
    st.floats(-180, 180),
    st.integers(0, 6_000_000_000),
    st.integers(-(12 * 3600), 12 * 3600),
)
def test_no_place_raises_and_instants_ascend(
    event: SunEvent, latitude: float, longitude: float, start: int, offset: int
) -> None:
    spec = SunSpec(event=event, latitude=latitude, longitude=longitude, offset_s=offset)
    trigger = SunTrigger(spec, UTC, zone_name="UTC")
    first = trigger.next_after(start * SECOND)
    if first is not None:
        assert first > start * SECOND
        second = trigger.next_after(first)
        assert second is None or second > first
