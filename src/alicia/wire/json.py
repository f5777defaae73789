"""JSON from strangers: bounded in depth, and never a surprise of the decoder's."""

import re
from types import GenericAlias
from typing import Any, ClassVar, Final

import msgspec

from alicia.base.errors import AliciaError, Kind
from alicia.base.limits import JSON_DEPTH_MAX, JSON_VALUES_MAX

_BOM: Final = b"\xef\xbb\xbf"
# Strings are matched whole, so that brackets inside them do not count. Every repeat is
# possessive and the closing quote optional: time stays linear in what anybody sends.
_TOKENS: Final = re.compile(rb'"(?:[^"\\]++|\\.)*+"?|[\[{]|[\]}]', re.DOTALL)
# Numbers that JSON has no form for, or no double room; Python's own encoder writes the first.
_ODD_NUMBERS: Final = re.compile(
    rb'"(?:[^"\\]++|\\.)*+"?|-?(?:NaN|Infinity)'
    rb"|-?\d++(?:\.\d++)?[eE]\+?\d{3,}+|-?\d{300,}+(?:\.\d++)?(?:[eE][+-]?\d++)?",
    re.DOTALL,
)
_PART_BYTES: Final = 64 * 1024
_SHALLOW_LEVELS: Final = 7  # of an envelope in an envelope, and of metrics with labels
_decode: Final = msgspec.json.Decoder().decode
_split_array: Final = msgspec.json.Decoder(list[msgspec.Raw]).decode
_split_object: Final = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


class Undecodable(AliciaError):
    """A body, or an address, that can be read in no part."""

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


class TooManyValues(Undecodable):
    """More members of arrays and objects than JSON_VALUES_MAX."""

    code: ClassVar[str] = "too_many_values"
    kind: ClassVar[Kind] = Kind.LIMIT


def decode_bounded(body: bytes, *, odd_numbers: bool = False) -> object:
    """The value of one JSON document; of doubled keys the last counts.

    With ``odd_numbers`` a NaN, an infinity or a number beyond a double comes as its text, so that
    one of them costs nothing but itself.

    Raises:
        BadJson: the text is not JSON; the message names the byte.
        BadUtf8: the bytes are not UTF-8.
        TooDeep: more than JSON_DEPTH_MAX levels; nothing was decoded.
    Source: contract.md §6; reliability.md §11 (msgspec).
    """
    body = body.removeprefix(_BOM)
    try:
        return _decode_shallow(body)  # nearly every message ends here
    except (msgspec.DecodeError, UnicodeDecodeError):
        return _decode_deep(body, odd_numbers=odd_numbers)


def _shallow(levels: int) -> Any:
    """The type of all JSON values of so many levels, for a decoder that counts them itself."""
    scalar: Any = str | int | float | bool | None
    value = scalar
    for _ in range(levels):
        value = scalar | GenericAlias(list, value) | GenericAlias(dict, (str, value))
    return value


_decode_shallow: Final = msgspec.json.Decoder(_shallow(_SHALLOW_LEVELS)).decode


def _decode_deep(body: bytes, *, odd_numbers: bool) -> object:
    if _deeper_than(body, JSON_DEPTH_MAX):
        raise TooDeep(f"the JSON nests deeper than {JSON_DEPTH_MAX} levels; flatten it")
    try:
        return _decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        mended = _ODD_NUMBERS.sub(_as_text, body) if odd_numbers else body
        if mended == body:
            raise _fault(body, error) from None
        return decode_bounded(mended)
    except RecursionError:  # the scan above forbids it, unless the interpreter's own stack is full
        raise TooDeep("the JSON nests too deep to be read here; flatten it") from None


def _deeper_than(body: bytes, limit: int) -> bool:
    if body.count(b"[") + body.count(b"{") <= limit:
        return False
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


def decode_in_parts(body: bytes, *, odd_numbers: bool = False) -> object:
    """As decode_bounded(), for large bodies in a worker thread.

    One call of the decoder keeps the interpreter to itself, so large arrays and objects are
    decoded member by member, and other threads get their turn in between.
    """
    body = body.removeprefix(_BOM)
    if body.count(b",") + body.count(b"[") + body.count(b"{") > JSON_VALUES_MAX:
        raise TooManyValues(f"the JSON holds more than {JSON_VALUES_MAX} values; send it in parts")
    if _deeper_than(body, JSON_DEPTH_MAX):
        raise TooDeep(f"the JSON nests deeper than {JSON_DEPTH_MAX} levels; flatten it")
    try:
        return _in_parts(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return decode_bounded(body, odd_numbers=odd_numbers)


def _in_parts(raw: bytes | msgspec.Raw) -> object:
    text = bytes(raw)
    if len(text) > _PART_BYTES:
        first = text.lstrip()[:1]
        if first == b"[":
            return [_in_parts(item) for item in _split_array(text)]
        if first == b"{":
            return {key: _in_parts(member) for key, member in _split_object(text).items()}
    return _decode(text)


def _as_text(token: re.Match[bytes]) -> bytes:
    found = token[0]
    return found if found.startswith(b'"') else b'"' + found + b'"'


def _fault(body: bytes, error: Exception) -> Undecodable:
    try:
        body.decode()
    except UnicodeDecodeError as fault:
        return BadUtf8(f"the body is not UTF-8 at byte {fault.start}; encode it as UTF-8")
    reason = str(error).removeprefix("JSON is malformed: ")
    return BadJson(f"the body is not JSON: {reason}; send one JSON value")
