"""Compressed bodies, inflated piece by piece under a cap: a bomb never reaches memory."""

import zlib
from typing import Final

from alicia.adapters.http.errors import BadBody, BodyTooLarge, WrongType
from alicia.base.limits import BODY_INFLATED_BYTES_MAX

_GZIP: Final = 16 + zlib.MAX_WBITS
_ZLIB: Final = zlib.MAX_WBITS
_RAW: Final = -zlib.MAX_WBITS
_PIECE_BYTES: Final = 64 * 1024  # what is copied at most to find where a member of gzip ends
_MEMBERS_MAX: Final = 100


def inflate(body: bytes, encoding: str, *, bytes_max: int = BODY_INFLATED_BYTES_MAX) -> bytes:
    """The body behind a Content-Encoding header; at most one coding is undone.

    Raises:
        WrongType: the encoding is not known here, or several are nested.
        BadBody: the bytes are not what the header says.
        BodyTooLarge: more than ``bytes_max`` bytes would come out.
    """
    coding = encoding.strip().lower()
    if coding in ("", "identity"):
        return body
    if coding in ("gzip", "x-gzip"):
        return _inflate(body, _GZIP, bytes_max)
    if coding == "deflate":
        # The name means zlib; some clients send the bare stream. Its first byte tells.
        return _inflate(body, _ZLIB if body[:1] and body[0] & 0x0F == 8 else _RAW, bytes_max)
    raise WrongType(
        f"Content-Encoding: {coding[:100]!r} is not taken here; send gzip, deflate or none"
    )


def _inflate(body: bytes, window_bits: int, bytes_max: int) -> bytes:
    parts: list[bytes] = []
    room, at = bytes_max, 0
    while at < len(body):
        if len(parts) == _MEMBERS_MAX:
            raise BadBody(f"the body joins more than {_MEMBERS_MAX} compressed ones; send one")
        part, at = _member(body, at, window_bits, room)
        room -= len(part)
        if room < 0:
            raise BodyTooLarge(f"the inflated body is larger than {bytes_max} bytes")
        parts.append(part)
        if window_bits != _GZIP:
            break  # gzip files may be joined; whatever else follows is no part of the body
    return b"".join(parts) if len(parts) != 1 else parts[0]


def _member(body: bytes, at: int, window_bits: int, room: int) -> tuple[bytes, int]:
    """What begins at ``at``, inflated up to one byte beyond ``room``, and where it ends."""
    machine, view = zlib.decompressobj(window_bits), memoryview(body)
    parts, size = [], 0
    while at < len(body) and not machine.eof and size <= room:
        piece = view[at : at + _PIECE_BYTES]
        try:
            part = machine.decompress(piece, room - size + 1)
        except zlib.error as error:
            raise BadBody(f"the body is not what Content-Encoding says: {error}") from None
        parts.append(part)
        size += len(part)
        at += len(piece) - len(machine.unused_data)
    if not machine.eof and size <= room:
        raise BadBody("the compressed body ends too early")
    return b"".join(parts), at
