"""Whether there is room on the disk that holds our state."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor

from alicia.adapters.disk_space import DiskSpace
from alicia.adapters.health import Check, Condition


class DiskWatch:
    """Looks at the free space now and then; a slow file system delays nobody.

    ``on_look`` hears what each look found; None where the file system did not answer.
    Source: reliability.md §4.
    """

    def __init__(
        self,
        probe: Callable[[], DiskSpace],
        io: Executor,
        on_look: Callable[[DiskSpace | None], None],
    ) -> None:
        self._probe = probe
        self._io = io
        self._on_look = on_look
        self._found = Check(Condition.HEALTHY, "not looked at yet")

    async def look(self) -> None:
        """Look once; a file system that does not answer is a finding, no failure."""
        try:
            space = await asyncio.get_running_loop().run_in_executor(self._io, self._probe)
        except OSError as error:
            self._found = Check(
                Condition.DEGRADED, f"free space cannot be read: {error.strerror or error}"
            )
            self._on_look(None)
        else:
            self._found = judge_space(space)
            self._on_look(space)

    def check(self) -> Check:
        """What the last look found."""
        return self._found


def judge_space(space: DiskSpace) -> Check:
    """Unhealthy below the reserve, degraded below twice the reserve: time to act."""
    if space.is_low:
        return Check(Condition.UNHEALTHY, space.sentence())
    if space.free_bytes < 2 * space.reserve_bytes:
        return Check(Condition.DEGRADED, f"{space.sentence()}: soon full, free some space")
    return Check(Condition.HEALTHY, space.sentence())
