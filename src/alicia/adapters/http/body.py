"""Bodies of requests: bounded, inflated under a cap, decoded to plain values."""

import asyncio
from collections.abc import Mapping
from typing import Final

from starlette.requests import ClientDisconnect, Request

from alicia.adapters.http.content_types import ANY_TYPE, JSON_ONLY, check_type
from alicia.adapters.http.errors import BadBody
from alicia.adapters.http.inflate import inflate
from alicia.base.errors import BadField
from alicia.wire.json import decode_bounded, decode_in_parts

# What takes longer than a few milliseconds is done by a worker thread, since everybody waits
# for the loop.
_AT_ONCE_BYTES_MAX: Final = 64 * 1024


async def read_body(request: Request, types: tuple[str, ...] = ANY_TYPE) -> bytes:
    """The body, without its Content-Encoding; sizes are bounded by base.limits.

    Raises:
        WrongType: the content type is not in ``types``, or the encoding is not known.
        BodyTooLarge: as sent, or inflated, it is larger than we take.
        BadBody: the client went away, or the bytes do not inflate.
    """
    check_type(request.scope["headers"], types)
    raw = await read_raw(request)
    coding = request.headers.get("content-encoding", "")
    if coding and len(raw) > _AT_ONCE_BYTES_MAX // 16:  # a bomb grows a thousandfold
        return await asyncio.to_thread(inflate, raw, coding)
    return inflate(raw, coding)


async def read_raw(request: Request) -> bytes:
    """The body as it was sent.

    Raises:
        BodyTooLarge: it is larger than we take.
        BadBody: the client went away.
    """
    try:
        return await request.body()
    except ClientDisconnect:
        raise BadBody("the client went away before the body was complete") from None


async def read_json(request: Request, *, odd_numbers: bool = False) -> object:
    """The value of a JSON body; ``odd_numbers`` as in wire.json.decode_bounded().

    Raises:
        WrongType: the body is not declared as JSON.
        BodyTooLarge: as sent, or inflated, it is larger than we take.
        BadBody: it is empty.
        AliciaError: it is not JSON, not UTF-8, or nested too deeply (wire.json).
    """
    body = await read_body(request, JSON_ONLY)
    if not body.strip():
        raise BadBody("the body is empty; send a JSON value")
    if len(body) > _AT_ONCE_BYTES_MAX:
        return await asyncio.to_thread(decode_in_parts, body, odd_numbers=odd_numbers)
    return decode_bounded(body, odd_numbers=odd_numbers)


async def read_object(request: Request) -> Mapping[str, object]:
    """The members of a JSON body that has to be an object.

    Raises:
        BadField: it is another kind of value.
        AliciaError: as read_json().
    """
    value = await read_json(request)
    if not isinstance(value, dict):
        raise BadField("body", "body: must be a JSON object", reason="not_an_object")
    return value


async def read_optional_object(request: Request) -> Mapping[str, object]:
    """The members of a JSON body, or none where the request has no body.

    Raises:
        AliciaError: as read_object().
    """
    body = await read_body(request, JSON_ONLY)
    if not body.strip():
        return {}
    value = decode_bounded(body)
    if not isinstance(value, dict):
        raise BadField("body", "body: must be a JSON object", reason="not_an_object")
    return value
