"""The bytes that stand for a label set: the key of a series, in memory, on disk and on the wire.

They are the ``labels`` fields of a remote-write 1.0 time series, sorted by name, so that the
bytes of a sender that sorts are the key as they come.
"""

from collections.abc import Iterator
from typing import Final

from alicia.series.labels import LabelSet

_LABEL: Final = 0x0A  # field 1, length-delimited
_NAME: Final = 0x0A
_VALUE: Final = 0x12
_LOW: Final = 0x7F
_SHIFT_MAX: Final = 63
_SHORT_MIN: Final = 4


class BadKey(ValueError):
    """The bytes are no label set."""


def encode_labels(labels: LabelSet) -> bytes:
    """The key of a label set."""
    parts: list[bytes] = []
    for name, value in labels.pairs:
        named, valued = name.encode(), value.encode()
        name_size, value_size = len(named), len(valued)
        size = name_size + value_size + _SHORT_MIN
        if size <= _LOW:  # all three lengths are single bytes
            parts += (bytes((_LABEL, size, _NAME, name_size)), named, bytes((_VALUE, value_size)))
        else:
            head = bytes((_NAME, *_varint(name_size))) + named
            middle = bytes((_VALUE, *_varint(value_size)))
            size = len(head) + len(middle) + value_size
            parts += (bytes((_LABEL, *_varint(size))), head, middle)
        parts.append(valued)
    return b"".join(parts)


def decode_labels(key: bytes | memoryview) -> LabelSet:
    """The label set of a key, in whatever order the labels are; an empty value is no label.

    Raises:
        BadKey: the bytes are none, are not UTF-8, or name a label twice.
    """
    pairs: dict[str, str] = {}
    for name, value in decode_pairs(key):
        if name in pairs:
            raise BadKey(f"the label {name[:64]!r} is there twice")
        pairs[name] = value
    return LabelSet(pairs)


def decode_pairs(key: bytes | memoryview) -> Iterator[tuple[str, str]]:
    """The names and values of a key one by one, as they stand there.

    Raises:
        BadKey: the bytes are none, or are not UTF-8.
    """
    at = 0
    while at < len(key):
        pair, at = _field(key, at, _LABEL)
        yield _short_pair(pair) or _pair(pair)


def _short_pair(pair: bytes | memoryview) -> tuple[str, str] | None:
    """As _pair(), for name and value of less than 128 bytes in this order; else None."""
    if len(pair) < _SHORT_MIN or pair[0] != _NAME:
        return None
    middle = 2 + pair[1]
    if (
        middle + 2 > len(pair)
        or pair[middle] != _VALUE
        or middle + 2 + pair[middle + 1] != len(pair)
    ):
        return None
    if pair[1] > _LOW or pair[middle + 1] > _LOW:
        return None
    try:
        return str(pair[2:middle], "utf-8"), str(pair[middle + 2 :], "utf-8")
    except UnicodeDecodeError:
        raise BadKey("a label is not UTF-8") from None


def _pair(pair: bytes | memoryview) -> tuple[str, str]:
    name = value = b""
    at = 0
    while at < len(pair):
        if pair[at] == _NAME:
            found, at = _field(pair, at, _NAME)
            name = bytes(found)
        else:
            found, at = _field(pair, at, _VALUE)
            value = bytes(found)
    try:
        return name.decode(), value.decode()
    except UnicodeDecodeError:
        raise BadKey("a label is not UTF-8") from None


def _field(data: bytes | memoryview, at: int, tag: int) -> tuple[bytes | memoryview, int]:
    if data[at] != tag:
        raise BadKey(f"byte {data[at]} where {tag} belongs")
    if at + 1 < len(data) and data[at + 1] <= _LOW and at + 2 + data[at + 1] <= len(data):
        return data[at + 2 : at + 2 + data[at + 1]], at + 2 + data[at + 1]
    size, shift, at = 0, 0, at + 1
    while at < len(data) and data[at] > _LOW and shift < _SHIFT_MAX:
        size |= (data[at] & _LOW) << shift
        shift += 7
        at += 1
    if at >= len(data):
        raise BadKey("the bytes end within a number")
    size |= data[at] << shift
    if at + 1 + size > len(data):
        raise BadKey("the bytes end within a field")
    return data[at + 1 : at + 1 + size], at + 1 + size


def _varint(number: int) -> list[int]:
    out = []
    while number > _LOW:
        out.append(number & _LOW | 0x80)
        number >>= 7
    out.append(number)
    return out
