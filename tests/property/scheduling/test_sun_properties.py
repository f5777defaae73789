"""The sun against astral, up to 60 degrees; and no place on earth that breaks it."""

from datetime import UTC, date, datetime, timedelta

from astral import Observer, SunDirection
from astral.sun import sunrise, sunset, time_of_transit
from hypothesis import given, settings
from hypothesis import strategies as st

from alicia.scheduling.triggers.sun import SunSpec, SunTrigger
from alicia.scheduling.triggers.sun_position import SunEvent

SECOND = 1_000_000


def oracle(event: SunEvent, observer: Observer, day: date) -> datetime:
    """astral's instant; its dawn and dusk add refraction to the 6 degrees, which ours do not."""
    if event is SunEvent.SUNRISE:
        return sunrise(observer, date=day)
    if event is SunEvent.SUNSET:
        return sunset(observer, date=day)
    direction = SunDirection.RISING if event.rising else SunDirection.SETTING
    return time_of_transit(observer, day, 96.0, direction, with_refraction=False)


def nearest(event: SunEvent, observer: Observer, moment: datetime) -> float:
    """Seconds between a moment and astral's closest event; astral counts days by UTC."""
    distances = []
    for shift in (-1, 0, 1):
        try:
            found = oracle(event, observer, (moment + timedelta(days=shift)).date())
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
    distance = nearest(event, observer, moment)
    # astral has no event at all for the day on which one moves over midnight UTC.
    assert distance <= 60 or distance > 80_000


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
