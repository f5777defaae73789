"""Remote-write bodies, built field by field, so that tests can also build what no sender would."""

import struct
from collections.abc import Iterable, Mapping, Sequence

import cramjam

HEADERS = {"Content-Type": "application/x-protobuf", "Content-Encoding": "snappy"}
HEADERS_2 = {
    **HEADERS,
    "Content-Type": "application/x-protobuf;proto=io.prometheus.write.v2.Request",
}
Labels = Sequence[tuple[str, str]]
Samples = Sequence[tuple[int, float]]


def varint(number: int) -> bytes:
    number &= 2**64 - 1
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*out, number])


def field(number: int, content: bytes | str) -> bytes:
    """A delimited field."""
    body = content.encode() if isinstance(content, str) else content
    return varint(number << 3 | 2) + varint(len(body)) + body


def number_field(number: int, value: int) -> bytes:
    return varint(number << 3) + varint(value)


def sample(t_ms: int, value: float) -> bytes:
    """A Sample, of both versions."""
    return b"\x09" + struct.pack("<d", value) + number_field(2, t_ms)


def label(name: str | bytes, value: str | bytes) -> bytes:
    return field(1, field(1, name) + field(2, value))


def series(labels: Labels, samples: Samples, *more: bytes) -> bytes:
    """A TimeSeries field of 1.0; ``more`` are further fields of it."""
    parts = [label(*pair) for pair in labels] + [field(2, sample(*each)) for each in samples]
    return field(1, b"".join([*parts, *more]))


def metadata(family: str, kind: int, help_text: str = "", unit: str = "") -> bytes:
    """A MetricMetadata field of 1.0."""
    parts = (number_field(1, kind), field(2, family), field(4, help_text), field(5, unit))
    return field(3, b"".join(parts))


def request2(rows: Iterable[tuple[Labels, Samples, bytes]], extra: Sequence[str] = ()) -> bytes:
    """A body of 2.0; each row may bring further fields. ``extra`` symbols come first, from 1."""
    symbols: dict[str, int] = {}
    for text in ("", *extra):
        symbols.setdefault(text, len(symbols))
    written = []
    for labels, samples, more in rows:
        refs = b"".join(
            varint(symbols.setdefault(text, len(symbols))) for pair in labels for text in pair
        )
        parts = [field(1, refs), *(field(2, sample(*each)) for each in samples), more]
        written.append(field(5, b"".join(parts)))
    return b"".join([*(field(4, text) for text in symbols), *written])


def snappy(body: bytes) -> bytes:
    return bytes(cramjam.snappy.compress_raw(body))


def labels_of(labels: Mapping[str, str]) -> Labels:
    """Sorted, as senders do."""
    return sorted(labels.items())
