"""The fleet's envelope: strict in what we seal, tolerant in what we open (bus.md §1)."""

import zlib
from collections.abc import Mapping
from typing import Final, NamedTuple

import msgspec

from alicia.base.limits import BODY_INFLATED_BYTES_MAX
from alicia.wire.json import BadJson, Undecodable, decode_bounded, decode_in_parts
from alicia.wire.rejects import Reject

LEVELS_MAX: Final = 4
HOPS_MAX: Final = 10
_MARKS: Final = ("message_id", "source", "message_type")
_ENVELOPE: Final = frozenset({*_MARKS, "payload", "routing"})
# Of an outer level these describe the transport, not the thing told: they fill no gap.
_TRANSPORT: Final = frozenset(
    {"message_id", "source", "destination", "message_type", "priority", "ttl", "payload", "routing"}
)
_GZIP_MAGIC: Final = b"\x1f\x8b"
_GZIP_WINDOW: Final = 31  # zlib's number for "32 KiB window, gzip header"
_JSON_STARTS: Final = frozenset('{["')
_encode: Final = msgspec.json.Encoder().encode


class Unwrapped(NamedTuple):
    """What a message says, without its envelopes.

    A NamedTuple, since one is built for every message. ``source`` and ``message_id`` are the
    outermost, "" where none is given; ``message_type`` the innermost, since outer ones always
    say ``event``. ``value`` is None for an empty body, which clears a retained message.
    ``hops`` is what ``routing`` claims, never negative.
    """

    value: object
    source: str = ""
    message_id: str = ""
    message_type: str = ""
    hops: int = 0


def seal(
    payload: Mapping[str, object],
    *,
    source: str,
    message_id: str,
    now_ms: int,
    destination: str | None = None,
    message_type: str = "event",
    priority: str = "normal",
    ttl: int = 300,
    hops: int = 0,
) -> bytes:
    """One envelope as the fleet reads it.

    The payload's keys stand at top level too, since some readers look only there; where a key
    of the envelope has the same name, the envelope wins there and ``payload`` keeps its own.
    """
    envelope: dict[str, object] = {
        "message_id": message_id,
        "timestamp": now_ms / 1000,
        "source": source,
        "destination": destination,
        "message_type": message_type,
        "priority": priority,
        "ttl": ttl,
        "payload": payload,
        "routing": {"hops": hops, "max_hops": HOPS_MAX},
    }
    return _encode({**payload, **envelope} if payload else envelope)


def unwrap(
    body: bytes, *, index: int = 0, odd_numbers: bool = False, in_parts: bool = False
) -> Unwrapped | Reject:
    """Open a message of any peer: envelopes of up to LEVELS_MAX levels, gzip, bare values.

    Bare text that does not begin like JSON is its own value, because some services send
    ``online`` without quotes. Never raises; ``index`` is that of a Reject, ``odd_numbers`` as in
    decode_bounded(), ``in_parts`` is for large bodies in a worker thread.
    """
    if not body:
        return Unwrapped(None)
    if body.startswith(_GZIP_MAGIC):
        inflated = _inflate(body)
        if inflated is None:
            return Reject(index, "bad_gzip", "the gzip data is broken or inflates above the limit")
        body = inflated
    try:
        decode = decode_in_parts if in_parts else decode_bounded
        value = decode(body, odd_numbers=odd_numbers)
    except BadJson as error:
        text = _bare_text(body)
        return Reject(index, error.code, str(error)) if text is None else Unwrapped(text)
    except Undecodable as error:
        return Reject(index, error.code, str(error))
    return open_envelope(value) if isinstance(value, dict) else Unwrapped(value)


def open_envelope(outer: dict[str, object]) -> Unwrapped:
    """Go into ``payload`` while the value looks like an envelope."""
    if _ENVELOPE.isdisjoint(outer):
        return Unwrapped(outer)  # nearly all metrics come bare
    value = outer
    source = message_id = message_type = ""
    for _ in range(LEVELS_MAX):
        inner = value.get("payload")
        if not isinstance(inner, dict) or not any(mark in value for mark in _MARKS):
            break
        source = source or _text(value.get("source"))
        message_id = message_id or _text(value.get("message_id"))
        message_type = _text(value.get("message_type")) or message_type
        value = _filled(inner, value)
    return Unwrapped(
        value,
        source or _text(value.get("source")),
        message_id or _text(value.get("message_id")),
        _text(value.get("message_type")) or message_type,
        _hops(outer),
    )


def _filled(inner: dict[str, object], outer: dict[str, object]) -> dict[str, object]:
    gaps = {key: outer[key] for key in outer.keys() - inner.keys() - _TRANSPORT}
    return {**inner, **gaps} if gaps else inner


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else ""


def _hops(outer: dict[str, object]) -> int:
    routing = outer.get("routing")
    hops = routing.get("hops") if isinstance(routing, dict) else 0
    return max(hops, 0) if isinstance(hops, int) else 0


def _bare_text(body: bytes) -> str | None:
    text = body.decode().strip()  # BadJson, not BadUtf8: it is UTF-8
    if not text or text[0] in _JSON_STARTS or not text.isprintable():
        return None
    return text


def _inflate(body: bytes) -> bytes | None:
    stream = zlib.decompressobj(wbits=_GZIP_WINDOW)
    try:
        inflated = stream.decompress(body, BODY_INFLATED_BYTES_MAX)
    except zlib.error:
        return None
    return inflated if stream.eof else None
