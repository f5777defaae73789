"""How a service ends: step by step, and whatever fails, the rest is ended all the same."""

import asyncio
import inspect
import logging
from collections.abc import Awaitable, Callable
from typing import Final

from alicia.base.errors import AliciaError

STEP_SECONDS_MAX: Final = 1.0
Step = Callable[[], Awaitable[object] | object]
_log: Final = logging.getLogger(__name__)


async def end_each(*steps: tuple[str, Step], seconds_max: float | None = STEP_SECONDS_MAX) -> None:
    """Take the steps in order, each within ``seconds_max``; None where each has its own bound.

    One that fails or takes longer is logged under its name, and the next one follows.
    """
    for name, step in steps:
        try:
            async with asyncio.timeout(seconds_max):
                result = step()
                if inspect.isawaitable(result):
                    await result
        except TimeoutError:
            _log.warning("stopping: %s took more than %s s; it is left as it is", name, seconds_max)
        except AliciaError as error:
            _log.warning("stopping: %s failed: %s", name, error, extra={"code": error.code})
        except Exception:  # the outermost frame of a step
            _log.exception("stopping: %s failed", name)
