import pytest

from alicia.series.labels import LabelSet
from alicia.wire.push import BadGrouping, PushGroup, PushPlan, parse_grouping, plan_push
from alicia.wire.read_exposition import BadExposition, read_text
from alicia.wire.read_series import SeriesTexts

GROUPING = (("job", "j"),)


@pytest.mark.parametrize(
    ("path", "labels"),
    [
        ("job/backup", {"job": "backup"}),
        ("job/a/instance/b", {"job": "a", "instance": "b"}),
        ("job/a%20b+c/x/%C3%A9", {"job": "a b+c", "x": "é"}),
        ("job/a%2Fb", {"job": "a/b"}),
        ("job@base64/L3Zhci90bXA=", {"job": "/var/tmp"}),
        ("job@base64/L3Zhci90bXA", {"job": "/var/tmp"}),
        ("job@base64/L3Zhci90bXA%3D", {"job": "/var/tmp"}),
        ("job/a/x@base64/8J-YgD8_", {"job": "a", "x": "😀??"}),
        ("job/a/x@base64/=", {"job": "a", "x": ""}),
        ("job/a/gr%C3%B6%C3%9Fe.x/1", {"job": "a", "größe.x": "1"}),
    ],
)
def test_addresses_name_the_grouping_labels(path: str, labels: dict[str, str]) -> None:
    assert parse_grouping(path) == tuple(sorted(labels.items()))


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("job", "has no value"),
        ("job/", "has no value"),
        ("job@base64/=", "no job"),
        ("job/a/", "has no value; send /label"),
        ("job/a/x", "has no value"),
        ("job/a/x/", "send x@base64/="),
        ("job/a/job/b", "twice"),
        ("job/a/x/1/x@base64/Mg", "twice"),
        ("job/a/__x/1", "__"),
        ("job/a/__name__/b", "__name__"),
        ("job/a//b", "missing or empty"),
        ("job/a/x%0A/b", "control character"),
        ("job/a/x/" + "v" * 5000, "shorten"),
        ("job@base64/a", "no base64"),
        ("job@base64/a+b=", "no base64"),
        ("job@base64/_w", "no base64"),
    ],
)
def test_addresses_without_a_group_are_refused(path: str, reason: str) -> None:
    with pytest.raises(BadGrouping) as raised:
        parse_grouping(path)
    assert reason in str(raised.value)


def test_a_forced_service_is_part_of_the_group() -> None:
    assert dict(parse_grouping("job/a/service/b", forced_service="c")) == {
        "job": "a",
        "service": "c",
    }


def plan(old: PushGroup | None, text: str, *, whole: bool, now_ms: int = 2000) -> PushPlan:
    rows = read_text(text.encode(), SeriesTexts(), forced=GROUPING).rows
    return plan_push(old, GROUPING, rows, whole=whole, now_ms=now_ms)


def values(group: PushGroup) -> dict[str, float | None]:
    return {str(series.labels): series.value for series in group.series}


OLD = plan(None, 'a{x="1"} 1\na{x="2"} 2\nb 3\n', whole=True, now_ms=1000).group


def test_a_first_push_makes_the_group() -> None:
    assert values(OLD) == {
        'a{job="j",x="1"}': 1,
        'a{job="j",x="2"}': 2,
        'b{job="j"}': 3,
        'push_time_seconds{job="j"}': 1,
    }


def test_the_whole_leaves_nothing_of_before() -> None:
    made = plan(OLD, 'a{x="2"} 5\n', whole=True)
    assert values(made.group) == {'a{job="j",x="2"}': 5, 'push_time_seconds{job="j"}': 2}
    assert [str(series.labels) for series in made.ended] == ['a{job="j",x="1"}', 'b{job="j"}']


def test_other_metrics_stay_where_some_are_pushed() -> None:
    made = plan(OLD, 'a{x="3"} 5\n', whole=False)
    assert values(made.group) == {
        'b{job="j"}': 3,
        'a{job="j",x="3"}': 5,
        'push_time_seconds{job="j"}': 2,
    }
    assert [str(s.labels) for s in made.ended] == ['a{job="j",x="1"}', 'a{job="j",x="2"}']


def test_a_histogram_is_replaced_as_one_metric() -> None:
    head = "# TYPE h histogram\n"
    old = plan(None, head + 'h_bucket{le="1"} 1\nh_bucket{le="+Inf"} 1\nh_sum 1\nh_count 1\n',
               whole=True).group  # fmt: skip
    made = plan(old, head + 'h_bucket{le="+Inf"} 2\n', whole=False)
    assert len(made.ended) == 3


def test_an_empty_push_of_some_metrics_renews_the_time_alone() -> None:
    made = plan(OLD, "", whole=False)
    assert values(made.group) == {**values(OLD), 'push_time_seconds{job="j"}': 2}
    assert not made.ended


def test_the_time_of_a_push_is_ours() -> None:
    made = plan(None, "push_time_seconds 77\n", whole=True)
    assert values(made.group) == {'push_time_seconds{job="j"}': 2}
    assert [sample.value for sample in made.samples] == [2]


def test_samples_with_timestamps_are_of_their_instant_alone() -> None:
    made = plan(None, "a 1 500\na 2 600\n", whole=True)
    assert values(made.group)['a{job="j"}'] is None
    assert [(s.t_ms, s.value) for s in made.samples] == [(500, 1), (600, 2), (2000, 2)]


@pytest.mark.parametrize(
    "text", ["a 1\na 1\n", "a 1 500\na 1\n", "a 1\na 1 500\n", 'a{job="x"} 1\na 2\n']
)
def test_a_series_is_pushed_once(text: str) -> None:
    with pytest.raises(BadExposition, match="there twice"):
        plan(None, text, whole=True)


def test_series_that_the_store_refused_are_no_part_of_the_group() -> None:
    made = plan(OLD, 'a{x="3"} 5\nc 1 500\nc 2 600\n', whole=False)
    group = made.after([False, False, True, True])
    assert set(values(group)) == {'b{job="j"}', 'c{job="j"}', 'push_time_seconds{job="j"}'}
    assert group.pushed_ms == 2000
    assert LabelSet({"__name__": "b", "job": "j"}) in {s.labels for s in group.series}
