"""The long tasks of a service: loops that take one step after another, and who keeps them."""

import asyncio
import inspect
import logging
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from typing import Any, Final, final

from alicia.adapters.health import Check, Condition
from alicia.base.counters import Counters
from alicia.base.errors import AliciaError

Step = Callable[[], Awaitable[None] | None]
_log: Final = logging.getLogger(__name__)


@final
class Loops:
    """The running tasks of one service, by name. Belongs to one event loop.

    ``expected`` names those that run for ever; the check is unhealthy where one has ended.
    """

    def __init__(self, counters: Counters, *, expected: Iterable[str]) -> None:
        self._counters = counters
        self._expected = frozenset(expected)
        self._tasks: set[asyncio.Task[None]] = set()

    def keep(self, name: str, work: Coroutine[Any, Any, None]) -> None:
        """Run a piece of work until it ends or is ended."""
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def every(self, name: str, interval_ms: int, step: Step, *, first_after_ms: int = 0) -> None:
        """Take a step at every interval; see ``every_loop``."""
        self.keep(
            name,
            every_loop(
                interval_ms, step, name=name, counters=self._counters, first_after_ms=first_after_ms
            ),
        )

    async def end(self, *names: str) -> None:
        """Cancel the tasks of these names, or all of them, and wait until they have ended."""
        ending = [task for task in self._tasks if not names or task.get_name() in names]
        for task in ending:
            task.cancel()
        await asyncio.gather(*ending, return_exceptions=True)

    def check(self) -> Check:
        """Whether all that shall run for ever runs; before the start nothing is missed."""
        dead = self._expected - {task.get_name() for task in self._tasks}
        if dead and self._tasks:
            return Check(Condition.UNHEALTHY, f"stopped: {', '.join(sorted(dead))}")
        return Check(Condition.HEALTHY, "all loops run")


async def every_loop(
    interval_ms: int, step: Step, *, name: str, counters: Counters, first_after_ms: int = 0
) -> None:
    """Take a step now, or after ``first_after_ms``, and then at every interval, for ever.

    A step that fails is logged, counted under ``loop_errors``, and tried again at its next
    turn. A step that takes longer than the interval delays the next one; none is made up for.
    """
    loop = asyncio.get_running_loop()
    due = loop.time() + first_after_ms / 1000
    while True:
        await asyncio.sleep(due - loop.time())
        try:
            result = step()
            if inspect.isawaitable(result):
                await result
        except AliciaError as error:
            counters.add("loop_errors", name)
            detail = {"code": error.code}
            _log.error("a step of %s failed, it is tried again: %s", name, error, extra=detail)
        except Exception:  # the outermost frame of a long task
            counters.add("loop_errors", name)
            _log.exception("a step of %s failed; it is tried again", name)
        due = max(due + interval_ms / 1000, loop.time())
