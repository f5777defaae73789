"""The lines of the audit log: each vouches for the one before it.

Source: security.md §3.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import msgspec

from alicia.wire.redact import redact


@dataclass(frozen=True, slots=True)
class Change:
    """One change, or an attempt at one. ``who`` is a token id, "loopback" or "nobody".

    ``action`` is a method and a route (``PUT /events/{event_id}``), ``target`` the path itself.
    """

    who: str
    address: str
    action: str
    target: str
    status: int
    before: object = None
    after: object = None

    @property
    def refused(self) -> bool:
        """Whether nothing was changed because the caller may not."""
        return self.status in (401, 403, 415, 421, 429)


def encode_line(change: Change, *, now_ms: int, previous: bytes | None, withheld: int = 0) -> bytes:
    """The line of a change, without its newline; ``previous`` is the line before it.

    ``withheld`` counts refused attempts that were left out just before, since whoever floods us
    must not fill the disk.
    """
    entry: dict[str, Any] = {
        "prev": "" if previous is None else hashlib.sha256(previous).hexdigest(),
        "time": datetime.fromtimestamp(now_ms / 1000, UTC).isoformat(timespec="milliseconds"),
        "who": change.who,
        "address": change.address,
        "action": change.action,
        "object": change.target,
        "status": change.status,
    }
    for name in ("before", "after"):
        value = getattr(change, name)
        if value is not None:
            entry[name] = redact(value)
    if withheld:
        entry["withheld"] = withheld
    return msgspec.json.encode(entry)


def first_break(lines: Iterable[bytes]) -> int | None:
    """The number (from 1) of the first line that does not fit the one before it.

    None: the chain is whole. The first line is taken as it is: what came before it was deleted
    by age. What follows a changed line breaks; a change of the very last line cannot be seen.
    """
    previous: bytes | None = None
    for number, line in enumerate(lines, start=1):
        try:
            claimed = msgspec.json.decode(line, type=dict[str, Any]).get("prev")
        except msgspec.MsgspecError:
            return number
        if previous is not None and claimed != hashlib.sha256(previous).hexdigest():
            return number
        previous = line
    return None
