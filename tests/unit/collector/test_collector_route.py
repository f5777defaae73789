"""Messages find their way, and nothing that a peer sends stops the rest."""

import gzip
import json
from collections.abc import Awaitable
from typing import Any

import pytest
from tests.support.inline_writer import InlineWriter

from alicia.base.counters import Counters
from alicia.base.limits import BODY_BYTES_MAX, BUS_PARSE_BYTES_MAX
from alicia.collector.broker import BrokerMetrics
from alicia.collector.ingest import SLICE, Ingest
from alicia.collector.rejects import RejectLog
from alicia.collector.route import IDS_KEPT, TOPICS_COUNTED, RouteParts, Router
from alicia.series.kinds import MetricType
from alicia.series.labels import LabelSet
from alicia.tsdb.series_table import Limits
from alicia.tsdb.store import Store
from alicia.wire.envelope import Unwrapped
from alicia.wire.names import SeriesNames
from alicia.wire.ports import Message
from alicia.wire.topics import Topics

COLLECT = "alicia/metrics/collect"
GOOD = {"service_name": "stt", "metrics": [{"name": "x", "value": 1}]}


class Bench:
    """A router with everything that it hands messages to in view."""

    def __init__(self, clock: Any, limits: Limits | None = None) -> None:
        self.clock = clock
        self.counters = Counters()
        self.store = Store(limits or Limits())
        self.log = RejectLog(self.counters, clock)
        self.observed: list[Unwrapped] = []
        self.summaries: list[Unwrapped] = []
        parts = RouteParts(
            Ingest(InlineWriter(self.store), self.counters, self.log),
            self.log,
            self.counters,
            lambda _message, opened: self.observed.append(opened),
            self.summaries.append,
            BrokerMetrics(InlineWriter(self.store), clock).take,
        )
        self.router = Router(Topics(), SeriesNames(), clock, parts)

    def send(self, topic: str, body: object, **options: Any) -> Awaitable[object] | None:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        message = Message(topic, raw, received_ms=self.clock.now_ms(), **options)
        return self.router.handle(message)

    def values(self) -> dict[str, float]:
        newest = map(self.store.newest, self.store.series(()))
        return {str(sample.labels): sample.value for sample in newest if sample is not None}

    def codes(self) -> list[str]:
        return [refusal.reject.code for refusal in reversed(self.log.newest())]


@pytest.fixture
def bench(clock: Any) -> Bench:
    return Bench(clock)


def test_a_small_body_is_written_before_handle_returns(bench: Bench) -> None:
    assert bench.send(COLLECT, GOOD) is None
    assert bench.values() == {'x{instance="stt",service="stt"}': 1}


def test_the_topic_names_the_service(bench: Bench) -> None:
    bench.send("alicia/metrics/tts", 17.5)
    bench.send("alicia/metrics/tts", {"queue": {"len": 3}})
    bench.send("alicia/metrics/tts", {"name": "y", "value": 2})
    bench.send("alicia/metrics/tts", [{"name": "z", "value": 3}])
    labels = 'instance="tts",service="tts"'
    assert bench.values() == {
        f"value{{{labels}}}": 17.5,
        f"queue_len{{{labels}}}": 3,
        f"y{{{labels}}}": 2,
        f"z{{{labels}}}": 3,
    }


def test_the_envelope_names_the_service(bench: Bench) -> None:
    sealed = {"message_id": "1", "source": "STT-Service", "payload": {"metrics": GOOD["metrics"]}}
    bench.send(COLLECT, sealed)
    assert bench.values() == {'x{instance="stt_service",service="stt_service"}': 1}


def test_numbers_of_a_status_become_gauges(bench: Bench) -> None:
    bench.send("alicia/system/status/sonos", {"status": "ok", "cpu": 12.5})
    bench.send("alicia/system/status/sonos", {"status": "ok"})
    assert bench.values() == {'cpu{instance="sonos",service="sonos"}': 12.5}
    assert not bench.codes()


def test_the_broker_tells_of_itself(bench: Bench) -> None:
    bench.send("$SYS/broker/uptime", b"940 seconds", retained=True)
    bench.send("$SYS/broker/version", b"mosquitto version 2.0.11")
    labels = 'instance="broker",service="broker"'
    assert bench.values() == {f"broker_uptime_seconds{{{labels}}}": 940}
    assert (bench.observed, bench.codes()) == ([], [])


def test_health_reports_count_what_they_count(bench: Bench) -> None:
    health = {"service_name": "stt", "status": "healthy", "messages_processed": 7, "errors": 1}
    bench.send("alicia/system/health/stt", health)
    labels = 'instance="stt",service="stt"'
    assert bench.values() == {f"messages_processed{{{labels}}}": 7, f"errors{{{labels}}}": 1}
    assert bench.store.metadata("stt", "errors").type is MetricType.COUNTER


def test_a_status_is_of_the_instance_and_the_time_that_it_tells(bench: Bench) -> None:
    at_ms = bench.clock.now_ms() - 60_000
    told = {"service": "sonos", "instance_id": "s2", "timestamp": at_ms / 1000, "cpu": 5}
    bench.send("alicia/monitoring/cpu", told)
    bench.send("alicia/monitoring/cpu", {**told, "instance_id": "s3", "timestamp": "soon"})
    two, three = bench.store.series(())
    assert (two["service"], two["instance"], bench.store.newest(two).t_ms) == ("sonos", "s2", at_ms)
    assert (three["instance"], bench.store.newest(three).t_ms) == ("s3", bench.clock.now_ms())


def test_a_load_balancer_tells_of_itself_and_no_request_is_kept(bench: Bench) -> None:
    told = {"connections": 3, "request_data": {"amount": 5}}
    bench.send("alicia/loadbalancer/route/stt", told)
    labels = 'instance="load_balancer",service="load_balancer",target="stt"'
    assert bench.values() == {f"connections{{{labels}}}": 3}


def test_devices_tell_numbers_and_words(bench: Bench) -> None:
    bench.send("alicia/devices/lamp.1/status", {"battery": "80 %", "state": "on"})
    bench.clock.pass_ms(1000)
    bench.send("alicia/devices/lamp.1/status", b"off")
    bench.send("alicia/devices/thermo/state", b'"21.5"')
    bench.send("alicia/devices/cam/state", b"\xff\x00raw")
    bench.send("alicia/devices/heartbeat", {"device_id": "plug", "watts": 9, "source": "hub"})
    ours = 'instance="devices",service="devices"'
    lamp = 'device="lamp.1",instance="devices",service="devices"'
    assert bench.values() == {
        f"battery{{{lamp}}}": 80,
        f'device_state{{{lamp},state="on"}}': 0,
        f'device_state{{{lamp},state="off"}}': 1,
        f'value{{device="thermo",{ours}}}': 21.5,
        'watts{device="plug",instance="hub",service="hub"}': 9,
    }
    assert bench.codes() == []
    assert bench.counters.by_label("topics") == {"alicia/devices/cam/state": 1}


@pytest.mark.parametrize(("body", "value"), [(b'"42.5 %"', 42.5), (b"1,234", 1234), (b"-3", -3)])
def test_a_text_that_is_a_number_is_a_value(bench: Bench, body: bytes, value: float) -> None:
    bench.send("alicia/metrics/tts", body)
    assert bench.values() == {'value{instance="tts",service="tts"}': value}


@pytest.mark.parametrize("body", [b"hello", b'{"status": "fine"}', b"null"])
def test_no_number_where_one_was_promised_is_told(bench: Bench, body: bytes) -> None:
    bench.send("alicia/metrics/tts", body)
    assert bench.codes() == ["bad_body"]


def test_gzip_is_inflated(bench: Bench) -> None:
    bench.send(COLLECT, gzip.compress(json.dumps(GOOD).encode()))
    assert len(bench.values()) == 1


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"\xff\xfe\x00", "bad_utf8"),
        (b'{"broken', "bad_json"),
        (b"[" * 40 + b"]" * 40, "too_deep"),
        (b"plain text", "bad_body"),
        (b"NaN", "bad_body"),
        (b"{}", "bad_body"),
        (b'{"metrics": 5}', "bad_body"),
        (b'{"name": "x", "value": NaN}', "bad_value"),
        (b'{"name": "x", "value": -Infinity}', "bad_value"),
        (b'{"name": "x" NaN}', "bad_json"),
        (b'{"name": "x", "value": "NaN"}', "bad_value"),
        (b'{"name": "x", "value": 1e999}', "bad_value"),
        (b'{"name": "", "value": 1}', "bad_name"),
        (b"\x1f\x8bbroken", "bad_gzip"),
    ],
)
def test_a_bad_body_is_counted_and_kept(bench: Bench, body: bytes, code: str) -> None:
    bench.send(COLLECT, body)
    bench.send(COLLECT, GOOD)
    assert bench.codes() == [code]
    assert bench.counters.by_label("rejected") == {code: 1}
    assert len(bench.values()) == 1


def test_an_empty_body_clears_a_retained_message(bench: Bench) -> None:
    bench.send(COLLECT, b"")
    assert bench.counters.by_label("ignored") == {"retained_cleared": 1}
    assert not bench.codes()


def test_a_message_delivered_twice_counts_once(bench: Bench) -> None:
    message = {"message_id": "m1", "source": "a", "payload": {"name": "x", "value": 1}}
    for _ in range(3):
        bench.send(COLLECT, message)
    bench.send("alicia/metrics/a", message)  # the same id on another topic is another message
    assert bench.counters.by_label("ignored") == {"repeated_message_id": 2}
    assert bench.counters.total("samples") == 2


def test_ids_are_forgotten_after_many_others(bench: Bench) -> None:
    for i in (*range(IDS_KEPT + 1), 0):
        bench.send("alicia/elsewhere", {"message_id": str(i)})
    assert bench.counters.by_label("ignored") == {}


def test_our_own_messages_are_ignored_but_for_the_canary(bench: Bench) -> None:
    own = {"message_id": "1", "source": "metrics_collector", "payload": {"name": "x", "value": 1}}
    bench.send(COLLECT, own)
    bench.send("alicia/metrics/summary", own)
    assert bench.values() == {}
    assert bench.counters.by_label("ignored") == {"own_message": 1}
    assert [opened.message_id for opened in bench.summaries] == ["1"]
    assert bench.observed == []


def test_every_peer_message_is_a_sign_of_life(bench: Bench) -> None:
    bench.send("alicia/elsewhere", {"source": "a"})
    bench.send("alicia/system/health/b", {"source": "b", "status": "healthy"})
    bench.send(COLLECT, {**GOOD, "source": "c"})
    assert [opened.source for opened in bench.observed] == ["a", "b", "c"]


@pytest.mark.parametrize("topic", ["alicia/config/x", "alicia/system/security/keys"])
def test_sensitive_topics_are_never_read(bench: Bench, topic: str) -> None:
    bench.send(topic, {"source": "a", "name": "x", "value": 1})
    assert (bench.values(), bench.observed, bench.codes()) == ({}, [], [])
    assert bench.counters.by_label("messages") == {"sensitive": 1}


def test_large_messages_elsewhere_only_tell_their_sender(bench: Bench) -> None:
    audio = b'{"source": "voice", "audio": "' + b"A" * BUS_PARSE_BYTES_MAX + b'"}'
    bench.send("alicia/voice/stt/response", audio)
    assert [opened.source for opened in bench.observed] == ["voice"]
    assert bench.counters.by_label("ignored") == {"large_message": 1}


def test_a_metric_body_above_the_limit_is_refused(bench: Bench) -> None:
    bench.send(COLLECT, b" " * (BODY_BYTES_MAX + 1))
    assert bench.codes() == ["body_too_large"]


def test_unknown_topics_are_counted_up_to_a_bound(bench: Bench) -> None:
    for i in range(TOPICS_COUNTED + 5):
        bench.send(f"alicia/other/{i}", {})
    bench.send("alicia/other/0", b"\xff raw bytes")
    counted = bench.counters.by_label("topics")
    assert (len(counted), counted["(other)"], counted["alicia/other/0"]) == (
        TOPICS_COUNTED + 1,
        5,
        2,
    )
    assert not bench.codes()


def test_a_number_that_json_lacks_costs_no_neighbour(bench: Bench) -> None:
    bench.send(COLLECT, b'[{"name":"x","value":NaN},{"name":"y","value":2}]')
    assert bench.values() == {'y{instance="unknown",service="unknown"}': 2}
    assert bench.codes() == ["bad_value"]


async def test_a_body_of_many_bytes_is_read_by_a_thread(bench: Bench) -> None:
    padded = json.dumps(GOOD).encode() + b" " * BUS_PARSE_BYTES_MAX
    waiting = bench.send(COLLECT, padded)
    assert waiting is not None
    await waiting
    assert len(bench.values()) == 1


async def test_a_broken_body_of_many_bytes_is_refused(bench: Bench) -> None:
    waiting = bench.send(COLLECT, b'{"broken' + b" " * BUS_PARSE_BYTES_MAX)
    assert waiting is not None
    await waiting
    assert bench.codes() == ["bad_json"]


async def test_a_large_body_withholds_its_acknowledgement_until_written(bench: Bench) -> None:
    metrics = [{"name": f"m{i}", "value": i} for i in range(SLICE + 1)]
    waiting = bench.send(COLLECT, {"service_name": "a", "metrics": metrics})
    assert waiting is not None
    assert bench.store.series_count == 0
    await waiting
    assert bench.store.series_count == SLICE + 1


def test_new_series_above_the_cap_are_refused_with_a_code(clock: Any) -> None:
    bench = Bench(clock, Limits(max_series=1))
    bench.send(COLLECT, [{"name": "a", "value": 1}, {"name": "b", "value": 1}])
    assert bench.codes() == ["series_limit"]
    assert len(bench.values()) == 1


def test_a_wrong_clock_is_shown_and_its_mending_too(bench: Bench) -> None:
    ahead = {
        "name": "x",
        "value": 1,
        "service_name": "a",
        "timestamp": bench.clock.now_ms() + 10**6,
    }
    skew = LabelSet({"__name__": "clock_skew_seconds", "service": "a", "instance": "a"})
    bench.send(COLLECT, ahead)
    assert bench.store.newest(skew).value == 1000.0
    bench.clock.pass_ms(1000)
    bench.send(COLLECT, {"name": "x", "value": 1, "service_name": "a"})
    assert bench.store.newest(skew).value == 0.0


def test_rejects_show_the_item_without_its_secrets(bench: Bench) -> None:
    bench.send(COLLECT, {"metrics": [{"name": "x", "value": "?", "token": "hunter2"}]})
    (refusal,) = bench.log.newest()
    assert refusal.payload == {"name": "x", "value": "?", "token": "***"}
    assert "payload" not in refusal.to_api(with_payload=False)
