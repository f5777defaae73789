"""Refused input as values: which item of a body, under which stable code, and why."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Reject:
    """One item that was not taken; its neighbours were.

    ``index`` is the item's place in its body, from 0. ``code`` never changes once released.
    ``detail`` names the field, the reason and the fix, and holds no secret of the peer.
    """

    index: int
    code: str
    detail: str

    def to_api(self) -> Mapping[str, object]:
        """The shape of contract.md §3, ``POST /metrics``."""
        return {"index": self.index, "reason": self.code, "detail": self.detail}


class Refused(Exception):
    """One item cannot be used. Raised and caught inside ``wire``; callers see a ``Reject``."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail

    def at(self, index: int) -> Reject:
        """The refusal as a value."""
        return Reject(index, self.code, self.detail)
