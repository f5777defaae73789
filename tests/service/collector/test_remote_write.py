"""``POST /api/v1/write`` over ASGI: both versions, what is refused, and who may send."""

import asyncio
from collections.abc import Callable, Mapping

import httpx
import pytest
from tests.service.collector.collector_harness import Harness
from tests.support.inline_writer import InlineWriter
from tests.support.write_requests import (
    HEADERS,
    HEADERS_2,
    field,
    metadata,
    request2,
    series,
    snappy,
    varint,
)

from alicia.adapters.clock import SystemRandom
from alicia.adapters.http.bind import Listener
from alicia.adapters.http.roles import Role
from alicia.base.limits import BODY_BYTES_MAX, BODY_INFLATED_BYTES_MAX
from alicia.collector.ingest import QUEUED_MAX
from alicia.collector.ingest_requests import PART_SERIES
from alicia.collector.store_thread import OnRequestWritten
from alicia.series.kinds import MetricType
from alicia.series.labels import LabelSet
from alicia.tsdb.ports import DiskFault
from alicia.tsdb.request import WriteRequest

PATH = "/api/v1/write"
UP = [("__name__", "up"), ("instance", "a:1"), ("job", "node")]
WRITTEN = "x-prometheus-remote-write-{}-written"


async def send(
    harness: Harness, body: bytes, headers: Mapping[str, str] = HEADERS
) -> httpx.Response:
    return await harness.http.post(PATH, content=snappy(body), headers=headers)


def values(harness: Harness, **labels: str) -> list[float]:
    return [sample.value for sample in harness.collector.store.samples(LabelSet(labels))]


def written(reply: httpx.Response) -> list[str]:
    return [reply.headers[WRITTEN.format(kind)] for kind in ("samples", "histograms", "exemplars")]


async def test_samples_are_stored_and_the_answer_is_empty(harness: Harness) -> None:
    now = harness.clock.now_ms()
    reply = await send(harness, series(UP, [(now - 1, 1), (now, 2)]) + metadata("up", 2, "is it?"))
    assert (reply.status_code, reply.content) == (204, b"")
    assert WRITTEN.format("samples") not in reply.headers
    assert reply.headers["x-content-type-options"] == "nosniff"  # it passed the front
    assert values(harness, **dict(UP)) == [1, 2]
    assert harness.collector.store.metadata("", "up").help == "is it?"
    assert harness.collector.counters.total("samples") == 2
    again = await send(harness, series(UP, [(now - 1, 1), (now, 2)]))
    assert again.status_code == 204


async def test_the_second_version_tells_what_was_written(harness: Harness) -> None:
    now = harness.clock.now_ms()
    more = field(3, b"") + field(4, b"") * 2  # a histogram, exemplars
    reply = await send(harness, request2([(UP, [(now, 1)], b"")]), HEADERS_2)
    assert (reply.status_code, reply.content) == (204, b"")
    assert written(reply) == ["1", "0", "0"]
    reply = await send(harness, request2([(UP, [(now + 1, 2), (now + 1, 3)], more)]), HEADERS_2)
    assert reply.status_code == 400
    assert written(reply) == ["1", "0", "0"]
    assert "1 duplicate_timestamp, 1 native_histogram" in reply.json()["error"]
    assert values(harness, **dict(UP)) == [1, 2]


async def test_good_samples_are_written_and_the_others_named(harness: Harness) -> None:
    now = harness.clock.now_ms()
    body = series(UP, [(now, 1)]) + series([("job", "x")], [(now, 1)]) + series(UP, [(now, 2)])
    reply = await send(harness, body)
    assert reply.status_code == 400
    assert reply.json()["errorType"] == "bad_data"
    detail = reply.json()["error"]
    assert detail.startswith("1 samples are stored; refused: ")
    assert "series 1 of the request: __name__: is missing" in detail
    assert 'up{instance="a:1",job="node"}: the series has another value' in detail
    assert values(harness, **dict(UP)) == [1]
    rejects = (await harness.http.get("/api/v1/rejects")).json()
    assert rejects["total"] == {"bad_name": 1, "duplicate_timestamp": 1}
    assert {row["entry"] for row in rejects["rejects"]} == {"remote-write"}


async def test_every_refused_sample_is_counted(harness: Harness) -> None:
    now = harness.clock.now_ms()
    rows = [series([*UP, ("n", str(i))], [(now, 1)]) for i in range(1510)]
    reply = await send(harness, b"".join(rows))
    assert reply.status_code == 400
    assert "1500 samples are stored; refused: 10 service_series_limit" in reply.json()["error"]
    rejected = harness.collector.counters.by_label("rejected")
    assert rejected == {"service_series_limit": 10}


async def test_a_large_request_is_written_in_parts(harness: Harness) -> None:
    now = harness.clock.now_ms()
    rows = [series([("__name__", "m")], [(now + i, i)]) for i in range(PART_SERIES + 10)]
    bad = series([("x", "y")], [(now, 1)])
    reply = await send(harness, b"".join([*rows, bad]))
    assert reply.status_code == 400
    assert f"series {PART_SERIES + 10} of the request" in reply.json()["error"]
    assert len(values(harness, __name__="m")) == 1000  # MAX_SAMPLES_PER_SERIES
    assert values(harness, __name__="m")[-1] == PART_SERIES + 9


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
async def test_only_post_is_taken(harness: Harness, method: str) -> None:
    reply = await harness.http.request(method, PATH)
    assert reply.status_code == 405
    assert reply.headers["allow"] == "POST"


V2 = HEADERS_2["Content-Type"]
TYPES = [
    ({}, 204),
    ({"Content-Type": "application/x-protobuf"}, 204),
    ({"Content-Type": "Application/X-Protobuf; proto=prometheus.WriteRequest"}, 204),
    ({"Content-Type": V2}, 204),
    ({"Content-Type": 'application/x-protobuf; charset=x; proto="prometheus.WriteRequest"'}, 204),
    ({"Content-Encoding": "SNAPPY"}, 204),
    ({"Content-Type": "application/x-protobuf; proto=io.prometheus.write.v3.Request"}, 415),
    ({"Content-Type": "application/json"}, 415),
    ({"Content-Type": "text/plain"}, 415),
    ({"Content-Type": "application/x-protobuf", "Content-Encoding": "zstd"}, 415),
    ({"Content-Encoding": "gzip"}, 415),
    ({"Content-Encoding": "identity"}, 415),
]


@pytest.mark.parametrize(("headers", "status"), TYPES)
async def test_types_and_encodings(harness: Harness, headers: dict[str, str], status: int) -> None:
    reply = await harness.http.post(PATH, content=snappy(b""), headers=headers)
    assert reply.status_code == status, reply.text


BODIES = {
    "nothing": (b"", 400),
    "no snappy": (b"hello, world", 400),
    "a frame instead of a block": (b"\xff\x06\x00\x00sNaPpY", 400),
    "a block cut off": (snappy(series(UP, [(1, 1)]))[:-3], 400),
    "a block that says more than it holds": (varint(50) + b"\x00a", 400),
    "a block that says less than it holds": (varint(1) + b"\x08abc", 400),
    "a size that no block of this length has": (varint(BODY_INFLATED_BYTES_MAX) + b"\x00a", 400),
    "a size that we do not take": (varint(BODY_INFLATED_BYTES_MAX + 1) + b"\x00a", 413),
    "a size of five bytes": (varint(2**32 - 1) + b"\x00a", 413),
    "a size beyond the format": (varint(2**40) + b"\x00a", 400),
    "a bomb": (snappy(bytes(BODY_INFLATED_BYTES_MAX + 1)), 413),
    "as sent too large": (bytes(BODY_BYTES_MAX + 1), 413),
    "more series than we take": (snappy(field(1, b"") * 1_000_001), 413),
    "no protobuf": (snappy(b"hello, world"), 400),
    "zeros": (snappy(bytes(1000)), 400),
}


@pytest.mark.parametrize("headers", [HEADERS, HEADERS_2], ids=["1.0", "2.0"])
@pytest.mark.parametrize(("body", "status"), BODIES.values(), ids=BODIES)
async def test_bodies_that_cannot_be_read(
    harness: Harness, headers: dict[str, str], body: bytes, status: int
) -> None:
    if headers is HEADERS_2 and body == BODIES["more series than we take"][0]:
        body = snappy(field(5, b"") * 1_000_001)
    reply = await harness.http.post(PATH, content=body, headers=headers)
    assert reply.status_code == status, reply.text
    assert reply.json()["status"] == "error"
    if headers is HEADERS_2 and len(body) <= BODY_BYTES_MAX:
        assert written(reply) == ["0", "0", "0"]
    assert harness.collector.store.series_count == 0


async def test_a_full_disk_is_a_503_and_keeps_nothing(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = harness.clock.now_ms()

    def refuse(*_: object) -> None:
        raise DiskFault("wal/1: no space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(harness.collector.store, "write_request", refuse)
        for headers, body in (
            (HEADERS, series(UP, [(now, 1)])),
            (HEADERS_2, request2([(UP, [(now, 1)], b"")])),
        ):
            reply = await send(harness, body, headers)
            assert reply.status_code == 503
            assert reply.headers["retry-after"]
    assert written(reply) == ["0", "0", "0"]
    assert (await send(harness, series(UP, [(now, 1)]))).status_code == 204


async def test_overload_is_a_429_that_says_when_to_come_again(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = harness.clock.now_ms()
    held: list[Callable[[], None]] = []
    write = harness.collector.store.write_request

    def hold(_: InlineWriter, request: WriteRequest, at_ms: int, tell: OnRequestWritten) -> None:
        held.append(lambda: tell(write(request, at_ms)))
        entered.set()

    entered = asyncio.Event()
    much = series(UP, [(now - i, 1) for i in range(QUEUED_MAX, 0, -1)])
    with monkeypatch.context() as patched:
        patched.setattr(InlineWriter, "write_request", hold)
        first = asyncio.create_task(send(harness, much))
        await entered.wait()
        reply = await send(harness, series(UP, [(now, 1)]))
    assert reply.status_code == 429
    assert reply.headers["retry-after"] == "1"
    assert len(held) == 1
    held[0]()
    assert (await first).status_code == 204
    assert (await send(harness, series(UP, [(now, 1)]))).status_code == 204


async def test_the_door_is_the_same_as_of_all_routes(harness: Harness) -> None:
    body = snappy(series(UP, [(harness.clock.now_ms(), 1)]))
    for headers, status in (
        ({"Host": "evil.example"}, 421),
        ({"Origin": "http://evil.example"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Authorization": "Bearer alicia_wrong"}, 401),
    ):
        reply = await harness.http.post(PATH, content=body, headers={**HEADERS, **headers})
        assert reply.status_code == status
    assert harness.collector.store.series_count == 0


@pytest.mark.parametrize(
    ("role", "status"),
    [(Role.VIEWER, 403), (Role.EDITOR, 403), (Role.INGEST, 204), (Role.ADMIN, 204), (None, 401)],
)
async def test_who_may_send(harness: Harness, role: Role | None, status: int) -> None:
    held = bearer(harness, role or Role.ADMIN)
    headers = {**HEADERS, **(held if role else {})}
    if role is None:
        harness.collector.guard.admit(Listener((), "0.0.0.0", 8024, loopback=False))
    reply = await send(harness, series(UP, [(harness.clock.now_ms(), 1)]), headers)
    assert reply.status_code == status


async def test_a_token_of_one_service_speaks_for_it_alone(harness: Harness) -> None:
    headers = {**HEADERS, **bearer(harness, Role.INGEST, "mine")}
    body = series([*UP, ("service", "other")], [(harness.clock.now_ms(), 1)])
    for _ in range(2):
        assert (await send(harness, body, headers)).status_code == 204
    (labels,) = harness.collector.store.series(())
    assert labels == LabelSet({**dict(UP), "service": "mine", "exported_service": "other"})


async def test_metadata_of_a_bound_token_is_that_of_its_service(harness: Harness) -> None:
    headers = {**HEADERS, **bearer(harness, Role.INGEST, "mine")}
    await send(harness, metadata("up", 1), headers)
    store = harness.collector.store
    assert store.metadata("mine", "up").type is MetricType.COUNTER
    assert store.metadata("other", "up").type is MetricType.GAUGE


def bearer(harness: Harness, role: Role, service: str = "") -> dict[str, str]:
    tokens = harness.collector.guard.tokens
    secret, _ = tokens.create(
        role, service=service, now_ms=harness.clock.now_ms(), random=SystemRandom()
    )
    return {"Authorization": f"Bearer {secret}"}
