"""Lists in parts: ``?limit=`` and an opaque ``?cursor=`` that says where the next part begins."""

import base64
import binascii
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import msgspec
from starlette.requests import Request

from alicia.adapters.http.query import query_text, query_whole
from alicia.base.errors import BadField
from alicia.base.limits import LIST_LIMIT_DEFAULT, LIST_LIMIT_MAX

T = TypeVar("T")
Key = str | int | float


@dataclass(frozen=True, slots=True)
class PageRequest:
    """Which part of a list is wanted: ``limit`` items, after the one with the key ``after``."""

    limit: int = LIST_LIMIT_DEFAULT
    after: tuple[Key, ...] | None = None


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """One part of a list, and the cursor of the next one."""

    items: Sequence[T]
    next_cursor: str | None = None

    def body(self, name: str, items: Sequence[object]) -> dict[str, object]:
        """The answer of a list route: the rendered items under ``name``, the cursor if any."""
        reply: dict[str, object] = {name: items}
        if self.next_cursor is not None:
            reply["next_cursor"] = self.next_cursor
        return reply


def read_page(request: Request, *, key_length: int = 1) -> PageRequest:
    """The part of a list that a request asks for.

    Raises:
        BadField: ``limit`` is no number from 1 to 10000, or ``cursor`` is none of ours.
    """
    limit = query_whole(
        request, "limit", default=LIST_LIMIT_DEFAULT, minimum=1, maximum=LIST_LIMIT_MAX
    )
    cursor = query_text(request, "cursor")
    return PageRequest(limit, None if cursor is None else decode_cursor(cursor, key_length))


def page(items: Sequence[T], key: Callable[[T], tuple[Key, ...]], wanted: PageRequest) -> Page[T]:
    """The wanted part of ``items``, which are sorted by ``key``, ascending and unique.

    An item that disappears between two requests skips and repeats none of the others.

    Raises:
        BadField: the cursor is of another list.
    """
    try:
        start = 0 if wanted.after is None else bisect_right(items, wanted.after, key=key)
    except TypeError:  # a text where this list has numbers, or the other way round
        raise bad_cursor() from None
    part = items[start : start + wanted.limit]
    more = start + wanted.limit < len(items)
    return Page(part, encode_cursor(*key(part[-1])) if more else None)


def encode_cursor(*key: Key) -> str:
    """The opaque text of the key of the last item sent."""
    return base64.urlsafe_b64encode(msgspec.json.encode(key)).decode().rstrip("=")


def decode_cursor(text: str, key_length: int = 1) -> tuple[Key, ...]:
    """The key behind a cursor.

    Raises:
        BadField: it is none of ours.
    """
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        key = msgspec.json.decode(raw, type=tuple[str | float, ...])
    except (binascii.Error, ValueError, msgspec.MsgspecError):
        key = ()
    if len(key) != key_length:
        raise bad_cursor()
    return key


def bad_cursor() -> BadField:
    """The refusal of a cursor that no answer of this list gave."""
    return BadField(
        "cursor",
        "cursor: not one of ours; pass next_cursor of the last answer unchanged",
        reason="bad_cursor",
    )
