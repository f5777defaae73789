"""The ring of one series against a plain dictionary."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alicia.tsdb.ring import Ring


def content(ring: Ring) -> dict[int, float]:
    return dict(zip(*ring.span(-(10**9), 10**9), strict=True))


def test_late_samples_take_their_place() -> None:
    ring = Ring(10)
    for t_ms in (10, 30, 20):
        ring.put(t_ms, float(t_ms))
    assert list(content(ring)) == [10, 20, 30]
    assert (ring.oldest_ms, ring.newest_ms, len(ring)) == (10, 30, 3)


def test_bounds_of_a_span_are_inclusive() -> None:
    ring = Ring(10)
    for t_ms in (10, 20, 30):
        ring.put(t_ms, 0.0)
    assert list(ring.span(10, 20)[0]) == [10, 20]
    assert list(ring.span(11, 29)[0]) == [20]
    assert list(ring.span(31, 40)[0]) == []
    assert list(ring.span(40, 31)[0]) == []


@pytest.mark.parametrize(
    ("at_ms", "found"), [(9, None), (10, (10, 1.0)), (15, (10, 1.0)), (99, (20, 2.0))]
)
def test_the_newest_until(at_ms: int, found: tuple[int, float] | None) -> None:
    ring = Ring(10)
    ring.put(10, 1.0)
    ring.put(20, 2.0)
    assert ring.newest_until(at_ms) == found


def test_an_empty_ring_answers() -> None:
    ring = Ring(1)
    assert (len(ring), ring.at(0), ring.newest_until(5)) == (0, None, None)
    ring.trim(100)
    ring.put(1, 1.0)
    ring.trim(2)
    assert len(ring) == 0
    ring.put(0, 7.0)
    assert content(ring) == {0: 7.0}


@given(
    samples_max=st.integers(1, 20),
    steps=st.lists(
        st.tuples(st.just("put"), st.integers(0, 60), st.integers(0, 9))
        | st.tuples(st.just("trim"), st.integers(0, 60), st.just(0)),
        max_size=300,
    ),
)
def test_it_is_the_newest_part_of_a_dictionary(
    samples_max: int, steps: list[tuple[str, int, int]]
) -> None:
    ring, model = Ring(samples_max), dict[int, float]()
    for step, t_ms, value in steps:
        if step == "put":
            ring.put(t_ms, float(value))
            model[t_ms] = float(value)
            for oldest in sorted(model)[: max(len(model) - samples_max, 0)]:
                del model[oldest]
        else:
            ring.trim(t_ms)
            model = {t: v for t, v in model.items() if t >= t_ms}
        assert content(ring) == dict(sorted(model.items()))
        assert ring.at(t_ms) == model.get(t_ms)
