import math
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alicia.base.errors import BadField
from alicia.series.columns import Columns, joined
from alicia.series.labels import LabelSet
from alicia.series.matchers import Matcher, MatchOp, matches_all
from alicia.series.samples import STALE, bits, is_stale, same_bits

LABELS = st.dictionaries(st.text(max_size=8), st.text(max_size=8), max_size=6)


def test_an_empty_value_means_absent() -> None:
    assert LabelSet({"a": "1", "b": ""}) == LabelSet({"a": "1"})
    assert "b" not in LabelSet({"b": ""})


@given(LABELS)
def test_order_of_writing_does_not_matter(labels: dict[str, str]) -> None:
    backwards = dict(reversed(labels.items()))
    assert LabelSet(labels) == LabelSet(backwards)
    assert hash(LabelSet(labels)) == hash(LabelSet(backwards))
    assert dict(LabelSet(labels)) == {name: value for name, value in labels.items() if value}
    assert list(LabelSet(labels)) == sorted(LabelSet(labels))


def test_text_quotes_what_would_break_it() -> None:
    labels = LabelSet({"__name__": "up", "path": 'C:\\"\n'})
    assert str(labels) == 'up{path="C:\\\\\\"\\n"}'
    assert str(LabelSet({"__name__": "up"})) == "up"
    assert str(LabelSet({})) == "{}"
    assert labels.without("path") == LabelSet({"__name__": "up"})
    assert labels.merged({"path": "", "job": "x"}) == LabelSet({"__name__": "up", "job": "x"})


@pytest.mark.parametrize(
    ("op", "pattern", "value", "expected"),
    [
        (MatchOp.EQUAL, "a", "a", True),
        (MatchOp.EQUAL, "", "", True),
        (MatchOp.NOT_EQUAL, "a", "", True),
        (MatchOp.NOT_EQUAL, "a", "a", False),
        (MatchOp.REGEX, "a|b", "b", True),
        (MatchOp.REGEX, "a", "ab", False),  # anchored at both ends
        (MatchOp.REGEX, "a.b", "a\nb", True),  # the dot matches newline
        (MatchOp.REGEX, "", "", True),
        (MatchOp.NOT_REGEX, "a.*", "abc", False),
        (MatchOp.NOT_REGEX, "a.*", "", True),
    ],
)
def test_matchers_follow_prometheus(op: MatchOp, pattern: str, value: str, expected: bool) -> None:
    assert Matcher("x", op, pattern).matches(value) is expected


@pytest.mark.parametrize("pattern", ["(", "a(?=b)", "[", "a{1001}", "x" * 1025, "(?P<n"])
def test_what_re2_cannot_read_is_one_clear_error(pattern: str) -> None:
    with pytest.raises(BadField) as caught:
        Matcher("x", MatchOp.REGEX, pattern)
    assert caught.value.reason in ("bad_regex", "regex_too_long")


def test_an_absent_label_matches_as_empty() -> None:
    matchers = (Matcher("a", MatchOp.EQUAL, "1"), Matcher("b", MatchOp.EQUAL, ""))
    assert matches_all(matchers, LabelSet({"a": "1"}))
    assert not matches_all(matchers, LabelSet({"a": "1", "b": "2"}))


def test_the_stale_marker_is_told_by_its_bits() -> None:
    assert math.isnan(STALE)
    assert is_stale(STALE)
    assert not is_stale(math.nan)
    assert is_stale(struct.unpack("<d", struct.pack("<d", STALE))[0])
    assert same_bits(math.nan, math.nan)
    assert not same_bits(0.0, -0.0)
    assert bits(0.0) == 0


def test_columns_yield_each_series_with_its_samples() -> None:
    first, second = LabelSet({"__name__": "a"}), LabelSet({"__name__": "b"})
    columns = Columns(
        labels=(first, second),
        offsets=np.array([0, 2, 3]),
        t_ms=np.array([1, 2, 1]),
        values=np.array([0.5, 1.5, 9.0]),
    )
    assert [(labels, t.tolist(), v.tolist()) for labels, t, v in columns] == [
        (first, [1, 2], [0.5, 1.5]),
        (second, [1], [9.0]),
    ]


def test_blocks_are_joined_in_order() -> None:
    def block(*series: tuple[str, list[int]]) -> Columns:
        t_ms = [t for _, times in series for t in times]
        ends = np.cumsum([0, *(len(times) for _, times in series)])
        labels = tuple(LabelSet({"n": name}) for name, _ in series)
        return Columns(labels, ends, np.array(t_ms, np.int64), np.array(t_ms, np.float64) / 2)

    whole = joined([block(("a", [1, 2]), ("b", [3])), block(), block(("c", [4, 5, 6]))])
    assert [(labels["n"], t.tolist(), v.tolist()) for labels, t, v in whole] == [
        ("a", [1, 2], [0.5, 1.0]), ("b", [3], [1.5]), ("c", [4, 5, 6], [2.0, 2.5, 3.0]),
    ]  # fmt: skip
    assert list(joined([])) == []
    assert (joined([]).t_ms.dtype, joined([]).offsets.tolist()) == (np.int64, [0])
