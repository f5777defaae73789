"""How a service runs as a process: its lock, its logs, its address, its end."""

import gc
import hashlib
import logging
import os
import socket
import sys
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from typing import Final

import uvloop

from alicia.adapters.lifetime import Ending
from alicia.adapters.lockfile import DataLock
from alicia.adapters.logs import set_up_logs
from alicia.adapters.settings import BadSetting, Settings, setting_keys
from alicia.base.errors import AliciaError

# Starts a service and returns its address; what it pushes onto the stack ends the service.
Start = Callable[[Settings, AsyncExitStack], Awaitable[str]]
# Objects until the youngest generation is looked at, and how many such looks until the older
# ones are. Stored series are many small objects that stay: the usual 700, 10, 10 goes through all
# of them again and again, and everybody waits for it.
_COLLECT_AT: Final = (10_000, 5, 50)
_log: Final = logging.getLogger(__name__)


def run_service(
    service: str,
    settings: Settings,
    start: Start,
    *,
    refused: Mapping[str, str],
    idle: Mapping[str, str] | None = None,
) -> int:
    """Run a service until it is told to end; the exit code of the process.

    ``refused`` and ``idle`` say, by key, why a setting stops the start, or has no effect.
    """
    if not __debug__:
        print(f"alicia {service}: python -O removes checks that we rely on", file=sys.stderr)
        return 1
    set_up_logs(service, level=settings.log_level)
    try:
        check_settings(settings, refused)
        for key in given_keys(settings, idle or {}):
            _log.warning("%s has no effect: %s", key, (idle or {})[key])
        uvloop.run(_serve(service, settings, start))
    except AliciaError as error:
        print(f"alicia {service}: {error}", file=sys.stderr)
        return 1
    return 0


def check_settings(settings: Settings, refused: Mapping[str, str]) -> None:
    """Refuse what would else be ignored in silence.

    Raises:
        BadSetting: a setting is given that the service cannot honour.
    """
    for key in given_keys(settings, refused):
        raise BadSetting(key, f"{key}: {refused[key]}", reason="unsupported_setting")


def given_keys(settings: Settings, keys: Mapping[str, str]) -> list[str]:
    """Those of the keys that are set to something else than their default."""
    known = setting_keys()
    return [key for key in keys if getattr(settings, known[key].name) != known[key].default]


def node_name(settings: Settings) -> str:
    """A short name of this process' data folder, the same at every start."""
    place = f"{socket.gethostname()}:{settings.data_dir.resolve()}"
    return hashlib.sha256(place.encode()).hexdigest()[:8]


def spare_collections() -> None:
    """Let the garbage collector look seldom at what stays, and at what the start made never."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_COLLECT_AT)


async def _serve(service: str, settings: Settings, start: Start) -> None:
    ending = Ending(os.environ)
    async with AsyncExitStack() as stack:
        lock = DataLock(settings.data_dir / f"{service}.lock")
        lock.acquire()
        stack.callback(lock.release)
        url = await start(settings, stack)
        spare_collections()
        lock.note({"address": url})
        print(f"alicia {service} listening on {url}", flush=True)
        _log.info("stopping: %s", await ending.wait())
