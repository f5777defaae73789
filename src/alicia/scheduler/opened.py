"""An execution that is not final yet, as this process holds it."""

import asyncio
from dataclasses import dataclass, field

from alicia.scheduling.event import Event
from alicia.scheduling.execution import Execution
from alicia.scheduling.ports import Outcome


def _future() -> "asyncio.Future[None]":
    return asyncio.get_running_loop().create_future()


@dataclass(frozen=True, slots=True)
class Verdict:
    """The word of somebody outside; ``stored`` is done when the ledger has it."""

    outcome: Outcome
    stored: "asyncio.Future[None]" = field(default_factory=_future)


@dataclass(slots=True)
class Opened:
    """One open execution and what others say about it.

    ``verdict`` is set by the first word from outside (a report, a cancel) and taken by the
    execution's own ``task``, which drives it to its end; ``progress`` is set when the target
    says that it is at work. ``under_way``: a try has begun and is not judged yet.
    ``awaits_target``: its message is out and the target's word is due.
    """

    execution: Execution
    event: Event
    verdict: "asyncio.Future[Verdict]" = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )
    progress: asyncio.Event = field(default_factory=asyncio.Event)
    task: "asyncio.Task[None] | None" = None
    under_way: bool = False
    awaits_target: bool = False

    def take_verdict(self) -> Verdict | None:
        """The word that came, if any; the next one may come from now on."""
        if not self.verdict.done():
            return None
        verdict = self.verdict.result()
        self.verdict = asyncio.get_running_loop().create_future()
        return verdict
