"""Chains of events by ``on_success`` and ``on_failure``: no circles, and an end to any chain.

Source: scheduling.md §6, "Other starts".
"""

from collections.abc import Callable, Iterable
from typing import Final

from alicia.base.errors import BadField

HOPS_MAX: Final = 10


def check_chain(event_id: str, following: Callable[[str], Iterable[str]]) -> None:
    """Refuse an event that, by any path, would start itself.

    ``following`` gives the ids that an event names; an unknown id names none.

    Raises:
        BadField: ``chain_cycle``, with the path.
    """
    paths: list[tuple[str, ...]] = [(event_id,)]
    seen = {event_id}
    while paths:
        path = paths.pop()
        for name in following(path[-1]):
            if name == event_id:
                circle = " > ".join((*path, name))
                raise BadField(
                    "on_success",
                    f"on_success, on_failure: {circle} is a circle; take one of them out",
                    reason="chain_cycle",
                )
            if name not in seen:
                seen.add(name)
                paths.append((*path, name))
