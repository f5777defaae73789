"""How a service says where it is, and learns that it shall end."""

import asyncio
import contextlib
import os
import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Final, final

import msgspec

from alicia.adapters.files import make_private_folder, write_atomically

SUPERVISOR_FD: Final = "ALICIA_SUPERVISOR_FD"
_READ_BYTES: Final = 64


@final
class RunFile:
    """``DATA_DIR/run/<service>.json``: the real address of a running service, for the CLI."""

    def __init__(self, data_dir: Path, service: str) -> None:
        self._path = data_dir / "run" / f"{service}.json"

    def write(self, *, url: str, port: int, started: float) -> None:
        """Say where this process answers; ``started`` in epoch seconds."""
        make_private_folder(self._path.parent)
        content = {"pid": os.getpid(), "url": url, "port": port, "started": started}
        write_atomically(self._path, msgspec.json.encode(content))

    def remove(self) -> None:
        """Say that nobody answers; safe to call twice."""
        self._path.unlink(missing_ok=True)


def supervisor_fd(environment: Mapping[str, str]) -> int | None:
    """The reading end of the supervisor's pipe; None where nobody supervises."""
    text = environment.get(SUPERVISOR_FD, "")
    return int(text) if text.isascii() and text.isdigit() else None


@final
class Ending:
    """Notices SIGTERM, SIGINT and the supervisor's death, from its construction on.

    Build it in the running loop before anything that has to be stopped. Signals after the first
    are ignored: the stop is running, and the supervisor's patience bounds it.
    """

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._loop = asyncio.get_running_loop()
        self._reason: asyncio.Future[str] = self._loop.create_future()
        for number in (signal.SIGTERM, signal.SIGINT):
            self._loop.add_signal_handler(number, self.end, number.name)
        self._fd = supervisor_fd(environment)
        if self._fd is not None:
            self._loop.add_reader(self._fd, self._on_supervisor, self._fd)

    def end(self, reason: str) -> None:
        """Ask for the end; the first reason counts."""
        if not self._reason.done():
            self._reason.set_result(reason)

    async def wait(self) -> str:
        """Wait until the service shall end; why, for the log."""
        return await self._reason

    def _on_supervisor(self, fd: int) -> None:
        data = b""
        with contextlib.suppress(OSError):  # a pipe that cannot be read is a pipe that is gone
            data = os.read(fd, _READ_BYTES)
        if not data:
            self._loop.remove_reader(fd)
            self.end("the supervisor ended")
