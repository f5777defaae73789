"""OpenMetrics beyond the cases of tests/conformance/test_openmetrics.py."""

import pytest

from alicia.series.kinds import MetricType
from alicia.series.samples import Metadata, bits
from alicia.wire.read_exposition import BadExposition, Exposition
from alicia.wire.read_openmetrics import read_openmetrics
from alicia.wire.read_series import SeriesTexts


def read(text: str, **forced: str) -> Exposition:
    return read_openmetrics(text.encode(), SeriesTexts(), forced=tuple(forced.items()))


def test_types_units_and_help_are_told_under_the_name_of_the_samples() -> None:
    text = (
        '# TYPE c_seconds counter\n# UNIT c_seconds seconds\n# HELP c_seconds A\\n\\\\\\"b\\".\n'
        "c_seconds_total 1\nc_seconds_created 5\n"
        '# TYPE i info\ni_info 1\n# TYPE s stateset\ns{s="x"} 1\n'
        '# TYPE g gaugehistogram\ng_bucket{le="+Inf"} 1\n'
        '# TYPE h histogram\nh_bucket{le="+Inf"} 1\nplain 1\n# EOF\n'
    )
    assert read(text).metadata == {
        "c_seconds_total": Metadata(MetricType.COUNTER, "seconds", 'A\n\\"b".'),
        "i_info": Metadata(MetricType.GAUGE),
        "s": Metadata(MetricType.GAUGE),
        "g": Metadata(MetricType.UNKNOWN),
        "h": Metadata(MetricType.HISTOGRAM),
    }
    metrics = ["c_seconds_total", "c_seconds_total", "i_info", "s", "g", "h", "plain"]
    assert [row.metric for row in read(text).rows] == metrics


def test_times_are_seconds_to_the_nearest_millisecond() -> None:
    text = "a 1 1520430000.123\nb 1 -1.0005\nc 1 1e3\nd 1 0.0014\n# EOF"
    assert [row.t_ms for row in read(text).rows] == [1520430000123, -1000, 1_000_000, 1]


def test_values_are_exact_to_the_bit() -> None:
    rows = read("a -0\nb NaN\nc -0.0e5\nd +5e-324\n# EOF\n").rows
    assert [bits(row.value) for row in rows] == [-(2**63), 0x7FF8_0000_0000_0001, -(2**63), 1]


def test_names_may_be_quoted_and_labels_forced() -> None:
    (row,) = read('# TYPE "a.b" gauge\n{"a.b","c d"="e\\\\"} 1\n# EOF\n', job="j").rows
    assert dict(row.labels) == {"__name__": "a.b", "c d": "e\\", "job": "j"}


def test_bounds_are_canonical_in_compound_families_alone() -> None:
    text = (
        '# TYPE h histogram\nh_bucket{le="1"} 0\nh_bucket{le="1e9"} 0\nh_bucket{le="+Inf"} 0\n'
        '# TYPE s summary\ns{quantile="0"} 0\n# TYPE g gauge\ng{le="1",quantile="1"} 0\n# EOF\n'
    )
    assert [str(row.labels) for row in read(text).rows] == [
        'h_bucket{le="1.0"}', 'h_bucket{le="1e+09"}', 'h_bucket{le="+Inf"}',
        's{quantile="0.0"}', 'g{le="1",quantile="1"}',
    ]  # fmt: skip


def test_a_known_series_is_held_to_the_family_it_stands_in() -> None:
    texts = SeriesTexts()
    read_openmetrics(b'# TYPE h histogram\nh_bucket{le="+Inf"} 1\n# EOF\n', texts)
    read_openmetrics(b'# TYPE x histogram\nx_bucket{le="+Inf"} 1\n# EOF\n', texts)
    rows = read_openmetrics(
        b'# TYPE x histogram\nx_bucket{le="+Inf"} 1\nh_bucket{le="+Inf"} 1\n# EOF\n', texts
    ).rows
    assert [row.metric for row in rows] == ["x", "h_bucket"]


HISTOGRAM = "# TYPE h histogram\n"
INF = 'h_bucket{le="+Inf"} 2\n'


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("", 1, "does not end with # EOF"),
        ("a 1\n", 2, "does not end with # EOF"),
        ("a 1", 1, "does not end with # EOF"),
        ("# EOF\n\n", 1, "more behind # EOF"),
        ("# EOF\n# EOF\n", 1, "more behind # EOF"),
        ("\n# EOF\n", 1, "blank"),
        ("a 1\ta", 1, "does not end"),
        ("a\t1\n# EOF\n", 1, "one blank"),
        ("a 1 \n# EOF\n", 1, "one blank"),
        ("a 1 2 3\n# EOF\n", 1, "one blank"),
        ("a{} 1 1.1.1\n# EOF\n", 1, "no number of seconds"),
        ("a 1 NaN\n# EOF\n", 1, "no number of seconds"),
        ("a 1 1e300\n# EOF\n", 1, "outside the calendar"),
        ("a 1e999\n# EOF\n", 1, "no number"),
        ("a 1\r\n# EOF\n", 1, "no number"),
        ("a{ b=\"1\"} 1\n# EOF\n", 1, "joined by commas"),
        ("a{b =\"1\"} 1\n# EOF\n", 1, "joined by commas"),
        ("a {b=\"1\"} 1\n# EOF\n", 1, "no number"),
        ('a{b="1",,c="2"} 1\n# EOF\n', 1, "joined by commas"),
        ('a{"b"} 1\n# EOF\n', 1, "second name"),
        ("# help a b\n# EOF\n", 1, "no metadata"),
        ("#  HELP a b\n# EOF\n", 1, "no metadata"),
        ("# a comment\n# EOF\n", 1, "no metadata"),
        ("# TYPE a.b gauge\n# EOF\n", 1, "no metadata"),
        ("# TYPE a Gauge\n# EOF\n", 1, "'Gauge' is unknown"),
        ("# UNIT a_s s \n# EOF\n", 1, "unit 's '"),
        ("# UNIT a seconds\n# EOF\n", 1, "must end with _seconds"),
        ("# TYPE a_x info\n# UNIT a_x x\n# EOF\n", 1, "info has no unit"),
        ("# HELP a x\n# HELP a x\n# EOF\n", 2, "there twice"),
        ("a 1\n# TYPE a gauge\n# EOF\n", 2, "behind its samples"),
        ("# TYPE a gauge\n# TYPE b gauge\n# HELP a x\n# EOF\n", 3, "another family"),
        ("# TYPE a gauge\na 1\nb 1\na 2\n# EOF\n", 4, "another family"),
        ("a_total 1\n# TYPE a counter\n# EOF\n", 2, "another family"),
        ("# TYPE a counter\na 1\n# EOF\n", 2, "another family"),
        ("# TYPE a counter\na_total NaN\n# EOF\n", 2, "counts nothing"),
        ("# TYPE a counter\na_total -0.1\n# EOF\n", 2, "counts nothing"),
        ("a 1\na 2\n# EOF\n", 2, "the series is there twice"),
        ('a{b="1",c="2"} 1\na{c="2",b="1"} 2\n# EOF\n', 2, "the series is there twice"),
        ('a{b="1"} 1\na{b="2"} 1\na{b="1"} 1\n# EOF\n', 3, "stand apart"),
        (HISTOGRAM + "h_bucket 1\n# EOF\n", 2, "lacks the label le"),
        (HISTOGRAM + INF + 'h_sum{le="1"} 1\n# EOF\n', 3, "must not have the label le"),
        (HISTOGRAM + 'h_bucket{le="x"} 1\n# EOF\n', 2, "le 'x' is no number"),
        (HISTOGRAM + INF + "h_count 2\n# EOF\n", 4, "a count and no sum"),
        (HISTOGRAM + INF + "h_sum 2\n# EOF\n", 4, "a sum and no count"),
        (HISTOGRAM + INF + "h_sum 2\nh_count 3\n# EOF\n", 5, "a count unlike"),
        (HISTOGRAM + INF + INF + "# EOF\n", 3, "there twice"),
        (HISTOGRAM + 'h_bucket{le="2"} 1\nh_bucket{le="1"} 1\n# EOF\n', 3, "stands behind"),
        (HISTOGRAM + 'h_bucket{le="1"} 3\n' + INF + "# EOF\n", 3, "counts less"),
        (HISTOGRAM + 'h_bucket{le="-1"} 1\n' + INF + "h_sum 1\nh_count 2\n# EOF\n", 6, "negative"),
        ("# TYPE h gaugehistogram\n" + INF + "h_gcount 2\nh_gsum NaN\n# EOF\n", 5, "a sum that"),
        (
            '# TYPE h gaugehistogram\nh_bucket{le="-1"} 1\n'
            + INF
            + "h_gcount 2\nh_gsum NaN\n# EOF\n",
            6, "no number as its sum",
        ),
        ('# TYPE a summary\na{quantile="1.01"} 0\n# EOF\n', 2, "not from 0 to 1"),
        ('# TYPE a summary\na{quantile="x"} 0\n# EOF\n', 2, "not from 0 to 1"),
        ('# TYPE a stateset\na{a="x"} 2\n# EOF\n', 2, "a state is 0 or 1"),
        ("# TYPE a counter\na_created 1 # {} 1\n# EOF\n", 2, "an exemplar may"),
        ("# TYPE a counter\na_total 1 # {} x\n# EOF\n", 2, "of the exemplar"),
        ('# TYPE a counter\na_total 1 # {"b"} 1\n# EOF\n', 2, "an exemplar is"),
        ("a{__name__=\"b\"} 1\n# EOF\n", 1, "__name__"),
    ],
)  # fmt: skip
def test_a_defect_refuses_the_whole(text: str, line: int, reason: str) -> None:
    with pytest.raises(BadExposition, match=rf"^line {line}: ") as raised:
        read(text)
    assert reason in str(raised.value)


@pytest.mark.parametrize(
    "text",
    [
        "# EOF",
        'h_bucket{le="+Inf"} 2\n# EOF\n',
        HISTOGRAM + 'h_bucket{le="-1"} 1\n' + INF + "h_count 2\n# EOF\n",
        HISTOGRAM + INF.replace("\n", " 1\n") + INF.replace(" 2\n", " 3 2\n") + "# EOF\n",
        '# TYPE h gaugehistogram\nh_bucket{le="-1"} 1\n' + INF + "h_gcount 2\nh_gsum -1\n# EOF\n",
        "# TYPE a counter\na_total 1 # {} NaN 12.5\n# EOF\n",
        "# HELP a x\n# EOF\n",
        "# TYPE a gauge\na -1\n# EOF\n",
    ],
)
def test_what_the_rules_allow_is_taken(text: str) -> None:
    assert read(text).rows or text.startswith(("# EOF", "# HELP"))
