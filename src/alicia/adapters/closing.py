"""A stop that comes to its end: one step after another, whatever becomes of any of them.

Source: reliability.md §6 "Stop".
"""

import asyncio
import inspect
import logging
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Final

from alicia.base.errors import AliciaError

STOP_SECONDS_MAX: Final = 4.2  # of a whole service; the supervisor kills at 4.5 s
_log: Final = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Step:
    """One part of a stop, and how long it may take at most; one that awaits nothing is taken."""

    name: str
    end: Callable[[], Awaitable[object] | object]
    seconds_max: float = STOP_SECONDS_MAX


async def end_in_order(steps: Iterable[Step], *, seconds_max: float = STOP_SECONDS_MAX) -> None:
    """Take every step, each within its own bound, and all together within ``seconds_max``.

    A step that fails or takes too long is logged and left behind.
    """
    loop = asyncio.get_running_loop()
    end_at = loop.time() + seconds_max
    for step in steps:
        try:
            async with asyncio.timeout_at(min(loop.time() + step.seconds_max, end_at)):
                result = step.end()
                if inspect.isawaitable(result):
                    await result
        except TimeoutError:
            _log.warning("stopping: %s did not end in time and is left behind", step.name)
        except AliciaError as error:
            _log.warning("stopping: %s failed: %s", step.name, error, extra={"code": error.code})
        except Exception:  # the outermost frame of a step
            _log.exception("stopping: %s failed; the rest is ended all the same", step.name)
