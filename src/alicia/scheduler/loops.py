"""Long tasks: one step after another until they are cancelled."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from alicia.base.counters import Counters

_log = logging.getLogger(__name__)


async def every_loop(
    interval_ms: int, step: Callable[[], Awaitable[None]], *, name: str, counters: Counters
) -> None:
    """Wait an interval and take a step, for ever; a step that fails is counted and repeated."""
    while True:
        await asyncio.sleep(interval_ms / 1000)
        try:
            await step()
        except Exception:
            counters.add("loop_errors", name)
            _log.exception("a step of %s failed; it is tried again", name)
