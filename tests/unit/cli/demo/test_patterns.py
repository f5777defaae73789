"""The demo's curves: plausible, repeatable, and counters that only grow."""

import itertools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alicia.cli.demo import patterns
from alicia.cli.demo.cast import CAST, roles
from alicia.cli.demo.chaos import Mood, mood_at
from alicia.wire.names import FLEET

NOON = 1_795_608_000.0  # a day's 12:00 UTC
HOUR = 3600.0
moments = st.floats(1.7e9, 2.0e9)
names = st.sampled_from([role.name for role in CAST])


@given(names, moments)
def test_load_is_a_share(name: str, t: float) -> None:
    assert 0 < patterns.load(name, t) < 1


@given(names)
def test_noon_is_busier_than_the_small_hours(name: str) -> None:
    assert patterns.load(name, NOON) > patterns.load(name, NOON - 8 * HOUR) + 0.2


@given(names, moments, st.floats(0.1, 90_000), st.floats(0, 1))
def test_counters_grow_and_add_up_over_any_cut(
    name: str, start: float, span: float, cut: float
) -> None:
    end, middle = start + span, start + span * cut
    whole = patterns.requests(name, start, end, busy=2)
    parts = patterns.requests(name, start, middle, busy=2) + patterns.requests(
        name, middle, end, busy=2
    )
    assert whole > 0
    assert parts == pytest.approx(whole, rel=1e-3, abs=1e-2)


def test_the_integral_fits_the_load() -> None:
    steps = [NOON + i for i in range(3600)]
    summed = sum(4 * patterns.load("ai_service", t + 0.5) for t in steps)
    exact = patterns.requests("ai_service", NOON, NOON + 3600, busy=1)
    assert summed == pytest.approx(exact, rel=1e-3)


@given(st.floats(0, 1e9), st.floats(1, 20_000))
def test_histograms_are_cumulative(count: float, median_ms: float) -> None:
    value: Any = patterns.histogram(count, median_ms)
    buckets = list(value["buckets"].values())
    assert buckets == sorted(buckets)
    assert buckets[-1] == value["count"]
    assert list(value["buckets"])[-1] == "+Inf"


def test_the_cast_is_the_fleet_without_us() -> None:
    assert {role.name for role in CAST} == FLEET - {"metrics_collector", "event_scheduler"}
    assert sum(role.wraps_twice for role in CAST) == 16
    assert len({role.port for role in CAST}) == 20
    assert [role.name for role in roles(22)[-2:]] == ["sim_21", "sim_22"]
    assert len(roles(3)) == 3


def test_chaos_comes_to_most_and_leaves_everybody() -> None:
    day = range(0, 86_400, 180)
    for role in CAST:
        moods = [mood_at(1, role.name, NOON + t) for t in day]
        assert moods == [mood_at(1, role.name, NOON + t) for t in day]
        crashed = moods.count(Mood.CRASHED)
        assert 5 < crashed < 60
        assert 20 < moods.count(Mood.SLOW) < 120
    seen = [mood_at(1, role.name, NOON) for role in CAST]
    assert seen.count(Mood.WELL) > 10


def test_no_service_is_down_for_ever() -> None:
    moods = [mood_at(seed, "x", NOON + 180 * i) for seed in range(20) for i in range(500)]
    longest = max(
        (len(list(run)) for mood, run in itertools.groupby(moods) if mood is Mood.CRASHED),
        default=0,
    )
    assert 1 <= longest <= 2
