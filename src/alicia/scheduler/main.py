"""The scheduler: opened on its ledger, started, and stopped in reverse."""

import sys
from contextlib import AsyncExitStack
from typing import Final

from alicia.adapters.clock import SystemClock, SystemRandom
from alicia.adapters.process import node_name, run_service
from alicia.adapters.settings import Settings
from alicia.adapters.sql.database import open_database
from alicia.scheduler.service import Scheduler

_SWITCH_SECONDS: Final = 0.0005
REFUSED: Final = {
    "DATABASE_URL": "the scheduler keeps its ledger in SQLite only; unset it, and the file in"
    " DATA_DIR is used",
}


def run(settings: Settings) -> int:
    """Run the scheduler until it is told to end; the exit code of the process."""
    # A publish must not wait for the writer's thread longer than a commit takes.
    sys.setswitchinterval(_SWITCH_SECONDS)
    return run_service("scheduler", settings, _start, refused=REFUSED)


async def _start(settings: Settings, stack: AsyncExitStack) -> str:
    database = await open_database(settings.data_dir / "scheduler.db", service="scheduler")
    stack.push_async_callback(database.close)
    scheduler = Scheduler(
        settings, database, node=node_name(settings), clock=SystemClock(), random=SystemRandom()
    )
    stack.push_async_callback(scheduler.stop)
    return await scheduler.start()
