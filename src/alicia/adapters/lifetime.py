"""How a service says where it is, and learns that it shall end."""

import asyncio
import contextlib
import os
import signal
from collections.abc import Callable, Mapping
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


async def wait_for_end(environment: Mapping[str, str] = os.environ) -> str:
    """Wait for SIGTERM, SIGINT or the supervisor's death; the reason, for the log.

    Signals after the first are ignored: the stop is running, and the supervisor's patience
    bounds it.
    """
    loop = asyncio.get_running_loop()
    ended: asyncio.Future[str] = loop.create_future()

    def end(reason: str) -> None:
        if not ended.done():
            ended.set_result(reason)

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, end, number.name)
    fd = supervisor_fd(environment)
    if fd is not None:
        loop.add_reader(fd, _on_supervisor, loop, fd, end)
    try:
        return await ended
    finally:
        if fd is not None:
            loop.remove_reader(fd)


def _on_supervisor(loop: asyncio.AbstractEventLoop, fd: int, end: Callable[[str], None]) -> None:
    data = b""
    with contextlib.suppress(OSError):  # a pipe that cannot be read is a pipe that is gone
        data = os.read(fd, _READ_BYTES)
    if not data:
        loop.remove_reader(fd)
        end("the supervisor ended")
