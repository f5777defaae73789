"""How many connections there are, and which goes when there are too many."""

from enum import IntEnum
from typing import Final, Protocol, final

CONNECTIONS_MAX: Final = 1000
PER_ADDRESS_MAX: Final = 100


class Stage(IntEnum):
    """Where a connection stands; the lower, the less is lost by closing it."""

    HEAD = 0  # the head of a request is not whole
    IDLE = 1  # between two requests
    BODY = 2  # the body of a request is not whole
    ANSWER = 3  # a request is being answered


class Member(Protocol):
    """A connection as the crowd sees it."""

    @property
    def address(self) -> str:
        """Where it comes from."""
        ...

    @property
    def stage(self) -> Stage:
        """Where it stands."""
        ...

    def abort(self) -> None:
        """Close it at once."""
        ...


@final
class Crowd:
    """The open connections of one server, oldest first.

    Where a bound is reached, the oldest connection that nobody is being answered on makes room:
    a thousand half requests keep nobody out.
    """

    def __init__(
        self, *, connections_max: int = CONNECTIONS_MAX, per_address_max: int = PER_ADDRESS_MAX
    ) -> None:
        self._connections_max = connections_max
        self._per_address_max = per_address_max
        self._all: dict[Member, None] = {}
        self._by_address: dict[str, dict[Member, None]] = {}
        self.closed_for_room = 0

    def __len__(self) -> int:
        return len(self._all)

    def enter(self, member: Member) -> bool:
        """Count a new connection in; False: there is no room, and it has to go."""
        group = self._by_address.setdefault(member.address, {})
        self._all[member] = group[member] = None
        if len(group) > self._per_address_max and not self._make_room(group, member):
            return False
        return len(self._all) <= self._connections_max or self._make_room(self._all, member)

    def leave(self, member: Member) -> None:
        """Count a connection out; safe for one that is out already."""
        self._all.pop(member, None)
        group = self._by_address.get(member.address)
        if group is not None:
            group.pop(member, None)
            if not group:
                del self._by_address[member.address]

    def _make_room(self, among: dict[Member, None], newcomer: Member) -> bool:
        self.closed_for_room += 1
        candidates = [item for item in among if item is not newcomer]
        victim = min(candidates, key=lambda item: item.stage, default=None)
        if victim is None or victim.stage is Stage.ANSWER:
            return False
        self.leave(victim)
        victim.abort()
        return True
