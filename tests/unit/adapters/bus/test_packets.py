"""Reading a broker's bytes: whole, cut anywhere, malformed, random."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from gmqtt.mqtt.package import PublishPacket
from gmqtt.mqtt.property import PROPERTIES, Property
from gmqtt.mqtt.utils import pack_variable_byte_integer
from hypothesis import given
from hypothesis import strategies as st

from alicia.adapters.bus.packer import MQTT_5, MQTT_311, Packer
from alicia.adapters.bus.packets import (
    PACKET_BYTES_MAX,
    PROPERTIES_BYTES_MAX,
    Frame,
    Limits,
    ProtocolFault,
    parse_ack,
    parse_connack,
    parse_properties,
    parse_publish,
    parse_suback,
    split_frames,
)
from alicia.wire.ports import Publication


def _frame(packet: bytes) -> Frame:
    frames, used, _ = split_frames(packet)
    assert used == len(packet)
    (frame,) = frames
    return frame


def _packets() -> Iterator[bytes]:
    for size in (0, 1, 125, 126, 127, 128, 16_383, 16_384, 300_000):
        _, packet = Packer(MQTT_5).publish(Publication("t", b"x" * size), Limits())
        yield packet


def test_packets_of_all_lengths_are_told_apart_in_one_buffer() -> None:
    packets = list(_packets())
    buffer = b"".join(packets)
    frames, used, need = split_frames(buffer)
    assert (used, need) == (len(buffer), 2)
    assert [frame.end for frame in frames] == [
        sum(map(len, packets[: i + 1])) for i in range(len(packets))
    ]


@given(st.lists(st.integers(0, 400), max_size=8), st.integers(0, 10_000))
def test_wherever_the_buffer_is_cut_the_rest_is_asked_for(sizes: list[int], cut: int) -> None:
    packets = [
        Packer(MQTT_311).publish(Publication("t", b"x" * size), Limits())[1] for size in sizes
    ]
    buffer = b"".join(packets)
    cut = min(cut, len(buffer))
    frames, used, need = split_frames(buffer[:cut])
    whole = next(
        i
        for i in range(len(packets) + 1)
        if sum(map(len, packets[: i + 1])) > cut or i == len(packets)
    )
    assert len(frames) == whole
    assert used == sum(map(len, packets[:whole]))
    if whole < len(packets):
        assert cut - used < need <= len(packets[whole])


def _outcome(parse: Callable[[], object]) -> str:
    try:
        parse()
    except Exception as error:
        return type(error).__name__
    return "a value"


@given(st.binary(max_size=80), st.booleans())
def test_no_bytes_raise_anything_but_a_protocol_fault(data: bytes, v5: bool) -> None:
    whole = Frame(0x32, 0, len(data))
    outcomes = {
        _outcome(lambda: split_frames(data)),
        _outcome(lambda: parse_publish(data, whole, v5=v5, now_ms=0)),
        _outcome(lambda: parse_connack(data, whole, v5=v5)),
        _outcome(lambda: parse_ack(data, whole)),
        _outcome(lambda: parse_suback(data, whole, v5=v5)),
    }
    assert outcomes <= {"a value", "ProtocolFault"}


@pytest.mark.parametrize("data", [b"\x30\xff\xff\xff\xff\x01", b"\x30\xff\xff\xff\x7f" + b"x" * 10])
def test_impossible_lengths_are_faults(data: bytes) -> None:
    assert PACKET_BYTES_MAX < 128**4 - 1
    with pytest.raises(ProtocolFault):
        split_frames(data)


@pytest.mark.parametrize("version", [MQTT_5, MQTT_311])
@pytest.mark.parametrize("qos", [0, 1])
def test_a_published_message_reads_back(version: int, qos: int) -> None:
    publication = Publication(
        "alicia/ü",
        b"\x00\xff",
        qos=qos,
        retain=True,
        expiry_seconds=60,
        response_topic="alicia/r",
        correlation=b"\x01",
        user_properties=(("a", "1"), ("a", "2")),
    )
    packet_id, packet = Packer(version).publish(publication, Limits())
    message, found_id = parse_publish(packet, _frame(packet), v5=version == MQTT_5, now_ms=7)
    assert found_id == (b"" if packet_id is None else packet_id.to_bytes(2, "big"))
    assert (message.topic, message.body, message.retained) == ("alicia/ü", b"\x00\xff", True)
    assert (message.received_ms, message.qos) == (7, qos)
    carried = (message.response_topic, message.correlation, message.user_properties)
    if version == MQTT_5:
        assert carried == ("alicia/r", b"\x01", (("a", "1"), ("a", "2")))
    else:
        assert carried == ("", b"", ())


def test_a_topic_that_is_no_utf8_keeps_its_place() -> None:
    packet = b"\x30\x05\x00\x02\xff\xfex"
    message, _ = parse_publish(packet, _frame(packet), v5=False, now_ms=0)
    assert (message.topic, message.body) == ("\ufffd\ufffd", b"x")


@pytest.mark.parametrize(
    "packet",
    [
        b"\x30\x01\x00",  # no topic length
        b"\x30\x03\x00\x05a",  # topic cut
        b"\x32\x04\x00\x01a\x00",  # packet id cut
        b"\x34\x05\x00\x01a\x00\x01",  # QoS 2
    ],
)
def test_truncated_publishes_are_faults(packet: bytes) -> None:
    with pytest.raises(ProtocolFault):
        parse_publish(packet, _frame(packet), v5=False, now_ms=0)


@pytest.mark.parametrize(
    "properties",
    [
        b"\x05\x21\x00",  # longer than the packet
        b"\x80",  # a length that goes on behind the packet
        b"\x02\x63\x00",  # unknown
        b"\x02\x21\x00",  # value cut
        b"\x03\x08\x00\x05",  # text cut
        b"\x02\x08\x00",  # its length cut
        b"\x06\x26\x00\x01a\x00\x01",  # second text of a pair cut
        b"\x02\x0b\x80",  # a number of several bytes cut
    ],
)
def test_broken_properties_are_faults(properties: bytes) -> None:
    packet = b"\x30" + bytes([3 + len(properties)]) + b"\x00\x01a" + properties
    with pytest.raises(ProtocolFault):
        parse_publish(packet, _frame(packet), v5=True, now_ms=0)


@pytest.mark.parametrize("prop", PROPERTIES, ids=lambda prop: prop.name)
def test_every_property_of_the_table_reads_back(prop: Property) -> None:
    written = {"u8": "ü", "b": b"\x00\xff", "u8x2": [("a", "ü"), ("", "")], "vbi": 16_384}
    value = written.get(prop.bytes_struct, 1)
    packed = bytes(prop.dumps(value))
    expected = value if isinstance(value, list) else [value]
    assert parse_properties(packed, 0, len(packed)) == {prop.name: expected}


def _with_properties(block: bytes) -> bytes:
    body = b"\x00\x01a" + pack_variable_byte_integer(len(block)) + block + b"x"
    return b"\x30" + pack_variable_byte_integer(len(body)) + body


@pytest.mark.parametrize("over", [0, 1])
def test_properties_beyond_the_limit_are_left_out_and_the_message_stays(over: int) -> None:
    head = b"\x09" + (PROPERTIES_BYTES_MAX - 5 - 3 - 2).to_bytes(2, "big")
    block = head + bytes(PROPERTIES_BYTES_MAX - 5 - 3 - 2) + b"\x01\x00" + b"\x26\x00\x00\x00\x00"
    assert len(block) == PROPERTIES_BYTES_MAX
    packet = _with_properties(block + b"\x01\x00" * over)
    message, _ = parse_publish(packet, _frame(packet), v5=True, now_ms=0)
    assert (message.topic, message.body) == ("a", b"x")
    assert message.user_properties == (() if over else (("", ""),))


def test_reading_properties_copies_nothing_but_their_values() -> None:
    """Twice the properties cost twice the bytes: the rest of the block is not copied for each."""
    block = b"\x26\x00\x00\x00\x00" * (PROPERTIES_BYTES_MAX // 5)
    data = _Counted(block)
    parse_properties(data, 0, len(data))
    assert data.copied <= len(block)


class _Counted(bytes):
    copied = 0

    def __getitem__(self, key: Any) -> Any:
        found = super().__getitem__(key)
        if isinstance(found, bytes):
            self.copied += len(found)
        return found


def test_a_connack_with_endless_properties_is_a_fault() -> None:
    block = b"\x26\x00\x00\x00\x00" * (PROPERTIES_BYTES_MAX // 5 + 1)
    body = b"\x00\x00" + pack_variable_byte_integer(len(block)) + block
    packet = b"\x20" + pack_variable_byte_integer(len(body)) + body
    with pytest.raises(ProtocolFault, match="bytes of properties"):
        parse_connack(packet, _frame(packet), v5=True)


def test_connack_tells_code_and_limits() -> None:
    properties = (
        b"\x21\x00\x14" + b"\x24\x01" + b"\x25\x00" + b"\x27\x00\x00\x10\x00" + b"\x13\x00\x1e"
    )
    packet = (
        b"\x20" + bytes([3 + len(properties)]) + b"\x01\x00" + bytes([len(properties)]) + properties
    )
    assert parse_connack(packet, _frame(packet), v5=True) == (
        0,
        Limits(
            receive_maximum=20,
            qos_max=1,
            retain=False,
            packet_bytes_max=4096,
            keepalive_seconds=30,
        ),
    )
    assert parse_connack(b"\x20\x02\x00\x05", Frame(0x20, 2, 4), v5=False) == (5, Limits())


@pytest.mark.parametrize(
    ("packet", "expected"),
    [
        (b"\x40\x02\x01\x02", (258, 0)),
        (b"\x40\x03\x00\x07\x10", (7, 0x10)),
        (b"\x40\x04\x00\x07\x87\x00", (7, 0x87)),
    ],
)
def test_puback_reasons(packet: bytes, expected: tuple[int, int]) -> None:
    assert parse_ack(packet, _frame(packet)) == expected


def test_suback_codes() -> None:
    assert parse_suback(b"\x90\x05\x00\x01\x00\x01\x87", Frame(0x90, 2, 7), v5=True) == (
        1,
        b"\x01\x87",
    )
    assert parse_suback(b"\x90\x04\x00\x01\x01\x80", Frame(0x90, 2, 6), v5=False) == (
        1,
        b"\x01\x80",
    )


def test_gmqtt_still_builds_what_we_rely_on() -> None:
    """The builders are called with our Packer in place of gmqtt's protocol."""
    assert PublishPacket.build_package.__func__.__code__.co_varnames[:3] == (
        "cls",
        "message",
        "protocol",
    )
