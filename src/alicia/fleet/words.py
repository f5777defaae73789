"""The five words for a service, and what peers call them."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class Word(StrEnum):
    """How a service is; values equal those of the API."""

    UP = "up"
    DEGRADED = "degraded"
    DOWN = "down"
    UNKNOWN = "unknown"
    MUTED = "muted"


_SPELLINGS: Final[Mapping[str, Word]] = {
    **dict.fromkeys(
        ("healthy", "ok", "online", "up", "running", "available", "active", "pass"), Word.UP
    ),
    **dict.fromkeys(("degraded", "warning", "busy", "starting", "stopping"), Word.DEGRADED),
    **dict.fromkeys(
        ("unhealthy", "error", "failed", "down", "offline", "unavailable", "stopped"), Word.DOWN
    ),
    "maintenance": Word.MUTED,
}
# Said about a service when it ends, often by the broker (Last Will): no sign of life.
_FAREWELLS: Final = frozenset({"offline", "stopped", "down", "unavailable"})


def word_of(raw: str) -> Word:
    """What a peer's status text means (bus.md T5)."""
    return _SPELLINGS.get(raw.strip().lower(), Word.UNKNOWN)


def is_farewell(raw: str) -> bool:
    """Whether the text says that the service is gone."""
    return raw.strip().lower() in _FAREWELLS
