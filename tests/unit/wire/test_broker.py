"""A broker's own topics as metrics."""

import pytest

from alicia.series.kinds import MetricType
from alicia.wire.broker import decode_broker


@pytest.mark.parametrize(
    ("rest", "body", "name", "value", "kind"),
    [
        ("broker/uptime", b"940 seconds", "broker_uptime_seconds", 940, MetricType.GAUGE),
        ("broker/clients/connected", b"2", "broker_clients_connected", 2, MetricType.GAUGE),
        ("broker/bytes/sent", b"11441147", "broker_bytes_sent", 11441147, MetricType.COUNTER),
        (
            "broker/publish/messages/dropped",
            b"3",
            "broker_publish_messages_dropped",
            3,
            MetricType.COUNTER,
        ),
        (
            "broker/load/messages/sent/1min",
            b"50.27",
            "broker_load_messages_sent_1min",
            50.27,
            MetricType.GAUGE,
        ),
        (
            "broker/retained messages/count",
            b"43\n",
            "broker_retained_messages_count",
            43,
            MetricType.GAUGE,
        ),
        ("brokers/emqx@h.1/uptime", b"5", "brokers_emqx_h_1_uptime", 5, MetricType.GAUGE),
    ],
)
def test_numbers_are_read(
    rest: str, body: bytes, name: str, value: float, kind: MetricType
) -> None:
    reading = decode_broker(f"$SYS/{rest}", body)
    assert reading is not None
    assert (reading.name, reading.value, reading.metadata.type) == (name, value, kind)


@pytest.mark.parametrize(
    ("topic", "body"),
    [
        ("$SYS/broker/version", b"mosquitto version 2.0.11"),
        ("$SYS/broker/x", b""),
        ("$SYS/broker/x", b"\xff"),
        ("$SYS/broker/x", b"NaN"),
        ("$SYS/broker/x", b"9" * 20),
        ("$SYS/other/x", b"1"),
        ("$SYS/broker/" + "x" * 256, b"1"),
        ("alicia/broker/x", b"1"),
    ],
)
def test_all_else_is_passed_over(topic: str, body: bytes) -> None:
    assert decode_broker(topic, body) is None
