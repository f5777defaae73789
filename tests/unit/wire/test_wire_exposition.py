"""Text exposition: what is written, and which format a reader gets."""

import shutil
import subprocess

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from alicia.series.kinds import MetricType, usual_type
from alicia.series.labels import LabelSet
from alicia.series.samples import Metadata, Sample
from alicia.wire.exposition import Format, choose_format, content_type, render
from alicia.wire.families import Family, group_families

Rows = list[tuple[dict[str, str], float]]


def families(
    rows: Rows,
    known: dict[str, tuple[str, Metadata]] | None = None,
    *,
    legacy_names: bool = True,
) -> list[Family]:
    def family_of(labels: LabelSet) -> tuple[str, Metadata]:
        return (known or {}).get(labels.name) or (labels.name, Metadata(usual_type(labels.name)))

    samples = [Sample(LabelSet(labels), 0, value) for labels, value in rows]
    return group_families(samples, family_of, legacy_names=legacy_names)


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
    text = render(families(ROWS, KNOWN), Format.TEXT).decode()
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
    text = render(families(rows), Format.OPENMETRICS).decode()
    (family,) = text_string_to_metric_families(text)
    assert (family.name, family.type, len(family.samples)) == ("x_total", "unknown", 2)


def test_openmetrics_shortens_counters_and_ends() -> None:
    text = render(families(ROWS, KNOWN), Format.OPENMETRICS).decode()
    assert "# TYPE x counter\n# HELP x x_total, as its services report it.\nx_total 5\n" in text
    assert text.endswith("# EOF\n")
    parsed = {family.name: family.type for family in text_string_to_metric_families(text)}
    assert parsed == {"h": "histogram", "temp": "gauge", "x": "counter"}


def test_openmetrics_shows_a_counter_without_total_as_unknown() -> None:
    known = {"errors": ("errors", Metadata(MetricType.COUNTER))}
    text = render(families([({"__name__": "errors"}, 1)], known), Format.OPENMETRICS).decode()
    assert "# TYPE errors unknown\n" in text


def test_openmetrics_gives_no_name_to_two_families() -> None:
    rows: Rows = [
        ({"__name__": "x"}, 1),
        ({"__name__": "x_total"}, 2),
    ]
    text = render(families(rows), Format.OPENMETRICS).decode()
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
    text = render(families(rows, known), Format.OPENMETRICS).decode()
    assert text.count("# UNIT") == 1
    assert "# UNIT a_bytes bytes\n" in text


def test_names_beyond_the_old_alphabet_become_underscores() -> None:
    rows: Rows = [
        ({"__name__": "http.dauer", "größe": "1"}, 1),
        ({"__name__": "http_dauer", "gr__e": "1"}, 2),
        ({"__name__": "1st", "2nd": "x"}, 3),
    ]
    text = render(families(rows), Format.TEXT).decode()
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    assert lines == ['_st{_nd="x"} 3', 'http_dauer{gr__e="1"} 1']


def test_names_are_quoted_where_the_reader_allows() -> None:
    rows: Rows = [({"__name__": "a.b", "c.d": "x"}, 1)]
    text = render(families(rows, legacy_names=False), Format.TEXT).decode()
    assert text.endswith('# TYPE "a.b" gauge\n{"a.b","c.d"="x"} 1\n')


def test_services_that_disagree_make_a_metric_unknown() -> None:
    types = iter([MetricType.GAUGE, MetricType.COUNTER])

    def family_of(labels: LabelSet) -> tuple[str, Metadata]:
        return labels.name, Metadata(next(types))

    samples = [Sample(LabelSet({"__name__": "x", "service": s}), 0, 1) for s in "ab"]
    (family,) = group_families(samples, family_of, legacy_names=True)
    assert (family.type, len(family.lines)) == (MetricType.UNKNOWN, 2)


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
        input=render(families(rows, known), Format.TEXT),
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stderr.decode()) == (0, "")
