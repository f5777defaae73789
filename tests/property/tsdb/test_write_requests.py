"""Any bytes as a write request: a typed error or a request that the store takes; never another."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.plain_kernels import guarded, plain
from tests.support.write_requests import field, number_field, request2, series, snappy

from alicia.adapters.http.errors import BadBody, BodyTooLarge
from alicia.adapters.http.snappy import inflate_block
from alicia.base.limits import TOO_FAR_AHEAD_MS
from alicia.series.samples import Sample
from alicia.tsdb.kernels import protobuf, protobuf2
from alicia.tsdb.request import BadProtobuf, RequestTooLarge, WriteRequest, decode_request
from alicia.tsdb.request2 import decode_request2
from alicia.tsdb.series_table import Limits
from alicia.tsdb.store import Batch, Store

NOW = 1_700_000_000_000
RETENTION_MS = Limits().retention_ms
DECODERS = {"1.0": decode_request, "2.0": decode_request2}

TEXTS = st.sampled_from(["__name__", "up", "job", "node", "service", "é", "x" * 130, "instance"])
PAIRS = st.lists(st.tuples(TEXTS, TEXTS), max_size=4)
TIMES = st.integers(NOW - 2 * RETENTION_MS, NOW + 2 * TOO_FAR_AHEAD_MS) | st.just(NOW)
SAMPLES = st.lists(st.tuples(TIMES, st.floats(allow_nan=False)), max_size=4)
ODD = st.sampled_from(
    [b"", field(3, b""), field(4, b""), number_field(9, 5), field(5, b"\x08\x01")]
)
GOOD_1 = st.lists(st.builds(series, PAIRS, SAMPLES, ODD), max_size=4).map(b"".join)
GOOD_2 = st.lists(st.tuples(PAIRS, SAMPLES, st.just(b"")), max_size=4).map(request2)


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A body with a few bytes changed, cut off, or put in twice."""
    body = bytearray(draw(GOOD_1 | GOOD_2))
    for _ in range(draw(st.integers(0, 3))):
        place = draw(st.integers(0, len(body)))
        match draw(st.sampled_from(["set", "cut", "repeat", "insert"])):
            case "set" if place < len(body):
                body[place] = draw(st.integers(0, 255))
            case "cut":
                del body[place:]
            case "repeat":
                body[place:place] = body[: draw(st.integers(0, 40))]
            case _:
                body[place:place] = draw(st.binary(max_size=12))
    return bytes(body)


BODIES = st.binary(max_size=60) | damaged()


def taken(store: Store, request: WriteRequest) -> None:
    outcome = store.write_request(request, NOW)
    refused = sum(outcome.refused.values())
    assert outcome.stored + outcome.repeated + refused == len(request.t_ms)
    assert bool(outcome.first) == bool(refused)


@pytest.mark.parametrize("version", DECODERS)
@given(body=BODIES, service=st.sampled_from(["", "mine"]))
def test_any_body_is_refused_or_taken(version: str, body: bytes, service: str) -> None:
    try:
        request = DECODERS[version](body)
    except (BadProtobuf, RequestTooLarge):
        return
    store = Store(Limits(max_series=5, max_series_per_service=3))
    if service:
        request = request.held_to(service)
    for part in request.parts(series_max=3, samples_max=3):
        taken(store, part)
    series = store.series_count
    assert series <= 5
    taken(store, request)  # once more
    assert store.series_count == series


@settings(max_examples=30)
@given(body=BODIES)
def test_no_kernel_reads_outside_of_the_body(body: bytes) -> None:
    data = np.frombuffer(body, np.uint8).view()
    for room in (0, 3):
        series_rows = np.zeros((room, protobuf.SERIES_COLUMNS), np.int64)
        t_ms, values = np.zeros((2, room), np.int64)
        spans, totals = np.zeros((room, 2), np.int64), np.zeros(protobuf.TOTALS, np.int64)
        arrays = (series_rows, t_ms, values, spans, totals)
        compiled = [array.copy() for array in arrays]
        defect = protobuf.read_request(data, *compiled)
        assert plain(protobuf.read_request)(guarded(data), *map(guarded, arrays)) == defect
        assert [array.tolist() for array in compiled] == [array.tolist() for array in arrays]
    totals = np.zeros(protobuf2.TOTALS, np.int64)
    defect = protobuf2.count_request(data, totals.copy())
    assert plain(protobuf2.count_request)(guarded(data), guarded(totals)) == defect
    if defect < 0:
        symbols = np.zeros((totals[protobuf2.SYMBOL_COUNT], 2), np.int64)
        first = plain(protobuf2.read_symbols)(guarded(data), guarded(symbols))
        assert protobuf2.read_symbols(data, symbols.copy()) == first
        if first < 0:
            assert protobuf2.size_labels(data, symbols) == plain(protobuf2.size_labels)(
                guarded(data), guarded(symbols)
            )


@given(rows=st.lists(st.tuples(PAIRS, SAMPLES), max_size=4))
def test_versions_and_batches_store_the_same(
    rows: list[tuple[list[tuple[str, str]], list[tuple[int, float]]]],
) -> None:
    good = [(sorted({**dict(pairs), "__name__": "m"}.items()), samples) for pairs, samples in rows]
    one, two, plainly = (Store(Limits()) for _ in range(3))
    first = decode_request(b"".join(series(*row) for row in good))
    one.write_request(first, NOW)
    two.write_request(decode_request2(request2([(*row, b"") for row in good])), NOW)
    labels = [first.label_set(row) for row in range(len(good))]
    for each, (_, samples) in zip(labels, good, strict=True):
        plainly.write(Batch([Sample(each, t, value) for t, value in samples], NOW))
    for each in labels:
        assert one.samples(each) == two.samples(each) == plainly.samples(each)


@given(body=st.binary(max_size=60) | damaged().map(snappy))
def test_any_block_is_inflated_or_refused(body: bytes) -> None:
    try:
        inflated = inflate_block(body, bytes_max=1000)
    except (BadBody, BodyTooLarge):
        return
    assert len(inflated) <= 1000


@given(body=damaged(), cut=st.integers(1, 30))
def test_a_block_that_was_cut_is_refused(body: bytes, cut: int) -> None:
    block = snappy(body)
    assert inflate_block(block) == body
    with pytest.raises(BadBody):
        inflate_block(block[:-cut])
