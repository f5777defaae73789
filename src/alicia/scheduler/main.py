"""The scheduler: everything is built here, started in order, and stopped in reverse."""

import hashlib
import logging
import os
import socket
import sys
from contextlib import AsyncExitStack
from typing import Final

import uvloop

from alicia.adapters.clock import SystemClock, SystemRandom
from alicia.adapters.lifetime import Ending
from alicia.adapters.lockfile import DataLock
from alicia.adapters.logs import set_up_logs
from alicia.adapters.settings import BadSetting, Settings
from alicia.adapters.sql.database import open_database
from alicia.base.errors import AliciaError
from alicia.scheduler.service import Scheduler

_SWITCH_SECONDS: Final = 0.0005
_log: Final = logging.getLogger(__name__)


def run(settings: Settings) -> int:
    """Run the scheduler until it is told to end; the exit code of the process."""
    if not __debug__:
        print("alicia scheduler: python -O removes checks that we rely on", file=sys.stderr)
        return 1
    set_up_logs("scheduler")
    # A publish must not wait for the writer's thread longer than a commit takes.
    sys.setswitchinterval(_SWITCH_SECONDS)
    try:
        check_settings(settings)
        uvloop.run(_serve(settings))
    except AliciaError as error:
        print(f"alicia scheduler: {error}", file=sys.stderr)
        return 1
    return 0


async def _serve(settings: Settings) -> None:
    ending = Ending(os.environ)  # noqa: TID251 - the supervisor's pipe is no setting
    async with AsyncExitStack() as stack:
        lock = DataLock(settings.data_dir / "scheduler.lock")
        lock.acquire()
        stack.callback(lock.release)
        database = await open_database(settings.data_dir / "scheduler.db", service="scheduler")
        stack.push_async_callback(database.close)
        scheduler = Scheduler(
            settings, database, node=node_name(settings), clock=SystemClock(), random=SystemRandom()
        )
        stack.push_async_callback(scheduler.stop)
        url = await scheduler.start()
        lock.note({"address": url})
        print(f"alicia scheduler listening on {url}", flush=True)
        _log.info("stopping: %s", await ending.wait())


def check_settings(settings: Settings) -> None:
    """Refuse what would else be ignored in silence.

    Raises:
        BadSetting: the ledger is to live in a database that this version cannot use.
    """
    if settings.database_url is not None:
        raise BadSetting(
            "DATABASE_URL",
            "DATABASE_URL: the scheduler keeps its ledger in SQLite only; unset it, and the file"
            " in DATA_DIR is used",
            reason="unsupported_database",
        )


def node_name(settings: Settings) -> str:
    """A short name of this process' data folder, the same at every start."""
    place = f"{socket.gethostname()}:{settings.data_dir.resolve()}"
    return hashlib.sha256(place.encode()).hexdigest()[:8]
