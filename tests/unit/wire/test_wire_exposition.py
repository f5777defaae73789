"""Text exposition: what is written, and which format a reader gets."""

import shutil
import subprocess

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families
from prometheus_client.parser import text_string_to_metric_families as parse_text

from alicia.series.kinds import MetricType, usual_type
from alicia.series.labels import LabelSet
from alicia.series.samples import Metadata, Sample
from alicia.wire.exposition import END, Format, choose_format, content_type, render
from alicia.wire.families import Family, fill_family
from alicia.wire.family_plan import FamilyPlanner
from alicia.wire.read_openmetrics import read_openmetrics
from alicia.wire.read_series import SeriesTexts

Rows = list[tuple[dict[str, str], float]]


def families(
    rows: Rows,
    known: dict[str, tuple[str, Metadata]] | None = None,
    *,
    legacy_names: bool = True,
) -> list[Family]:
    def family_of(labels: LabelSet) -> tuple[str, Metadata]:
        return (known or {}).get(labels.name) or (labels.name, Metadata(usual_type(labels.name)))

    samples = {labels: Sample(labels, 0, value) for labels, value in _labelled(rows)}
    planner = FamilyPlanner(family_of, legacy_names=legacy_names)
    planner.add(samples)
    return [
        fill_family(
            plan.name,
            plan.type,
            (samples[labels] for labels in plan.series),
            text=plan.help,
            unit=plan.unit,
            legacy_names=legacy_names,
        )
        for plan in planner.families()
    ]


def _labelled(rows: Rows) -> list[tuple[LabelSet, float]]:
    return [(LabelSet(labels), value) for labels, value in rows]


def text_of(shown: list[Family], kind: Format) -> str:
    body = render(shown, kind, taken={family.name for family in shown})
    return (body + END if kind is Format.OPENMETRICS else body).decode()


HISTOGRAM = ("h", Metadata(MetricType.HISTOGRAM, "seconds", "How long."))
KNOWN = {"h_bucket": HISTOGRAM, "h_sum": HISTOGRAM, "h_count": HISTOGRAM}
ROWS: Rows = [
    ({"__name__": "h_count", "a": "1"}, 3),
    ({"__name__": "h_bucket", "a": "1", "le": "10.0"}, 2),
    ({"__name__": "h_bucket", "a": "1", "le": "+Inf"}, 3),
    ({"__name__": "h_bucket", "a": "1", "le": "2.0"}, 1),
    ({"__name__": "h_sum", "a": "1"}, 1e6),
    ({"__name__": "x_total"}, 5),
    ({"__name__": "temp", "room": 'a "b"\n\\c'}, -0.5),
]


def test_text_groups_families_and_orders_buckets() -> None:
    text = text_of(families(ROWS, KNOWN), Format.TEXT)
    assert text == (
        "# HELP h How long.\n# TYPE h histogram\n"
        'h_bucket{a="1",le="2.0"} 1\nh_bucket{a="1",le="10.0"} 2\nh_bucket{a="1",le="+Inf"} 3\n'
        'h_sum{a="1"} 1e+06\nh_count{a="1"} 3\n'
        "# HELP temp temp, as its services report it.\n# TYPE temp gauge\n"
        'temp{room="a \\"b\\"\\n\\\\c"} -0.5\n'
        "# HELP x_total x_total, as its services report it.\n# TYPE x_total counter\n"
        "x_total 5\n"
    )


def test_a_counter_below_zero_spoils_no_text() -> None:
    rows: Rows = [({"__name__": "x_total", "a": "1"}, -1), ({"__name__": "x_total"}, 2)]
    text = text_of(families(rows), Format.OPENMETRICS)
    (family,) = text_string_to_metric_families(text)
    assert (family.name, family.type, len(family.samples)) == ("x_total", "unknown", 2)


def test_openmetrics_shortens_counters_and_ends() -> None:
    text = text_of(families(ROWS, KNOWN), Format.OPENMETRICS)
    assert "# TYPE x counter\n# HELP x x_total, as its services report it.\nx_total 5\n" in text
    assert text.endswith("# EOF\n")
    parsed = {family.name: family.type for family in text_string_to_metric_families(text)}
    assert parsed == {"h": "histogram", "temp": "gauge", "x": "counter"}


def test_openmetrics_shows_a_counter_without_total_as_unknown() -> None:
    known = {"errors": ("errors", Metadata(MetricType.COUNTER))}
    text = text_of(families([({"__name__": "errors"}, 1)], known), Format.OPENMETRICS)
    assert "# TYPE errors unknown\n" in text


def test_openmetrics_gives_no_name_to_two_families() -> None:
    rows: Rows = [
        ({"__name__": "x"}, 1),
        ({"__name__": "x_total"}, 2),
    ]
    text = text_of(families(rows), Format.OPENMETRICS)
    assert "# TYPE x gauge\n" in text
    assert "# TYPE x_total unknown\n" in text
    list(text_string_to_metric_families(text))


def test_units_are_told_where_the_name_ends_in_them() -> None:
    known = {
        "a_bytes": ("a_bytes", Metadata(MetricType.GAUGE, "bytes")),
        "b": ("b", Metadata(MetricType.GAUGE, "bytes")),
    }
    rows: Rows = [
        ({"__name__": "a_bytes"}, 1),
        ({"__name__": "b"}, 1),
    ]
    text = text_of(families(rows, known), Format.OPENMETRICS)
    assert text.count("# UNIT") == 1
    assert "# UNIT a_bytes bytes\n" in text


def test_names_beyond_the_old_alphabet_become_underscores() -> None:
    rows: Rows = [
        ({"__name__": "http.dauer", "größe": "1"}, 1),
        ({"__name__": "http_dauer", "gr__e": "1"}, 2),
        ({"__name__": "1st", "2nd": "x"}, 3),
    ]
    text = text_of(families(rows), Format.TEXT)
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    assert lines == ['_st{_nd="x"} 3', 'http_dauer{gr__e="1"} 1']


def test_names_are_quoted_where_the_reader_allows() -> None:
    rows: Rows = [({"__name__": "a.b", "c.d": "x"}, 1)]
    text = text_of(families(rows, legacy_names=False), Format.TEXT)
    assert text.endswith('# TYPE "a.b" gauge\n{"a.b","c.d"="x"} 1\n')


def test_services_that_disagree_make_a_metric_unknown() -> None:
    rows: Rows = [({"__name__": "x", "service": service}, 1) for service in "ab"]
    kinds = {"a": MetricType.GAUGE, "b": MetricType.COUNTER}
    planner = FamilyPlanner(
        lambda labels: (labels.name, Metadata(kinds[labels["service"]])), legacy_names=True
    )
    planner.add(labels for labels, _ in _labelled(rows))
    (plan,) = planner.families()
    assert (plan.type, len(plan.series)) == (MetricType.UNKNOWN, 2)


SUMMARY = Metadata(MetricType.SUMMARY, help="Sizes.")


@pytest.mark.parametrize(
    ("rows", "shown"),
    [
        # A name that another family claims for a part of its own.
        (["h_bucket h", "h_count h", "h_count -"], {"h_bucket", "h_count"}),
        (["s s", "s_sum s", "s_sum_count s_sum"], {"s", "s_sum", "s_sum_count"}),
        # Falling apart may make another one fall apart.
        (["s s", "s_count s", "s -", "s_count_sum s_count"], {"s", "s_count", "s_count_sum"}),
        (["h_created -", "h_bucket h"], {"h_created", "h_bucket"}),
    ],
)
def test_who_claims_a_name_of_another_stands_for_itself(rows: list[str], shown: set[str]) -> None:
    """A row is a series' name and the compound metric that it is of, if any."""
    base = {
        LabelSet({"__name__": row.split()[0], "i": str(i)}): row.split()[1]
        for i, row in enumerate(rows)
    }

    def family_of(labels: LabelSet) -> tuple[str, Metadata]:
        of = base[labels]
        return (labels.name, Metadata(MetricType.GAUGE)) if of == "-" else (of, SUMMARY)

    planner = FamilyPlanner(family_of, legacy_names=True)
    planner.add(base)
    plans = planner.families()
    assert {plan.name for plan in plans} == shown
    assert sum(len(plan.series) for plan in plans) == len(rows)
    texts = [plan.type for plan in plans if plan.name != "h_created"]
    assert set(texts) == {MetricType.UNKNOWN}


@pytest.mark.parametrize("kind", [Format.TEXT, Format.OPENMETRICS])
def test_a_counter_that_is_only_a_suffix_spoils_no_text(kind: Format) -> None:
    text = text_of(families([({"__name__": "_total"}, 1)]), kind)
    parse = parse_text if kind is Format.TEXT else text_string_to_metric_families
    assert [family.name for family in parse(text)] == ["_total"]


@pytest.mark.parametrize(
    ("accept", "kind", "utf8"),
    [
        ("", Format.JSON, False),
        ("*/*", Format.JSON, False),
        ("text/html,application/xhtml+xml,*/*;q=0.8", Format.JSON, False),
        ("application/json", Format.JSON, False),
        ("application/json, text/plain, */*", Format.JSON, False),
        ("text/plain", Format.TEXT, False),
        ("text/plain;version=0.0.4", Format.TEXT, False),
        ("text/plain;version=1.0.0", Format.TEXT, False),
        ("application/openmetrics-text", Format.OPENMETRICS, False),
        ("application/openmetrics-text;version=2.0.0", Format.TEXT, False),
        ("text/plain;q=0", Format.JSON, False),
        ("application/openmetrics-text;q=0.0,text/plain;q=0", Format.JSON, False),
        ("text/plain;q=0.9,application/openmetrics-text;q=0.5", Format.TEXT, False),
        ("text/plain;q=0.3,application/openmetrics-text;q=0.5", Format.OPENMETRICS, False),
        ("text/plain;q=x,application/openmetrics-text;q=0.1", Format.OPENMETRICS, False),
        (
            "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,"
            "text/plain;version=0.0.4;q=0.2,*/*;q=0.1",
            Format.OPENMETRICS,
            True,
        ),
    ],
)
def test_the_reader_chooses(accept: str, kind: Format, utf8: bool) -> None:
    assert choose_format(accept) == (kind, utf8)


def test_content_types_are_those_of_the_formats() -> None:
    assert content_type(Format.TEXT, utf8_names=False) == (
        "text/plain; version=0.0.4; charset=utf-8"
    )
    assert content_type(Format.OPENMETRICS, utf8_names=True) == (
        "application/openmetrics-text; version=1.0.0; charset=utf-8; escaping=allow-utf-8"
    )


@pytest.mark.skipif(shutil.which("promtool") is None, reason="needs promtool (apt: prometheus)")
def test_promtool_accepts_what_we_write() -> None:
    summary = ("s", Metadata(MetricType.SUMMARY, help="Sizes."))
    known = {**KNOWN, "s": summary, "s_sum": summary, "s_count": summary}
    rows = [
        *ROWS,
        ({"__name__": "s", "quantile": "0.5"}, 1.0),
        ({"__name__": "s", "quantile": "0.99"}, float("nan")),
        ({"__name__": "s_sum"}, 3.0),
        ({"__name__": "s_count"}, 2.0),
        ({"__name__": "limit"}, float("-inf")),
        ({"__name__": "room.climate", "c.d": "é"}, 1.0),
    ]
    done = subprocess.run(
        ["promtool", "check", "metrics"],
        input=text_of(families(rows, known), Format.TEXT).encode(),
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stderr.decode()) == (0, "")


@pytest.mark.parametrize(
    ("names", "shown"),
    [
        # A short name that a histogram, or another counter, has for a part of its own.
        (["h_bucket", "h_sum", "h_count", "h_sum_total"], {"h", "h_sum_total"}),
        (["a_total", "a_created_total"], {"a", "a_created_total"}),
        (["b_count_total", "b_total"], {"b_count", "b"}),
    ],
)
def test_a_short_name_that_is_claimed_is_not_used(names: list[str], shown: set[str]) -> None:
    rows: Rows = [
        ({"__name__": n, **({"le": "+Inf"} if n == "h_bucket" else {})}, 1) for n in names
    ]
    text = text_of(families(rows, KNOWN), Format.OPENMETRICS)
    read = read_openmetrics(text.encode(), SeriesTexts())
    assert {
        name.removesuffix("_total") if data.type is MetricType.COUNTER else name
        for name, data in read.metadata.items()
    } == shown
    assert [family.name for family in text_string_to_metric_families(text)]


@pytest.mark.parametrize("left_out", ["h_sum", "h_count"])
def test_a_histogram_that_openmetrics_refuses_stands_apart(left_out: str) -> None:
    rows = [row for row in ROWS[:5] if row[0]["__name__"] != left_out]
    text = text_of(families(rows, KNOWN), Format.OPENMETRICS)
    read = read_openmetrics(text.encode(), SeriesTexts())
    assert {data.type for data in read.metadata.values()} == {MetricType.UNKNOWN}
    assert len(read.rows) == 4
    assert "histogram" in text_of(families(rows, KNOWN), Format.TEXT)


def test_labels_with_a_colon_are_quoted() -> None:
    rows: Rows = [({"__name__": "a:b", "c:d": "x"}, 1)]
    assert 'a:b{"c:d"="x"} 1\n' in text_of(families(rows, legacy_names=False), Format.TEXT)
    assert 'a:b{c_d="x"} 1\n' in text_of(families(rows), Format.TEXT)
