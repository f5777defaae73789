import math
from collections.abc import Callable

import pytest

from alicia.series.kinds import MetricType
from alicia.series.samples import Metadata, Sample, bits
from alicia.wire import read_exposition
from alicia.wire.read_exposition import BadExposition, Exposition, read_text
from alicia.wire.read_openmetrics import read_openmetrics
from alicia.wire.read_series import SeriesTexts

TYPICAL = """
# HELP http_requests_total The number of\\nrequests \\\\ \\d.
# TYPE http_requests_total counter
http_requests_total{method="post",code="200"} 1027 1395066363000
http_requests_total{method="post",code="400"}    3 1395066363000

# A comment, and blanks where they do no harm
 # TYPE  lat\thistogram
  lat_bucket { le = "1" , path="C:\\\\DIR\\n\\"x\\"" , }\t4
lat_bucket{le="+Inf",path=""} +5
lat_sum 1.5e3
lat_count{} 5
# TYPE rpc summary
rpc{quantile="0.50"} NaN
# TYPE other untyped
other{le="1"} -Inf -3982045
"""


def read(text: str, **forced: str) -> Exposition:
    return read_text(text.encode(), SeriesTexts(), forced=tuple(forced.items()))


def rows(text: str, **forced: str) -> list[tuple[str, int | None, float]]:
    return [(str(row.labels), row.t_ms, row.value) for row in read(text, **forced).rows]


def test_a_text_as_prometheus_takes_it() -> None:
    found = rows(TYPICAL)
    assert found[:6] + found[7:] == [
        ('http_requests_total{code="200",method="post"}', 1395066363000, 1027),
        ('http_requests_total{code="400",method="post"}', 1395066363000, 3),
        ('lat_bucket{le="1.0",path="C:\\\\DIR\\n\\"x\\""}', None, 4),
        ('lat_bucket{le="+Inf"}', None, 5),
        ("lat_sum", None, 1500),
        ("lat_count", None, 5),
        ('other{le="1"}', -3982045, -math.inf),
    ]
    assert found[6][0] == 'rpc{quantile="0.5"}'
    assert read(TYPICAL).metadata == {
        "http_requests_total": Metadata(MetricType.COUNTER, help="The number of\nrequests \\ \\d."),
        "lat": Metadata(MetricType.HISTOGRAM),
        "rpc": Metadata(MetricType.SUMMARY),
        "other": Metadata(MetricType.UNKNOWN),
    }


def test_parts_of_a_histogram_know_their_metric() -> None:
    metrics = {str(row.labels): row.metric for row in read(TYPICAL).rows}
    assert metrics["lat_sum"] == metrics["lat_count"] == "lat"
    assert metrics['rpc{quantile="0.5"}'] == "rpc"
    assert metrics['other{le="1"}'] == "other"
    assert read("# TYPE h histogram\nh 1\nhx_sum 1\n").rows[0].metric == "h"
    assert read("# TYPE h histogram\nh 1\nhx_sum 1\n").rows[1].metric == "hx_sum"


def test_a_line_without_timestamp_is_of_the_time_of_receipt() -> None:
    found = read("a 1\nb 2 5\n").samples(77)
    assert [(sample.t_ms, sample.value) for sample in found] == [(77, 1.0), (5, 2.0)]
    assert all(isinstance(sample, Sample) for sample in found)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("NaN", 0x7FF8_0000_0000_0001),
        ("nan", 0x7FF8_0000_0000_0001),
        ("0", 0),
        ("-0", -(2**63)),
        ("+Inf", 0x7FF0_0000_0000_0000),
        ("-infinity", 0xFFF0_0000_0000_0000 - 2**64),
        ("5e-324", 1),
        (".5", 0x3FE0_0000_0000_0000),
        ("1.", 0x3FF0_0000_0000_0000),
        ("1E0", 0x3FF0_0000_0000_0000),
    ],
)
def test_values_are_exact_to_the_bit(text: str, value: int) -> None:
    again = f"a {text}\na {text}\n"  # the second line takes the short way
    assert [bits(row.value) for row in read(again).rows] == [value, value]


def test_names_may_be_quoted() -> None:
    text = '# TYPE "a.b" counter\n# HELP "a.b" x\n'
    text += '{"a.b","c d"="é",e="f"} 1\n{"a.b",} 2\n{"q\\"\\\\"} 3\n'
    assert rows(text) == [('a.b{c d="é",e="f"}', None, 1), ("a.b", None, 2), ('q"\\', None, 3)]
    assert read(text).metadata == {"a.b": Metadata(MetricType.COUNTER, help="x")}


def test_forced_labels_win() -> None:
    text = 'a{job="x",b="1"} 1\n'
    assert rows(text, job="j", b="") == [('a{job="j"}', None, 1)]


def test_the_same_text_means_another_series_elsewhere() -> None:
    texts = SeriesTexts()
    one = read_text(b'a{x="1"} 1', texts, forced=(("job", "a"),)).rows[0]
    two = read_text(b'a{x="1"} 1', texts, forced=(("job", "b"),)).rows[0]
    assert (one.labels["job"], two.labels["job"]) == ("a", "b")
    plain = b'h_bucket{le="1"} 1\n'
    assert read_text(plain, texts).rows[0].labels["le"] == "1"
    typed = b"# TYPE h histogram\n" + plain
    assert read_text(typed, texts).rows[0].labels["le"] == "1.0"


def test_a_line_seen_before_keeps_its_meaning_and_its_defects() -> None:
    texts = SeriesTexts()
    read_text(b'a{b="1"} 1\n', texts)
    read = read_text(b'a{b="1"} 2 3\na{b="1"}\t4\na{b="1"} 5', texts)
    assert [(row.value, row.t_ms) for row in read.rows] == [(2, 3), (4, None), (5, None)]
    for text in ('a{b="1"} x', 'a{b="1"} 1 x', 'a{b="1"} 1 99999999999999999', 'a{b="1"}'):
        with pytest.raises(BadExposition, match="line 1"):
            read_text(text.encode(), texts)


def test_only_so_many_texts_are_remembered() -> None:
    texts = SeriesTexts(kept=3)
    read_text(b"".join(b"m%d 1\n" % i for i in range(9)), texts)
    assert len(texts) == 3
    read_text(b'long{a="' + b"x" * 2000 + b'"} 1', texts)
    assert len(texts) == 3


def test_empty_texts_hold_nothing() -> None:
    for text in ("", "\n", "  \n\t\n", "# only words", "#", "# HELP\n", "#HELP a b\n"):
        assert read(text) == Exposition([], {}, 0)


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("a", 1, "a value must follow"),
        ("ok 1\n\na b\n", 3, "'b' is no number"),
        ("a 1_000", 1, "no number"),
        ("a 0x10", 1, "no number"),
        ("a 1e999", 1, "no number"),
        ("a +nan", 1, "no number"),
        ("a " + "1" * 1001, 1, "no number"),
        ("a ٣", 1, "no number"),
        ("a 1 2.5", 1, "at most a timestamp"),
        ("a 1 2 3", 1, "at most a timestamp"),
        ("a 1 999999999999999", 1, "outside the calendar"),
        ("a 1 # {} 1", 1, "at most a timestamp"),
        ("1a 1", 1, "no metric name"),
        ("{} 1", 1, "no metric name"),
        ('{a="b"} 1', 1, "no metric name"),
        ('{""} 1', 1, "no metric name"),
        ('{"a","b"} 1', 1, "a second name"),
        ('a{"b"} 1', 1, "a second name"),
        ("a{b} 1", 1, "without a value"),
        ('a{b="1",b="2"} 1', 1, "there twice"),
        ('a{b="1" c="2"} 1', 1, "joined by commas"),
        ("a{b='1'} 1", 1, "joined by commas"),
        ('a{b="1} 1\nb 2', 1, "joined by commas"),
        ('a{,} 1', 1, "joined by commas"),
        ('a{1b="2"} 1', 1, "joined by commas"),
        ('a{__name__="b"} 1', 1, "__name__"),
        ('a{b="' + "x" * 5000 + '"} 1', 1, "shorten"),
        ("a" * 257 + " 1", 1, "shorten"),
        ("a{" + ",".join(f'l{i}="x"' for i in range(65)) + "} 1", 1, "more than 64"),
        ("# TYPE a", 1, "type '' is unknown"),
        ("# TYPE a meh", 1, "type 'meh' is unknown"),
        ("b 1\n# TYPE a counter ", 2, "is unknown"),
        ("# HELP 1 a", 1, "names no metric"),
        ("a 1\r\n", 1, "no number"),
        ("a 1\nb \x00", 2, "no number"),
    ],
)  # fmt: skip
def test_a_defect_is_told_with_its_line(text: str, line: int, reason: str) -> None:
    with pytest.raises(BadExposition, match=f"^line {line}: ") as raised:
        read(text)
    assert reason in str(raised.value)


def test_bytes_beyond_utf8_are_told_with_their_line() -> None:
    with pytest.raises(BadExposition, match=r"^line 2: not UTF-8 at byte 8 "):
        read_text(b'a 1\nb{c=\xff"} 1', SeriesTexts())


def test_a_quoted_value_may_hold_a_line_end() -> None:
    assert rows('a{b="x\ny"} 1\nc 2') == [('a{b="x\\ny"}', None, 1), ("c", None, 2)]


def test_contexts_without_series_are_not_remembered() -> None:
    texts = SeriesTexts()
    for i in range(5):
        read_text(b"# TYPE h histogram\n", texts, forced=(("job", str(i)),))
    read_text(b"a 1\n", texts)
    assert [len(texts), *map(len, texts._known.values())] == [1, 1]


@pytest.mark.parametrize(
    ("line", "read_any"),
    [("a%d 1\n", read_text), ("# TYPE a%d gauge\n", read_text), ("# HELP a%d x\n", read_text),
     ("a%d 1\n", read_openmetrics), ("# TYPE a%d gauge\n", read_openmetrics)],
)  # fmt: skip
def test_one_text_says_no_more_than_fits_into_memory(
    line: str, read_any: Callable[..., Exposition], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(read_exposition, "ROWS_MAX", 5)
    text = "".join(line % i for i in range(5))
    assert read_any(f"{text}# EOF\n".encode(), SeriesTexts())
    with pytest.raises(BadExposition, match="more than 5 samples or metrics"):
        read_any(f"{text}{line % 5}{line % 6}# EOF\n".encode(), SeriesTexts())
