"""Long tasks: one step after another until they are cancelled."""

import asyncio
import inspect
import logging
from collections.abc import Awaitable, Callable
from typing import Final

from alicia.base.counters import Counters

_log: Final = logging.getLogger(__name__)


async def every_loop(
    interval_ms: int,
    step: Callable[[], Awaitable[None] | None],
    *,
    name: str,
    counters: Counters,
    first_after_ms: int = 0,
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
        except Exception:  # the outermost frame of a long task
            counters.add("loop_errors", name)
            _log.exception("a step of %s failed; it is tried again", name)
        due = max(due + interval_ms / 1000, loop.time())
