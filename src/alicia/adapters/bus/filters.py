"""Which filters are wanted and which the broker holds, and what to ask it next; pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, final

from alicia.wire.ports import REFUSED_MIN

PER_PACKET_MAX: Final = 100


@dataclass(frozen=True, slots=True)
class Ask:
    """One packet: SUBSCRIBE to these filters, or UNSUBSCRIBE from them."""

    subscribe: bool
    filters: tuple[str, ...]


@final
class Filters:
    """What we want against what the broker has; wishes may change at any time between them.

    Ask until there is no next packet, answer each, and the broker holds what is wanted. Its
    session outlives a connection, so that a filter given up while away is stale with the next.
    """

    def __init__(self) -> None:
        self._wanted: dict[str, None] = {}  # in order of subscription
        self._held: dict[str, None] = {}  # the broker's session may deliver these
        self._answered: set[str] = set()  # SUBSCRIBE was answered on this connection
        self._refused: set[str] = set()

    @property
    def refused(self) -> list[str]:
        """Wanted filters that the broker does not let us read, sorted."""
        return sorted(self._refused)

    def want(self, patterns: Iterable[str]) -> None:
        """Add filters; a known one is asked for again, so that retained messages follow."""
        for pattern in patterns:
            self._wanted[pattern] = None
            self._answered.discard(pattern)

    def drop(self, patterns: Iterable[str]) -> None:
        """Want these no more."""
        for pattern in patterns:
            self._wanted.pop(pattern, None)
            self._refused.discard(pattern)

    def begin(self) -> None:
        """A new connection: nothing is answered yet."""
        self._answered.clear()
        self._refused.clear()

    def next_ask(self) -> Ask | None:
        """What to send now; from then on the broker may hold it. None: it has what we want."""
        stale = [pattern for pattern in self._held if pattern not in self._wanted]
        if stale:
            return Ask(False, tuple(stale[:PER_PACKET_MAX]))
        missing = [pattern for pattern in self._wanted if pattern not in self._answered]
        if not missing:
            return None
        ask = Ask(True, tuple(missing[:PER_PACKET_MAX]))
        self._held.update(dict.fromkeys(ask.filters))
        return ask

    def subscribed(self, ask: Ask, codes: bytes) -> list[str]:
        """Take a SUBACK, one code per filter; returns the filters that were refused."""
        refused = []
        self._answered.update(ask.filters)
        for pattern, code in zip(ask.filters, codes, strict=False):
            self._refused.discard(pattern)
            if code >= REFUSED_MIN:
                refused.append(pattern)
                self._held.pop(pattern, None)
        self._refused.update(pattern for pattern in refused if pattern in self._wanted)
        return refused

    def unsubscribed(self, ask: Ask) -> None:
        """Take an UNSUBACK; what was wanted again meanwhile is asked for anew."""
        for pattern in ask.filters:
            self._held.pop(pattern, None)
            self._answered.discard(pattern)
