"""JSON from strangers: bounded in depth, and never a surprise of the decoder's."""

import re
from typing import ClassVar, Final

import msgspec

from alicia.base.errors import AliciaError
from alicia.base.limits import JSON_DEPTH_MAX

_BOM: Final = b"\xef\xbb\xbf"
# Strings are matched whole, so that brackets inside them do not count. Every repeat is
# possessive and the closing quote optional: time stays linear in what anybody sends.
_TOKENS: Final = re.compile(rb'"(?:[^"\\]++|\\.)*+"?|[\[{]|[\]}]', re.DOTALL)
_decode: Final = msgspec.json.Decoder().decode


class Undecodable(AliciaError):
    """A body that is no JSON value we read."""

    code: ClassVar[str] = "undecodable"


class BadJson(Undecodable):
    """The text breaks the grammar of JSON, or holds a number no double can hold."""

    code: ClassVar[str] = "bad_json"


class BadUtf8(Undecodable):
    """The bytes are no UTF-8, so they are no JSON either."""

    code: ClassVar[str] = "bad_utf8"


class TooDeep(Undecodable):
    """Objects and arrays nest deeper than JSON_DEPTH_MAX."""

    code: ClassVar[str] = "too_deep"


def decode_bounded(body: bytes) -> object:
    """The value of one JSON document; of doubled keys the last counts.

    Raises:
        BadJson: the text is not JSON; the message names the byte.
        BadUtf8: the bytes are not UTF-8.
        TooDeep: more than JSON_DEPTH_MAX levels; nothing was decoded.
    Source: contract.md §6; reliability.md §11 (msgspec).
    """
    body = body.removeprefix(_BOM)
    if _deeper_than(body, JSON_DEPTH_MAX):
        raise TooDeep(f"the JSON nests deeper than {JSON_DEPTH_MAX} levels; flatten it")
    try:
        return _decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise _fault(body, error) from None
    except RecursionError:  # the scan above forbids it, unless the interpreter's own stack is full
        raise TooDeep("the JSON nests too deep to be read here; flatten it") from None


def _deeper_than(body: bytes, limit: int) -> bool:
    if body.count(b"[") + body.count(b"{") <= limit:
        return False  # nearly every message ends here
    depth = 0
    for token in _TOKENS.finditer(body):
        first = body[token.start()]
        if first in b"[{":
            depth += 1
            if depth > limit:
                return True
        elif first in b"]}":
            depth -= 1
    return False


def _fault(body: bytes, error: Exception) -> Undecodable:
    try:
        body.decode()
    except UnicodeDecodeError as fault:
        return BadUtf8(f"the body is not UTF-8 at byte {fault.start}; encode it as UTF-8")
    reason = str(error).removeprefix("JSON is malformed: ")
    return BadJson(f"the body is not JSON: {reason}; send one JSON value")
