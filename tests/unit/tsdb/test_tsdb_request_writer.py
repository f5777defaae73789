"""Write requests in the store: verdicts, spellings, limits, metadata, senders."""

import pytest
from tests.support.fault_disk import FaultDisk
from tests.support.write_requests import field, metadata, number_field, request2, series

from alicia.series.kinds import MetricType
from alicia.series.labels import LabelSet
from alicia.series.samples import STALE, Metadata, Sample, is_stale
from alicia.tsdb.ports import DiskFault
from alicia.tsdb.request import decode_request
from alicia.tsdb.request2 import decode_request2
from alicia.tsdb.request_writer import REFUSALS_LISTED, RequestOutcome
from alicia.tsdb.series_table import Limits
from alicia.tsdb.store import Batch, Store

NOW = 1_700_000_000_000
HOUR = 3_600_000
UP = [("__name__", "up"), ("instance", "a:1"), ("job", "node")]


def write(store: Store, *rows: bytes, service: str = "") -> RequestOutcome:
    request = decode_request(b"".join(rows))
    return store.write_request(request.held_to(service) if service else request, NOW)


def values(store: Store, **labels: str) -> list[float]:
    return [sample.value for sample in store.samples(LabelSet(labels))]


def test_a_bad_sample_costs_no_other() -> None:
    store = Store(Limits())
    outcome = write(
        store,
        series(UP, [(NOW, 1), (NOW, 1), (NOW, 2), (NOW - 2 * HOUR, 3), (NOW + HOUR, 4)]),
        series([("job", "x")], [(NOW, 5), (NOW + 1, 6)]),
        series([("__name__", "other")], [(NOW, 7)]),
    )
    assert (outcome.stored, outcome.repeated) == (2, 1)
    assert dict(outcome.refused) == {
        "duplicate_timestamp": 1,
        "too_old": 1,
        "too_far_ahead": 1,
        "bad_name": 2,
    }
    assert [(each.row, each.code) for each in outcome.first] == [
        (0, "duplicate_timestamp"),
        (1, "bad_name"),
    ]
    assert outcome.first[0].series == 'up{instance="a:1",job="node"}'
    assert values(store, **dict(UP)) == [1]
    assert values(store, __name__="other") == [7]


def test_one_series_however_it_is_spelled() -> None:
    store = Store(Limits())
    extended = [*UP, ("empty", "")]
    spellings = [UP, UP[::-1], extended, extended[::-1], UP]
    for i, spelled in enumerate([*spellings, *spellings]):
        assert write(store, series(spelled, [(NOW + i, i)])).stored == 1
    assert store.series_count == 1
    assert values(store, **dict(UP)) == list(range(10))


def test_spellings_of_one_request_meet() -> None:
    store = Store(Limits())
    rows = [series(labels, [(NOW + i, i)]) for i, labels in enumerate([UP, UP, UP[::-1], UP[::-1]])]
    assert write(store, *rows).stored == 4
    assert store.series_count == 1


def test_samples_between_labels_hide_no_series() -> None:
    store = Store(Limits())
    first, *rest = UP
    for i in range(3):
        whole = series([], [(NOW + i, i)])
        scattered = field(
            1, _content(series([first], [])) + _content(whole) + _content(series(rest, []))
        )
        assert write(store, scattered).stored == 1
    assert values(store, **dict(UP)) == [0, 1, 2]
    assert store.series_count == 1


def _content(row: bytes) -> bytes:
    return row[2:]


def test_series_of_bodies_and_of_requests_are_the_same() -> None:
    store = Store(Limits())
    store.write(Batch([Sample(LabelSet(dict(UP)), NOW, 1.0)], NOW))
    assert write(store, series(UP, [(NOW, 1), (NOW + 1, 2)])).repeated == 1
    assert store.series_count == 1


def test_a_series_without_a_sample_that_is_taken_does_not_begin() -> None:
    store = Store(Limits())
    outcome = write(store, series(UP, []), series(UP[:1], [(NOW - 2 * HOUR, 1)]))
    assert dict(outcome.refused) == {"too_old": 1}
    assert outcome.first[0].series == "up"
    assert store.series_count == 0
    assert list(outcome.senders) == []


def test_limits_name_the_series_and_spare_the_others() -> None:
    store = Store(Limits(max_series=3, max_series_per_service=2))
    rows = [series([*UP, ("n", str(i))], [(NOW, i)]) for i in range(4)]
    outcome = write(store, *rows, series([("__name__", "b")], [(NOW, 1)]))
    assert outcome.stored == 3
    assert dict(outcome.refused) == {"service_series_limit": 2}
    assert 'n="2"' in outcome.first[0].series
    last = write(store, series([("__name__", "c")], [(NOW, 1)]), rows[0])
    assert (last.repeated, dict(last.refused)) == (1, {"series_limit": 1})
    assert store.series_per_service() == {"node": 2, "": 1}  # the service is the job
    assert store.stats(NOW).refused == {"node": 2, "": 1}


def test_only_the_first_refusals_are_listed() -> None:
    store = Store(Limits(max_series=1))
    rows = [series([*UP, ("n", str(i))], [(NOW, i)]) for i in range(30)]
    outcome = write(store, *rows)
    assert dict(outcome.refused) == {"series_limit": 29}
    assert [each.row for each in outcome.first] == list(range(1, REFUSALS_LISTED + 1))


def test_markers_pass() -> None:
    store = Store(Limits())
    write(store, series(UP, [(NOW, 1)]), series(UP, [(NOW + 1, STALE)]))
    newest = store.newest(LabelSet(dict(UP)))
    assert newest is not None
    assert is_stale(newest.value)


def test_a_refusing_disk_leaves_nothing() -> None:
    disk = FaultDisk()
    store = Store(Limits(), disk=disk)
    store.replay(NOW)
    write(store, series(UP, [(NOW, 1)]))
    disk.fail_append = 3
    with pytest.raises(DiskFault):
        write(store, series(UP, [(NOW + 1, 2)]), series(UP[:1], [(NOW, 1)]), metadata("up", 2))
    assert store.series_count == 1
    assert values(store, **dict(UP)) == [1]
    assert store.all_metadata() == []
    assert write(store, series(UP, [(NOW + 1, 2)]), series(UP[:1], [(NOW, 1)])).stored == 2


def test_what_was_written_is_there_after_a_restart() -> None:
    disk = FaultDisk()
    store = Store(Limits(), disk=disk)
    store.replay(NOW)
    write(store, series(UP[::-1], [(NOW, 1), (NOW + 1, 2)]))
    again = Store(Limits(), disk=disk)
    again.replay(NOW)
    assert values(again, **dict(UP)) == [1, 2]
    assert write(again, series(UP[::-1], [(NOW + 1, 2), (NOW + 2, 3)])).repeated == 1
    assert again.series_count == 1


def test_a_sender_held_to_a_service_and_a_free_one_write_different_series() -> None:
    store = Store(Limits())
    for i in range(2):
        assert write(store, series(UP, [(NOW + i, i)]), service="mine").stored == 1
        assert write(store, series(UP, [(NOW + i, i)])).stored == 1
    assert store.series_count == 2
    assert values(store, **dict(UP), service="mine") == [0, 1]


def test_a_key_that_came_back_for_another_series_is_the_other() -> None:
    store = Store(Limits())
    write(store, series(UP, [(NOW, 1)]))
    for _ in store.expire(NOW + 2 * HOUR):
        pass
    assert store.series_count == 0
    outcome = decode_request(
        series([*UP, ("job2", "x"), ("instance2", "y")], [(NOW + 2 * HOUR, 1)])
    )
    assert store.write_request(outcome, NOW + 2 * HOUR).stored == 1
    back = decode_request(series([*UP[:1], ("job", "other")], [(NOW + 2 * HOUR, 1)]))
    assert list(store.write_request(back, NOW + 2 * HOUR).senders) == [("other", "")]


def test_senders_are_the_services_and_instances_of_what_came() -> None:
    store = Store(Limits())
    rows = (
        series(UP, [(NOW, 1)]),
        series([*UP, ("service", "s")], [(NOW, 1)]),
        series([("__name__", "bare")], [(NOW, 1)]),
        series([*UP[:2], ("job", "node"), ("n", "2")], [(NOW, 1)]),
    )
    expected = {("node", "a:1"), ("s", "a:1"), ("", "")}
    for _ in range(2):
        senders = write(store, *rows).senders
        assert len(senders) == 3
        assert set(senders) == expected


def test_metadata_without_a_service_holds_for_all() -> None:
    store = Store(Limits())
    named = [*UP, ("service", "s")]
    write(store, series(named, [(NOW, 1)]), metadata("up", 2, "whether it is"))
    about = Metadata(MetricType.GAUGE, "", "whether it is")
    assert store.metadata("s", "up") == store.metadata("", "up") == about
    assert store.family(LabelSet(dict(named))) == ("up", about)
    write(store, metadata("up", 1), service="s")
    assert store.metadata("s", "up").type is MetricType.COUNTER
    assert store.metadata("", "up") == about


def test_metadata_of_the_second_version_comes_with_the_series() -> None:
    store = Store(Limits())
    about = field(5, number_field(1, 3) + number_field(3, 1))
    bucket = [("__name__", "h_bucket"), ("le", "1")]
    request = decode_request2(request2([(bucket, [(NOW, 1)], about)], extra=["helps"]))
    store.write_request(request, NOW)
    assert store.family(LabelSet(dict(bucket))) == (
        "h",
        Metadata(MetricType.HISTOGRAM, "", "helps"),
    )
