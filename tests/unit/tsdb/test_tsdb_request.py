"""Remote-write bodies of both versions: golden bytes, every kind of damage, limits."""

from collections.abc import Callable

import numpy as np
import pytest
from tests.support.write_requests import (
    field,
    label,
    metadata,
    number_field,
    request2,
    sample,
    series,
    varint,
)

from alicia.base.limits import LABEL_VALUE_BYTES_MAX, LABELS_MAX, NAME_BYTES_MAX
from alicia.series.kinds import MetricType
from alicia.series.labels import LabelSet
from alicia.series.samples import STALE_BITS, Metadata, bits
from alicia.tsdb.identity import encode_labels
from alicia.tsdb.request import (
    BadLabels,
    BadProtobuf,
    RequestTooLarge,
    WriteRequest,
    decode_request,
)
from alicia.tsdb.request2 import decode_request2

NAMED = [("__name__", "up"), ("job", "node")]
UP = LabelSet(dict(NAMED))
# WriteRequest{timeseries: {labels: __name__=up, samples: {value: 1, timestamp: 1000}}}
GOLDEN = bytes.fromhex("0a1e0a0e0a085f5f6e616d655f5f12027570120c09000000000000f03f10e807")


def samples_of(request: WriteRequest, row: int = 0) -> list[tuple[int, float]]:
    place = request.samples_of(row)
    values = request.values.view(np.float64)[place].tolist()
    return list(zip(request.t_ms[place].tolist(), values, strict=True))


def body1(*rows: bytes) -> bytes:
    return b"".join(rows)


def test_golden_bytes() -> None:
    request = decode_request(GOLDEN)
    assert request.label_set(0) == LabelSet({"__name__": "up"})
    assert samples_of(request) == [(1000, 1.0)]
    assert request.key(0) == encode_labels(LabelSet({"__name__": "up"}))


@pytest.mark.parametrize(
    "decode", [lambda: decode_request(series(NAMED, [(5, 1.5), (-7, -0.0)])),
               lambda: decode_request2(request2([(NAMED, [(5, 1.5), (-7, -0.0)], b"")]))],
    ids=["1.0", "2.0"],
)  # fmt: skip
def test_both_versions_say_the_same(decode: Callable[[], WriteRequest]) -> None:
    request = decode()
    assert request.label_set(0) == UP
    assert request.key(0) == encode_labels(UP)
    assert [(t, bits(v)) for t, v in samples_of(request)] == [(5, bits(1.5)), (-7, bits(-0.0))]


def test_markers_keep_their_bits() -> None:
    raw = b"\x09" + STALE_BITS.to_bytes(8, "little") + number_field(2, 9)
    request = decode_request(field(1, label("__name__", "x") + field(2, raw)))
    assert request.values.tolist() == [STALE_BITS]


def test_fields_may_come_in_any_order_and_number() -> None:
    unknown = field(9, "?") + number_field(8, 1) + b"\x7d\0\0\0\0" + b"\x79" + bytes(8)
    swapped = number_field(2, 7) + b"\x09" + bytes(8)
    inner = field(2, swapped) + label("a", "b") + unknown + label("__name__", "x")
    request = decode_request(unknown + field(1, inner) + field(1, b""))
    assert request.label_set(0) == LabelSet({"__name__": "x", "a": "b"})
    assert samples_of(request) == [(7, 0.0)]
    assert len(request.series) == 2
    assert samples_of(request, 1) == []


def test_what_we_do_not_store_is_counted() -> None:
    more = field(3, b"") + field(3, b"") + field(4, b"")
    first = decode_request(series(NAMED, [(1, 1)], more))
    assert (first.exemplars, first.histograms) == (2, 1)
    second = decode_request2(request2([(NAMED, [(1, 1)], more)]))
    assert (second.exemplars, second.histograms) == (1, 2)  # their fields are the other way round


def test_more_series_and_samples_than_guessed_are_read_whole() -> None:
    request = decode_request(field(1, b"") * 500 + field(1, field(2, b"") * 5000))
    assert len(request.series) == 501
    assert request.counts.tolist() == [0] * 500 + [5000]


def test_metadata_of_the_first_version() -> None:
    body = metadata("a_total", 1, "counts\n", "s") + metadata("h", 3) + metadata("new", 99)
    assert decode_request(body + field(3, b"\xff")).metadata == {
        "a_total": Metadata(MetricType.COUNTER, "s", "counts\n"),
        "h": Metadata(MetricType.HISTOGRAM),
        "new": Metadata(MetricType.UNKNOWN),
    }


def test_metadata_of_the_second_version() -> None:
    about = field(5, number_field(1, 5) + number_field(3, 1) + number_field(4, 2))
    request = decode_request2(
        request2([(NAMED, [], about), (NAMED, [], b"")], extra=("helps", "seconds"))
    )
    assert request.notes is not None
    assert request.notes.of(0) == Metadata(MetricType.SUMMARY, "seconds", "helps")
    assert request.notes.of(1) is None


BROKEN = {
    "a tag of nothing": b"\x00",
    "a varint without end": b"\xff" * 11,
    "a length beyond the body": b"\x0a\x05ab",
    "a length of 2**63": b"\x0a" + varint(2**63) + b"ab",
    "a group": b"\x0b",
    "series as a number": number_field(1, 3),
    "labels as a number": field(1, number_field(1, 3)),
    "samples as a number": field(1, number_field(2, 3)),
    "a length beyond the series": field(1, b"\x0a\x05ab") + bytes(100),
    "a value as a number": field(1, field(2, number_field(1, 3))),
    "a time as a text": field(1, field(2, field(2, "1"))),
    "a sample cut off": field(1, field(2, sample(1000, 1.0)[:-1])),
    "a value cut off": field(1, field(2, b"\x09" + bytes(7))),
}


@pytest.mark.parametrize("body", BROKEN.values(), ids=BROKEN)
def test_what_is_no_request_is_refused_whole(body: bytes) -> None:
    good = series(NAMED, [(1, 1)])
    with pytest.raises(BadProtobuf, match=r"from byte \d+ of"):
        decode_request(good + body)


BROKEN_2 = {
    "the first symbol is not empty": field(4, "a"),
    "a reference beyond the symbols": field(4, "") + field(5, field(1, b"\x00\x01")),
    "a reference below zero": field(4, "") + field(5, field(1, varint(-1) + b"\x00")),
    "an odd number of references": field(4, "") + field(5, field(1, b"\x00")),
    "no symbols at all": field(5, field(1, b"\x00\x00")),
    "references as a fixed number": field(4, "") + field(5, b"\x09" + bytes(8)),
    "help beyond the symbols": field(4, "") + field(5, field(5, number_field(3, 1))),
    "a unit as a text": field(4, "") + field(5, field(5, field(4, "s"))),
    "symbols as numbers": number_field(4, 1),
    "a length beyond the body": b"\x2a\x05ab",
}


@pytest.mark.parametrize("body", BROKEN_2.values(), ids=BROKEN_2)
def test_what_is_no_second_request_is_refused_whole(body: bytes) -> None:
    with pytest.raises(BadProtobuf, match=r"2\.0"):
        decode_request2(body)


def test_single_references_are_read_as_packed_ones() -> None:
    refs = number_field(1, 1) + number_field(1, 2)
    body = field(4, "") + field(4, "__name__") + field(4, "up") + field(5, refs)
    assert decode_request2(body).label_set(0) == LabelSet({"__name__": "up"})


def test_symbols_may_stand_behind_their_series() -> None:
    body = field(5, field(1, b"\x01\x02")) + field(4, "") + field(4, "__name__") + field(4, "up")
    assert decode_request2(body).label_set(0) == LabelSet({"__name__": "up"})


def test_a_long_symbol_cannot_be_multiplied_without_bound() -> None:
    refs = b"\x01" * 2 * 2000
    body = field(4, "") + field(4, "x" * 40_000) + field(5, field(1, refs))
    with pytest.raises(RequestTooLarge):
        decode_request2(body)


def test_more_series_than_we_take() -> None:
    with pytest.raises(RequestTooLarge, match="1000001 series"):
        decode_request(field(1, b"") * 1_000_001)


LONG_NAME = "n" * (NAME_BYTES_MAX + 1)
LABELS = {
    "no name": ([("a", "b")], "bad_name"),
    "an empty name": ([("__name__", "")], "bad_name"),
    "a long name": ([("__name__", LONG_NAME)], "bad_name"),
    "twice": ([*NAMED, ("job", "other")], "bad_label"),
    "twice with an empty value": ([*NAMED, ("job", "")], "bad_label"),
    "a label without name": ([*NAMED, ("", "x")], "bad_label"),
    "a long label name": ([*NAMED, (LONG_NAME, "x")], "bad_label"),
    "a long value": ([*NAMED, ("v", "x" * (LABEL_VALUE_BYTES_MAX + 1))], "label_too_long"),
    "too many": ([*NAMED, *((f"l{i}", "x") for i in range(LABELS_MAX))], "too_many_labels"),
    "not UTF-8": ([*NAMED, ("v", b"\xff")], "bad_label"),
    "bytes of a surrogate": ([*NAMED, ("v", b"\xed\xa0\x80")], "bad_label"),
}


@pytest.mark.parametrize(("labels", "code"), LABELS.values(), ids=LABELS)
def test_bad_labels_have_a_code(labels: list[tuple[str, str]], code: str) -> None:
    request = decode_request(series(labels, [(1, 1)]))
    with pytest.raises(BadLabels) as caught:
        request.label_set(0)
    assert caught.value.code == code


def test_labels_at_the_limits_are_taken() -> None:
    most = [("__name__", "n" * NAME_BYTES_MAX), *((f"l{i}", "x") for i in range(LABELS_MAX))]
    most[-1] = ("l" * NAME_BYTES_MAX, "x" * LABEL_VALUE_BYTES_MAX)
    assert len(decode_request(series(most, [])).label_set(0)) == LABELS_MAX + 1


def test_an_endless_number_in_a_label_costs_nothing() -> None:
    inner = b"\x0a" + b"\x80" * 100_000 + b"\x01"
    request = decode_request(field(1, label("__name__", "x") + field(1, inner)))
    with pytest.raises(BadLabels) as caught:
        request.label_set(0)
    assert caught.value.code == "bad_label"


def test_a_sender_held_to_one_service_speaks_for_no_other() -> None:
    rows = (series(NAMED, [(1, 1)]), series([*NAMED, ("service", "other")], [(2, 2)]))
    request = decode_request(body1(*rows)).held_to("mine")
    assert request.label_set(0) == UP.merged({"service": "mine"})
    assert request.label_set(1) == UP.merged({"service": "mine", "exported_service": "other"})
    assert samples_of(request, 1) == [(2, 2.0)]
    assert request.key(0) != decode_request(rows[0]).key(0)


def test_parts_hold_everything_once_and_in_order() -> None:
    rows = [series([("__name__", f"m{i}")], [(t, i) for t in range(i)]) for i in range(6)]
    whole = decode_request(body1(*rows, series(NAMED, [], field(4, b"")), metadata("m", 1)))
    parts = list(whole.parts(series_max=4, samples_max=3))
    found = [
        (part.label_set(row).name, t)
        for part in parts
        for row in range(len(part.series))
        for t, _ in samples_of(part, row)
    ]
    assert found == [(f"m{i}", t) for i in range(6) for t in range(i)]
    assert max(len(part.t_ms) for part in parts) == 3
    assert sum(part.histograms for part in parts) == 1
    assert sum(len(part.metadata) for part in parts) == 1
    assert {part.before for part in parts} == {0, 4}


def test_an_empty_body_is_a_request_of_nothing() -> None:
    assert len(decode_request(b"").series) == 0
    assert len(decode_request2(b"").series) == 0
    (only,) = decode_request(b"").parts(series_max=10, samples_max=10)
    assert len(only.t_ms) == 0
