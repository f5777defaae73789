"""The parser cases of the OpenMetrics project; see the README beside them."""

import json
import math
from pathlib import Path

import pytest

from alicia.wire.read_exposition import BadExposition
from alicia.wire.read_openmetrics import read_openmetrics
from alicia.wire.read_series import SeriesTexts

FOLDER = Path(__file__).parents[2].parent / "shared" / "conformance" / "openmetrics"
CASES = sorted(path.parent.name for path in FOLDER.glob("*/test.json"))
GOOD = [
    name for name in CASES if json.loads((FOLDER / name / "test.json").read_text())["shouldParse"]
]
BAD = [name for name in CASES if name not in GOOD]
absent = pytest.mark.skipif(not CASES, reason="needs ../shared/conformance/openmetrics")


def text_of(name: str) -> bytes:
    return (FOLDER / name / "metrics").read_bytes()


@absent
def test_the_cases_are_there() -> None:
    assert (len(GOOD), len(BAD)) == (21, 91)


@absent
@pytest.mark.parametrize("name", GOOD)
def test_good_texts_are_read(name: str) -> None:
    texts = SeriesTexts()
    first = read_openmetrics(text_of(name), texts)
    again = read_openmetrics(text_of(name), texts)
    lines = [line for line in text_of(name).decode().split("\n") if line and line[0] != "#"]
    assert len(first.rows) == len(lines)
    assert repr(again) == repr(first)  # NaN has one repr, but equals nothing


@absent
@pytest.mark.parametrize("name", BAD)
def test_bad_texts_are_refused(name: str) -> None:
    texts = SeriesTexts()
    for _ in range(2):  # known series are held to the same rules
        with pytest.raises(BadExposition, match=r"^line \d+: "):
            read_openmetrics(text_of(name), texts)


def rows(name: str) -> list[tuple[str, int | None, float]]:
    read = read_openmetrics(text_of(name), SeriesTexts())
    return [(str(row.labels), row.t_ms, row.value) for row in read.rows]


@absent
@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("counter_unit", [("cc_seconds_total", None, 1.0), ("cc_seconds_created", None, 123.456)]),
        ("counter_exemplars", [("a_total", 123_000, 0.0)]),
        ("leading_zeros_simple_gauge", [("a", None, 1.0)]),
        (
            "labels_and_infinite",
            [('a{foo="bar"}', None, math.inf), ('a{foo="baz"}', None, -math.inf)],
        ),
        ("info_timestamps", [
            ('a_info{a="1",foo="bar"}', 1000, 1.0), ('a_info{a="2",foo="bar"}', 0, 1.0),
        ]),
        ("simple_stateset", [('a{a="bar"}', None, 0.0), ('a{a="foo"}', None, 1.0)]),
        ("simple_histogram", [
            ('a_bucket{le="1.0"}', None, 0.0), ('a_bucket{le="+Inf"}', None, 3.0),
            ("a_count", None, 3.0), ("a_sum", None, 2.0),
        ]),
    ],
)  # fmt: skip
def test_values_are_those_of_the_text(
    name: str, expected: list[tuple[str, int | None, float]]
) -> None:
    assert rows(name) == expected


@absent
@pytest.mark.parametrize(
    ("name", "count"),
    [("counter_exemplars", 1), ("histogram_exemplars", 3), ("simple_histogram", 0)],
)
def test_exemplars_are_counted(name: str, count: int) -> None:
    assert read_openmetrics(text_of(name), SeriesTexts()).exemplars == count
