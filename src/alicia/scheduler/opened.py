"""An execution that is not final yet, as this process holds it."""

import asyncio
from dataclasses import dataclass, field
from enum import Enum, auto

from alicia.scheduling.event import Event
from alicia.scheduling.execution import Execution
from alicia.scheduling.ports import Outcome


class Phase(Enum):
    """Where an open execution stands; it moves down the list, and back to the top for a retry."""

    WAITING = auto()  # for its event, its moment, a broker, a worker: nothing of a try has begun
    ACTING = auto()  # a try has begun, and its start may be recorded
    HEARING = auto()  # its message is out and the target's word is due
    SETTLING = auto()  # the try is judged, and the ledger is being told


def _future() -> "asyncio.Future[bool]":
    return asyncio.get_running_loop().create_future()


@dataclass(frozen=True, slots=True)
class Verdict:
    """The word of somebody outside; ``stored`` says whether the ledger took it."""

    outcome: Outcome
    stored: "asyncio.Future[bool]" = field(default_factory=_future)

    async def answered(self) -> bool:
        """Wait for the answer; one who stops waiting does not take it from the others."""
        return await asyncio.shield(self.stored)

    def answer(self, *, stored: bool) -> None:
        """Tell whoever waits; the first answer counts."""
        if not self.stored.done():
            self.stored.set_result(stored)


@dataclass(slots=True)
class Opened:
    """One open execution and what others say about it.

    ``verdict`` is set by the first word from outside (a report, a cancel) and taken by the
    execution's own ``task``, which drives it to its end; ``progress`` is set when the target
    says that it is at work. ``definition`` is read before ``task`` begins.
    """

    execution: Execution
    definition: Event | None = None
    verdict: "asyncio.Future[Verdict]" = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )
    progress: asyncio.Event = field(default_factory=asyncio.Event)
    task: "asyncio.Task[None] | None" = None
    phase: Phase = Phase.WAITING

    @property
    def event(self) -> Event:
        """The event as it was when the execution was taken up."""
        assert self.definition is not None, "it is read before the first try"
        return self.definition

    @property
    def under_way(self) -> bool:
        """Whether a try has begun and is not judged yet."""
        return self.phase in (Phase.ACTING, Phase.HEARING)

    def take_verdict(self) -> Verdict | None:
        """The word that came, if any; the next one may come from now on."""
        if not self.verdict.done():
            return None
        verdict = self.verdict.result()
        self.verdict = asyncio.get_running_loop().create_future()
        return verdict
