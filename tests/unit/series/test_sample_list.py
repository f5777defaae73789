"""Samples as lists: the same samples in another form."""

import pytest

from alicia.series.labels import LabelSet
from alicia.series.samples import Sample, SampleList

SAMPLES = [Sample(LabelSet({"__name__": f"m{i}"}), 1000 + i, i / 2) for i in range(3)]


def test_gives_back_what_it_was_made_of() -> None:
    made = SampleList.of(SAMPLES)
    assert list(made) == SAMPLES
    assert (len(made), made[1], made[-1], made[1:]) == (3, SAMPLES[1], SAMPLES[2], SAMPLES[1:])
    with pytest.raises(IndexError):
        made[3]


def test_a_list_is_taken_as_it_is_and_another_is_added_behind() -> None:
    made = SampleList.of(SAMPLES[:1])
    assert SampleList.of(made) is made
    made.extend(SampleList.of(SAMPLES[1:]))
    assert list(made) == SAMPLES
