"""Text formats: no text breaks a reader, and what we write is read back."""

from collections import Counter

from hypothesis import example, given
from hypothesis import strategies as st

from alicia.series.kinds import MetricType
from alicia.series.labels import LabelSet
from alicia.series.samples import Metadata, Sample, bits
from alicia.wire.exposition import END, Format, render
from alicia.wire.families import Family, fill_family
from alicia.wire.family_plan import FamilyPlanner
from alicia.wire.floats import NAN
from alicia.wire.read_exposition import BadExposition, read_text
from alicia.wire.read_openmetrics import read_openmetrics
from alicia.wire.read_series import SeriesTexts

READERS = {Format.TEXT: read_text, Format.OPENMETRICS: read_openmetrics}
PIECES = [
    "# TYPE a ", "# HELP a ", "# UNIT a_s ", "# EOF", "counter", "gauge", "histogram",
    "gaugehistogram", "summary", "stateset", "info", "unknown", "untyped", "\n", "\n", "\n", "a",
    "a_total", "a_bucket", "a_sum", "a_count", "a_info", "a_created", '{le="1"}', '{le="+Inf"}',
    '{quantile="0.5"}', '{a="b"}', "{}", '{"a.b"}', '{"x"="y",', "}", "{", '"', "\\", "\\n", ",",
    "=", " ", " ", " ", "1", "0", "-1", "NaN", "+Inf", "1e999", "0x1", "# {} 1", "\t", "\r", "\0",
    "é",
]  # fmt: skip
pieced = st.lists(st.sampled_from(PIECES), max_size=40).map(lambda parts: "".join(parts).encode())


@given(st.one_of(pieced, st.binary(max_size=60), pieced.map(lambda body: body + b"\n# EOF\n")))
@example(b"# TYPE a stateset\n# EOF")
@example(b'a{b="' + b"\\" * 5000)
def test_no_text_breaks_a_reader(body: bytes) -> None:
    for read in READERS.values():
        texts = SeriesTexts(kept=2)
        outcomes = []
        for _ in range(2):  # what is remembered changes nothing
            try:
                outcomes.append(repr(read(body, texts)))
            except BadExposition as fault:
                outcomes.append(str(fault))
        assert outcomes[0] == outcomes[1]


NAMES = [
    base + suffix
    for base in ("a", "a_total", "a.b")
    for suffix in ("", "_total", "_bucket", "_sum", "_count", "_created", "_info")
]
LABELS = {
    "le": ["1.0", "2.5", "-1.0", "+Inf", "x"],
    "quantile": ["0.5", "1.0", "7.0"],
    "a:b": ["1"],
    "job": ["x", 'a "b"\n\\c', "é"],
    "2 3": ["y"],
}
labels = st.fixed_dictionaries(
    {"__name__": st.sampled_from(NAMES)},
    optional={label: st.sampled_from(values) for label, values in LABELS.items()},
)
values = st.one_of(st.sampled_from([0.0, -0.0, 1.0, 2.0, -1.0, NAN]), st.floats(allow_nan=False))
types = st.dictionaries(st.sampled_from(NAMES), st.sampled_from(list(MetricType)), max_size=8)


@st.composite
def written(draw: st.DrawFn) -> tuple[list[Family], bool]:
    """Families as the collector makes them of any series whatever."""
    samples = {
        LabelSet(found): value
        for found, value in draw(st.lists(st.tuples(labels, values), max_size=12))
    }
    known, legacy_names = draw(types), draw(st.booleans())

    def family_of(series: LabelSet) -> tuple[str, Metadata]:
        for suffix in ("_bucket", "_sum", "_count"):
            base = series.name.removesuffix(suffix)
            kind = known.get(base)
            if base != series.name and kind in (MetricType.HISTOGRAM, MetricType.SUMMARY):
                return base, Metadata(kind, "total", "Some\nhelp \\.")
        return series.name, Metadata(known.get(series.name, MetricType.GAUGE), "total")

    planner = FamilyPlanner(family_of, legacy_names=legacy_names)
    planner.add(samples)
    return [
        fill_family(
            plan.name,
            plan.type,
            [Sample(series, 0, samples[series]) for series in plan.series],
            text=plan.help,
            unit=plan.unit,
            legacy_names=legacy_names,
        )
        for plan in planner.families()
    ], legacy_names


@given(written(), st.sampled_from([Format.TEXT, Format.OPENMETRICS]))
def test_what_we_write_is_read_back(made: tuple[list[Family], bool], kind: Format) -> None:
    families, _ = made
    body = render(families, kind, taken={family.name for family in families})
    read = READERS[kind](body + (END if kind is Format.OPENMETRICS else b""), SeriesTexts())
    assert Counter((row.labels, bits(row.value)) for row in read.rows) == Counter(
        (LabelSet((*line.pairs, ("__name__", line.name))), bits(line.value))
        for family in families
        for line in family.lines
    )
    if kind is Format.TEXT:
        assert {name: data.type for name, data in read.metadata.items()} == {
            family.name: family.type for family in families
        }


@given(written())
def test_a_family_keeps_its_type_in_openmetrics_or_has_none(
    made: tuple[list[Family], bool],
) -> None:
    families, _ = made
    body = render(families, Format.OPENMETRICS, taken={family.name for family in families})
    told = read_openmetrics(body + END, SeriesTexts()).metadata
    for family in families:
        kind = told[family.name].type if family.name in told else MetricType.UNKNOWN
        assert kind in (family.type, MetricType.UNKNOWN)
