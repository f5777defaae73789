"""Weaving what several sources hold into one run per series."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alicia.series.samples import STALE_BITS as S
from alicia.tsdb.kernels import reading
from alicia.tsdb.kernels.bits import Words

Series = list[list[tuple[int, int]]]  # of each series its times and bits


def words(numbers: list[int]) -> Words:
    return np.array(numbers, np.int64)


def runs(series: Series) -> tuple[Words, Words, Words]:
    offsets = words([0, *np.cumsum([len(samples) for samples in series])])
    flat = words([n for samples in series for pair in samples for n in pair]).reshape(-1, 2)
    return offsets, flat[:, 0].copy(), flat[:, 1].copy()


def unpacked(offsets: Words, t_ms: Words, values: Words) -> Series:
    pairs = list(zip(t_ms.tolist(), values.tolist(), strict=True))
    return [pairs[a:b] for a, b in zip(offsets[:-1].tolist(), offsets[1:].tolist(), strict=True)]


def tidied(series: Series) -> Series:
    offsets, t_ms, values = runs(series)
    size = reading.tidy(offsets, t_ms, values)
    assert size == offsets[-1]
    return unpacked(offsets, t_ms[:size], values[:size])


@pytest.mark.parametrize(
    ("series", "expected"),
    [
        ([], []),
        ([[]], [[]]),
        ([[(1, 5)]], [[(1, 5)]]),
        ([[(2, 5), (1, 6)]], [[(1, 6), (2, 5)]]),
        ([[(1, 5), (1, 6)]], [[(1, 5)]]),  # the first stays
        ([[(1, S), (1, 6)]], [[(1, 6)]]),  # unless it is a marker
        ([[(1, 5), (1, S)]], [[(1, 5)]]),
        ([[(1, S), (1, S)]], [[(1, S)]]),
        ([[(1, S), (1, 6), (1, 7)]], [[(1, 6)]]),
        ([[(2, 1), (1, S), (2, 2), (1, 3)]], [[(1, 3), (2, 1)]]),
        ([[(1, 5), (1, 5)], [], [(1, 6), (2, 7)]], [[(1, 5)], [], [(1, 6), (2, 7)]]),
    ],
)
def test_each_series_is_sorted_with_one_sample_at_a_time(series: Series, expected: Series) -> None:
    assert tidied(series) == expected


@given(st.lists(st.lists(st.tuples(st.integers(0, 9), st.sampled_from([S, 1, 2])), max_size=12)))
def test_tidy_is_what_a_dictionary_would_keep(series: Series) -> None:
    expected = []
    for samples in series:
        kept: dict[int, int] = {}
        for t, value in samples:
            if kept.get(t, S) == S:
                kept[t] = value
        expected.append(sorted(kept.items()))
    assert tidied(series) == expected


@pytest.mark.parametrize(
    ("end_ms", "samples_max", "expected"),
    [
        (9, 9, [[1, 2, 3, 4], [], [2, 3]]),
        (9, 2, [[3, 4], [], [2, 3]]),
        (9, 1, [[4], [], [3]]),
        (3, 2, [[3], [], [2, 3]]),  # of the newest two those up to 3
        (2, 2, [[], [], [2]]),
        (2, 4, [[1, 2], [], [2]]),
        (0, 9, [[], [], []]),
        (-9, 1, [[], [], []]),
    ],
)
def test_the_newest_of_each_series_up_to_a_time(
    end_ms: int, samples_max: int, expected: list[list[int]]
) -> None:
    series = [[(t, 10 * t) for t in times] for times in ([1, 2, 3, 4], [], [2, 3])]
    offsets, t_ms, values = runs(series)
    size = reading.cut(offsets, t_ms, values, end_ms, samples_max)
    assert unpacked(offsets, t_ms[:size], values[:size]) == [
        [(t, 10 * t) for t in times] for times in expected
    ]


def test_spans_of_series_in_sorted_rows() -> None:
    spans = np.full((5, 2), 99, np.int64)
    reading.find_spans(words([4, 1, 0, 2, 9]), words([1, 1, 2, 4, 4, 4]), spans)
    assert spans.tolist() == [[3, 6], [0, 2], [0, 0], [2, 3], [6, 6]]


@pytest.mark.parametrize(
    ("bounds", "span"),
    [((0, 9), (1, 4)), ((2, 3), (2, 4)), ((2, 2), (2, 3)), ((4, 9), (4, 4)), ((3, 2), (3, 3)),
     ((-5, 0), (1, 1)), ((1, 1), (1, 2))],
)  # fmt: skip
def test_spans_are_narrowed_to_bounds_that_both_count(
    bounds: tuple[int, int], span: tuple[int, int]
) -> None:
    spans = words([1, 4]).reshape(1, 2)
    reading.narrow_spans(spans, words([9, 1, 2, 3, 0]), bounds)
    assert tuple(spans[0].tolist()) == span


def test_parts_are_put_behind_what_is_there() -> None:
    out_t, out_values = np.zeros((2, 6), np.int64)
    cursors = words([0, 4])
    for spans, t_ms in (([[0, 2], [2, 3]], [1, 2, 5]), ([[1, 2], [0, 1]], [6, 3])):
        reading.append_part(
            words(spans).reshape(2, 2), words(t_ms), words(t_ms) * 10, cursors, out_t, out_values
        )
    assert out_t.tolist() == [1, 2, 3, 0, 5, 6]
    assert out_values.tolist() == [10, 20, 30, 0, 50, 60]
    assert cursors.tolist() == [3, 6]
