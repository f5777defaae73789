"""Compressed bodies, inflated piece by piece under a cap: a bomb never reaches memory."""

import zlib
from typing import Final

from alicia.adapters.http.errors import BadBody, BodyTooLarge, WrongType
from alicia.base.limits import BODY_INFLATED_BYTES_MAX

_GZIP: Final = 16 + zlib.MAX_WBITS
_ZLIB: Final = zlib.MAX_WBITS
_RAW: Final = -zlib.MAX_WBITS


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
    parts, size, rest = [], 0, body
    while rest:
        machine = zlib.decompressobj(window_bits)
        try:
            part = machine.decompress(rest, bytes_max - size + 1)
        except zlib.error as error:
            raise BadBody(f"the body is not what Content-Encoding says: {error}") from None
        size += len(part)
        if size > bytes_max:
            raise BodyTooLarge(f"the inflated body is larger than {bytes_max} bytes")
        if not machine.eof:
            raise BadBody("the compressed body ends too early")
        parts.append(part)
        # Gzip files may be joined; whatever else follows is no part of the body.
        rest = machine.unused_data if window_bits == _GZIP else b""
    return b"".join(parts) if len(parts) != 1 else parts[0]
