"""Events that start events: every name must mean something, and no chain may return.

Source: scheduling.md §6, "Chained".
"""

from typing import Final

from alicia.base.errors import BadField, NotFound
from alicia.scheduling.event import Event, EventRecord
from alicia.scheduling.ports import Ledger

DEPTH_MAX: Final = 10
_EVENTS_MAX: Final = 1000


async def event_named(ledger: Ledger, name: str) -> EventRecord:
    """The event with this id, else the newest of this name.

    Raises:
        NotFound: there is neither.
    """
    try:
        return await ledger.get(name)
    except NotFound:
        return await ledger.find(name)


async def check_chain(ledger: Ledger, event: Event) -> None:
    """Walk everything that the event may start, and what that may start.

    Raises:
        BadField: a name means no event, a chain comes back to its start, or it is too long.
    """
    for field, names in (("on_success", event.on_success), ("on_failure", event.on_failure)):
        seen: set[str] = set()
        step = list(names)
        for _ in range(DEPTH_MAX):
            step = await _next_step(ledger, event, field, step, seen, known=step == list(names))
            if not step:
                break
        else:
            raise BadField(
                field, f"{field}: the chain is longer than {DEPTH_MAX} events", reason="long_chain"
            )


async def _next_step(
    ledger: Ledger, event: Event, field: str, names: list[str], seen: set[str], *, known: bool
) -> list[str]:
    """The names one hop further on."""
    following: list[str] = []
    for name in names:
        if name in (event.event_id, event.name):
            raise BadField(
                field, f"{field}: the chain comes back to this event", reason="chain_cycle"
            )
        try:
            target = await event_named(ledger, name)
        except NotFound:
            if not known:
                continue  # another event's broken link is not this one's fault
            raise BadField(
                field, f"{field}: there is no event {name[:64]!r}", reason="unknown_event"
            ) from None
        if target.event.event_id == event.event_id:
            raise BadField(
                field, f"{field}: the chain comes back to this event", reason="chain_cycle"
            )
        if target.event.event_id not in seen and len(seen) < _EVENTS_MAX:
            seen.add(target.event.event_id)
            following += [*target.event.on_success, *target.event.on_failure]
    return following
