"""Metric bodies: what they mean, and what is refused without costing its neighbours."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alicia.series.kinds import MetricType
from alicia.series.samples import Metadata
from alicia.wire.names import SERIES_CHARS_MAX, SeriesNames, canonical_service
from alicia.wire.samples import Decoded, MetricBody, decode_metrics

NOW_MS = 1_795_425_234_000
DAY_S = 86_400


def decode(value: object, **options: object) -> Decoded:
    return decode_metrics(value, received_ms=NOW_MS, **options)  # type: ignore[arg-type]


def values(decoded: Decoded) -> dict[str, float]:
    return {str(sample.labels): sample.value for sample in decoded.samples}


def codes(decoded: Decoded) -> list[tuple[int, str]]:
    return [(reject.index, reject.code) for reject in decoded.rejects]


def test_the_three_shapes_of_a_body_mean_the_same() -> None:
    metric = {"name": "x", "value": 1, "service_name": "s"}
    bodies = [metric, [metric], {"service_name": "s", "metrics": [{"name": "x", "value": 1}]}]
    expected = {'x{instance="s",service="s"}': 1.0}
    assert [values(decode(body)) for body in bodies] == [expected] * 3


def test_a_mapping_of_names_to_values_is_a_list_of_metrics() -> None:
    decoded = decode({"service_name": "s", "metrics": {"a": 1, "b": "2"}})
    assert values(decoded) == {'a{instance="s",service="s"}': 1, 'b{instance="s",service="s"}': 2}


def test_a_metric_speaks_before_its_body_and_the_body_before_the_defaults() -> None:
    body = {
        "service_name": "body",
        "instance_id": "b1",
        "metrics": [
            {"name": "x", "value": 1},
            {"name": "x", "value": 1, "instance_id": 7},
            {"name": "x", "value": 1, "service_name": "own"},
            {"name": "x", "value": 1, "service_name": "own", "instance_id": "o1"},
        ],
    }
    decoded = decode(body, default_service="outer", default_instance="z")
    found = [(s.labels["service"], s.labels["instance"]) for s in decoded.samples]
    assert found == [("body", "b1"), ("body", "7"), ("own", "own"), ("own", "o1")]
    assert decoded.services == {"body", "own"}


def test_gaps_are_filled_by_the_defaults() -> None:
    decoded = decode([{"name": "x", "value": 1}], default_service="s", default_instance="i")
    assert values(decoded) == {'x{instance="i",service="s"}': 1}
    assert values(decode({"name": "x", "value": 1})) == {
        'x{instance="unknown",service="unknown"}': 1
    }


def test_a_service_label_names_the_sender_who_named_himself_nowhere_else() -> None:
    decoded = decode({"name": "x", "value": 1, "labels": {"service": "s"}})
    assert values(decoded) == {'x{instance="s",service="s"}': 1}


def test_a_service_label_that_contradicts_is_kept_aside() -> None:
    metric = {"name": "x", "value": 1, "service_name": "s", "labels": {"service": "other"}}
    assert values(decode(metric)) == {'x{exported_service="other",instance="s",service="s"}': 1}


def test_a_forced_service_replaces_every_claim() -> None:
    body = {"service_name": "a", "metrics": [{"name": "x", "value": 1, "service_name": "b"}]}
    assert decode(body, forced_service="mine").services == {"mine"}


@pytest.mark.parametrize(
    "name", ["alicia-stt-service", "STT-Service", "stt_service", "stt service"]
)
def test_services_of_the_fleet_have_one_spelling(name: str) -> None:
    assert canonical_service(name) == "stt_service"


@pytest.mark.parametrize("name", ["stt", "My-App", "alicia-thing"])
def test_other_names_stay_as_sent(name: str) -> None:
    assert canonical_service(name) == name


def test_registered_services_have_one_spelling_too() -> None:
    assert canonical_service("My-App", {"my_app"}) == "my_app"


def test_labels_become_text_and_empty_ones_vanish() -> None:
    labels = {"a": "x", "b": 1, "c": True, "d": "", "e": None, "f": 1.5}
    decoded = decode({"name": "x", "value": 1, "labels": labels, "service_name": "s"})
    assert list(values(decoded)) == ['x{a="x",b="1",c="true",f="1.5",instance="s",service="s"}']


def test_labels_that_hash_alike_stay_apart() -> None:
    names = SeriesNames()
    seen = [
        str(decode({"name": "x", "value": 1, "labels": {"a": raw}}, names=names).samples[0].labels)
        for raw in ("1", 1, True, 1.0)
    ]
    assert len(set(seen)) == 3  # "1" and 1 are one text; true and 1.0 are others


def test_a_histogram_is_stored_as_its_series() -> None:
    value = {"count": 3, "sum": 1.5, "buckets": {"1": 2, "0.1": 1, "+Inf": 3}}
    decoded = decode({"name": "h", "value": value, "metric_type": "histogram", "service_name": "s"})
    rest = 'instance="s",service="s"'
    assert list(values(decoded).items()) == [
        ('h_bucket{instance="s",le="0.1",service="s"}', 1),
        ('h_bucket{instance="s",le="1.0",service="s"}', 2),
        ('h_bucket{instance="s",le="+Inf",service="s"}', 3),
        (f"h_sum{{{rest}}}", 1.5),
        (f"h_count{{{rest}}}", 3),
    ]
    assert decoded.metadata == {("s", "h"): Metadata(MetricType.HISTOGRAM)}
    assert set(decoded.indexes) == {0}


def test_a_summary_is_stored_as_its_series() -> None:
    value = {"count": 2, "sum": 3, "quantiles": {"0.5": 1, "1": 2}}
    decoded = decode({"name": "s", "value": value, "service_name": "a"})
    assert [(s.labels.name, s.labels.get("quantile"), s.value) for s in decoded.samples] == [
        ("s", "0.5", 1),
        ("s", "1.0", 2),
        ("s_sum", None, 3),
        ("s_count", None, 2),
    ]
    assert decoded.metadata == {("a", "s"): Metadata(MetricType.SUMMARY)}


@pytest.mark.parametrize("nothing", [None, "NaN"])
def test_a_quantile_of_nothing_costs_only_itself(nothing: object) -> None:
    value = {"count": 0, "sum": 0, "quantiles": {"0.5": nothing, "0.9": 1}}
    decoded = decode({"name": "s", "value": value})
    assert [sample.labels.get("quantile") for sample in decoded.samples] == ["0.9", None, None]
    assert not decoded.rejects


def test_a_body_read_in_parts_means_the_same() -> None:
    metrics = [{"name": "x", "value": i, "labels": {"i": str(i)}} for i in range(4)]
    value = {"service_name": "s", "metrics": [*metrics, 5, {"name": "", "value": 1}]}
    body = MetricBody(value, received_ms=NOW_MS)
    parts = [body.read(start, parts_max=4) for start in (0, 4)]
    whole = decode(value)
    assert [sample for part in parts for sample in part.samples] == list(whole.samples)
    assert [index for part in parts for index in part.indexes] == whole.indexes
    assert [reject for part in parts for reject in part.rejects] == whole.rejects
    assert [part.size for part in parts] == [4, 2]


def test_a_fault_of_the_whole_body_is_told_once() -> None:
    body = MetricBody(5, received_ms=NOW_MS)
    assert [codes(body.read(0)), codes(body.read(1))] == [[(0, "bad_body")], []]


def test_a_nameless_metric_is_told_what_it_lacks() -> None:
    (reject,) = decode({"value": 1}).rejects
    assert (reject.code, reject.detail) == ("bad_name", "name: is missing or empty; send a text")


@pytest.mark.parametrize(
    "value",
    [
        {"count": 2, "buckets": {"1": 1}},
        {"buckets": {"1": 1, "+Inf": 2}},
        {"count": 2, "buckets": {"1": 1, "+Inf": 2}},
    ],
)
def test_count_and_the_last_bucket_stand_for_each_other(value: object) -> None:
    decoded = decode({"name": "h", "value": value, "type": "histogram"})
    assert [(s.labels.get("le"), s.value) for s in decoded.samples] == [
        ("1.0", 1),
        ("+Inf", 2),
        (None, 2),
    ]


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ({}, "bad_histogram"),
        (3, "bad_histogram"),
        ({"count": -1}, "bad_histogram"),
        ({"count": "x"}, "bad_value"),
        ({"count": 1, "buckets": []}, "bad_histogram"),
        ({"count": 1, "buckets": {"x": 1}}, "bad_histogram"),
        ({"count": 1, "buckets": {"nan": 1}}, "bad_histogram"),
        ({"count": 1, "buckets": {"1": 1, "1.0": 1}}, "bad_histogram"),
        ({"count": 2, "buckets": {"1": 2, "2": 1}}, "bad_histogram"),
        ({"count": 2, "buckets": {"1": 3}}, "bad_histogram"),
        ({"count": 2, "buckets": {"+Inf": 3}}, "bad_histogram"),
        ({"count": 2.5, "buckets": {}}, "bad_histogram"),
        ({"count": 2, "buckets": {"1": 0.5}}, "bad_histogram"),
        ({"count": 2, "buckets": {"1_0": 1}}, "bad_histogram"),
        ({"count": 2, "buckets": {" 1": 1}}, "bad_histogram"),
        ({"count": 1, "sum": "NaN", "buckets": {}}, "bad_value"),
        ({"count": 1, "buckets": {str(i): 0 for i in range(1001)}}, "bad_histogram"),
    ],
)
def test_broken_histograms_are_refused_whole(value: object, code: str) -> None:
    good = {"name": "x", "value": 1}
    decoded = decode([good, {"name": "h", "value": value, "metric_type": "histogram"}, good])
    assert codes(decoded) == [(1, code)]
    assert list(decoded.indexes) == [0, 2]


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ({"quantiles": {"0.5": 1}}, "bad_summary"),
        ({"count": 1, "quantiles": {"1.5": 1}}, "bad_summary"),
        ({"count": 1, "quantiles": {"0.5": "fast"}}, "bad_value"),
        ({"count": 0.5, "quantiles": {"0.5": 1}}, "bad_summary"),
        ({"count": -1, "quantiles": {"0.5": 1}}, "bad_summary"),
        ("x", "bad_summary"),
    ],
)
def test_broken_summaries_are_refused_whole(value: object, code: str) -> None:
    decoded = decode({"name": "s", "value": value, "metric_type": "summary"})
    assert (codes(decoded), list(decoded.samples)) == ([(0, code)], [])


@pytest.mark.parametrize(("kind", "label"), [("histogram", "le"), ("summary", "quantile")])
def test_labels_of_ours_cannot_be_sent(kind: str, label: str) -> None:
    metric = {"name": "x", "value": {"count": 1}, "metric_type": kind, "labels": {label: "1"}}
    assert codes(decode(metric)) == [(0, "bad_label")]


@pytest.mark.parametrize(
    ("metric", "code"),
    [
        (3, "bad_metric"),
        ("x", "bad_metric"),
        (None, "bad_metric"),
        ([], "bad_metric"),
        ({}, "bad_name"),
        ({"value": 1}, "bad_name"),
        ({"name": "", "value": 1}, "bad_name"),
        ({"name": "  ", "value": 1}, "bad_name"),
        ({"name": 5, "value": 1}, "bad_name"),
        ({"name": "x" * 257, "value": 1}, "bad_name"),
        ({"name": "é" * 129, "value": 1}, "bad_name"),
        ({"name": "a\nb", "value": 1}, "bad_name"),
        ({"name": "a\ud800", "value": 1}, "bad_name"),
        ({"name": ["x"], "value": 1}, "bad_name"),
        ({"name": "x"}, "bad_value"),
        ({"name": "x", "value": "NaN"}, "bad_value"),
        ({"name": "x", "value": [1]}, "bad_value"),
        ({"name": "x", "value": math.inf}, "bad_value"),
        ({"name": "x", "value": 1, "metric_type": "timer"}, "bad_type"),
        ({"name": "x", "value": 1, "metric_type": 5}, "bad_type"),
        ({"name": "x", "value": 1, "metric_type": ["gauge"]}, "bad_type"),
        ({"name": "x", "value": 1, "timestamp": "soon"}, "bad_time"),
        ({"name": "x", "value": 1, "timestamp": {}}, "bad_time"),
        ({"name": "x", "value": 1, "labels": []}, "bad_label"),
        ({"name": "x", "value": 1, "labels": "a=b"}, "bad_label"),
        ({"name": "x", "value": 1, "labels": {"a": []}}, "bad_label"),
        ({"name": "x", "value": 1, "labels": {"": "b"}}, "bad_label"),
        ({"name": "x", "value": 1, "labels": {"a": "\ud800"}}, "bad_label"),
        ({"name": "x", "value": 1, "labels": {"__name__": "y"}}, "bad_label"),
        ({"name": "x", "value": 1, "labels": {"l" * 257: "b"}}, "bad_label"),
        ({"name": "x", "value": 1, "labels": {"a": "b" * 4097}}, "label_too_long"),
        (
            {"name": "x", "value": 1, "labels": {f"l{i}": "v" for i in range(65)}},
            "too_many_labels",
        ),
        ({"name": "x", "value": 1, "service_name": "a/b"}, "bad_name"),
        ({"name": "x", "value": 1, "service_name": "#"}, "bad_name"),
        ({"name": "x", "value": 1, "service_name": 5}, "bad_name"),
        ({"name": "x", "value": 1, "service_name": "s" * 257}, "bad_name"),
        ({"name": "x", "value": 1, "instance_id": ""}, "bad_name"),
        ({"name": "x", "value": 1, "instance_id": {}}, "bad_name"),
    ],
)
def test_a_bad_metric_costs_no_other(metric: object, code: str) -> None:
    good = {"name": "good", "value": 1}
    decoded = decode([good, metric, good])
    assert codes(decoded) == [(1, code)]
    assert list(decoded.indexes) == [0, 2]
    assert decoded.size == 3
    assert len(decoded.rejects[0].detail) < 300


@pytest.mark.parametrize(
    "body", [None, 3, "x", True, {}, {"cpu": 3}, {"metrics": 3}, {"metrics": None}]
)
def test_what_is_no_body_is_refused(body: object) -> None:
    decoded = decode(body)
    assert (codes(decoded), decoded.size) == ([(0, "bad_body")], 0)


def test_a_bad_sender_refuses_the_body() -> None:
    body = {"service_name": "a/b", "metrics": [{"name": "x", "value": 1}]}
    assert codes(decode(body)) == [(0, "bad_name")]


def test_64_labels_and_the_longest_names_are_taken() -> None:
    labels = {f"l{i}": "v" * 4096 for i in range(63)} | {"l" * 256: "v"}
    assert not decode({"name": "x" * 256, "value": 1, "labels": labels}).rejects


def test_on_the_bus_a_wrong_clock_is_mended_and_told() -> None:
    late = {"name": "x", "value": 1, "timestamp": NOW_MS / 1000 - 2 * DAY_S, "service_name": "s"}
    decoded = decode(late, mend_clocks=True)
    assert decoded.samples[0].t_ms == NOW_MS
    assert decoded.skewed == {"s": -2.0 * DAY_S}


def test_over_http_the_time_is_left_to_the_store() -> None:
    decoded = decode({"name": "x", "value": 1, "timestamp": NOW_MS / 1000 + 3600})
    assert decoded.samples[0].t_ms == NOW_MS + 3_600_000
    assert not decoded.skewed


def test_a_time_of_the_body_holds_for_its_metrics() -> None:
    decoded = decode({"metrics": [{"name": "x", "value": 1}], "timestamp": NOW_MS - 5000})
    assert decoded.samples[0].t_ms == NOW_MS - 5000


def test_unit_and_help_are_kept() -> None:
    metric = {"name": "x_total", "value": 1, "unit": "bytes", "help": "h" * 2000}
    assert decode(metric).metadata == {
        ("unknown", "x_total"): Metadata(MetricType.COUNTER, "bytes", "h" * 1024)
    }


def test_types_may_be_spelt_in_capitals() -> None:
    decoded = decode({"name": "x", "value": 1, "type": "Counter"})
    assert decoded.metadata["unknown", "x"].type is MetricType.COUNTER


def test_known_series_are_one_object() -> None:
    names = SeriesNames()
    metric = {"name": "x", "value": 1, "labels": {"a": "b"}}
    first, second = (decode(metric, names=names).samples[0].labels for _ in range(2))
    assert first is second


def test_the_memory_of_names_is_bounded() -> None:
    names = SeriesNames(kept=3)
    made = [names.series("s", "s", f"x{i}", None) for i in range(4)]
    assert [names.series("s", "s", f"x{i}", None) is made[i] for i in (1, 2, 3, 0)] == [
        True, True, True, False,
    ]  # fmt: skip


@pytest.mark.parametrize("over", [0, 1])
def test_only_names_of_usual_size_are_remembered(over: int) -> None:
    names = SeriesNames()
    labels = {f"l{i:02}": "x" * 61 for i in range(SERIES_CHARS_MAX // 64)}
    labels["l00"] += "x" * over
    first, again = (names.series("s", "s", "m", labels) for _ in range(2))
    assert first == again
    assert (first is again) is (over == 0)
    small = names.series("s", "s", "m", {"l": "x" * (SERIES_CHARS_MAX - 64 + over)})
    rest = SERIES_CHARS_MAX - sum(len(n) + len(v) for n, v in small.items()) + over
    bucket, same = (names.part(small, "_bucket", (("le", "1" * (rest - 2)),)) for _ in range(2))
    assert bucket == same
    assert (bucket is same) is (over == 0)


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4)
    | st.dictionaries(
        st.sampled_from(
            ["name", "value", "metrics", "labels", "timestamp", "type", "service_name", "count",
             "buckets", "quantiles", "instance_id", "1", "unit", "help"]
        )
        | st.text(max_size=3),
        inner,
        max_size=6,
    ),
    max_leaves=20,
)  # fmt: skip


@given(_json)
def test_peer_data_never_raises(value: object) -> None:
    decoded = decode(value, mend_clocks=True)
    assert len(decoded.samples) == len(decoded.indexes)
    assert all(math.isfinite(sample.value) for sample in decoded.samples)
    assert all(sample.labels.name and sample.labels["service"] for sample in decoded.samples)


_ODD: list[object] = [
    {"name": "x", "value": 2**53 + 1},
    {"name": "x", "value": 10**400},
    {"name": "x", "value": True},
    {"name": "x", "value": "1 %"},
    {"name": "x", "value": None},
    {"name": "x", "value": float("inf")},
    {"name": "x", "value": {"count": 1, "sum": 1, "buckets": {"1": 1}}},
    {"name": "x"},
    {"name": "", "value": 1},
    {"name": ["x"], "value": 1},
    {"name": "x", "value": 1, "labels": []},
    {"name": "x", "value": 1, "labels": {"a": 1, "b": None, "service": "other"}},
    {"name": "x", "value": 1, "labels": {"a": ["b"]}},
    {"name": "x", "value": 1, "service_name": "other"},
    {"value": 1},
    5,
]


@pytest.mark.parametrize("odd", _ODD)
@pytest.mark.parametrize("stamp", [None, NOW_MS / 1000 - 1, NOW_MS - 86_400_001, "soon"])
@pytest.mark.parametrize("service", [None, "s", "a/b"])
@pytest.mark.parametrize("forced", ["", "f"])
@pytest.mark.parametrize("alone", [True, False])
def test_plain_metrics_mean_what_they_would_mean_with_a_word_more(
    odd: object, stamp: object, service: object, forced: str, alone: bool
) -> None:
    plain: list[object] = [
        {"name": "a", "value": 1},
        {"name": "b", "value": 0.5, "labels": {"service": "l", "x": "y"}},
    ]
    metrics = [odd] if alone else [odd, *plain, odd, *plain]
    wordy = [{**metric, "note": ""} if isinstance(metric, dict) else metric for metric in metrics]
    body = {"service_name": service, "timestamp": stamp, "instance_id": "i"}
    options = {"mend_clocks": True, "forced_service": forced}
    one = decode({**body, "metrics": metrics}, **options)
    other = decode({**body, "metrics": wordy}, **options)
    assert list(one.samples) == list(other.samples)
    assert one[1:] == other[1:]
