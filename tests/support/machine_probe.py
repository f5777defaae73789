"""What the machine itself is good for while a test measures times on it.

Run as a program, in a process of its own: a bare timer that publishes nothing, and a write with
fsync in the folder of the data. It ends when stdin does, and prints its percentiles as JSON.
"""

import asyncio
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

TICK_SECONDS = 0.01
WRITE_EVERY_SECONDS = 0.1
WRITE_BYTES = 4096


@dataclass(frozen=True)
class Machine:
    """99th percentiles in milliseconds: a timer's lateness, a write with fsync."""

    timer_ms: float
    fsync_ms: float

    def __str__(self) -> str:
        return f"a bare timer p99 {self.timer_ms:.2f} ms late, fsync p99 {self.fsync_ms:.2f} ms"


class MachineProbe:
    """The probe beside a test."""

    def __init__(self, folder: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, __file__, str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def end(self) -> Machine:
        """Stop, and say what the machine was like since the start."""
        answer, _ = self._process.communicate()
        return Machine(**json.loads(answer))


def stalled(seconds: float, every_seconds: float) -> list[float]:
    """Milliseconds of one look, and of those that it made impossible, as each would have waited.

    A machine that stands still for a second would else be one bad look among many good ones.
    """
    looks = range(int(seconds / every_seconds) + 1)
    return [(seconds - look * every_seconds) * 1000 for look in looks]


def percentile(values: list[float], share: float) -> float:
    """The value that a share of all do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


async def _tick_loop(late_ms: list[float]) -> None:
    loop = asyncio.get_running_loop()
    while True:
        due = loop.time() + TICK_SECONDS
        await asyncio.sleep(TICK_SECONDS)
        late_ms += stalled(loop.time() - due, TICK_SECONDS)


async def _write_loop(file: int, took_ms: list[float]) -> None:
    loop = asyncio.get_running_loop()

    def write() -> None:
        os.write(file, bytes(WRITE_BYTES))
        os.fsync(file)

    while True:
        began = loop.time()
        await loop.run_in_executor(None, write)
        took_ms += stalled(loop.time() - began, WRITE_EVERY_SECONDS)
        await asyncio.sleep(WRITE_EVERY_SECONDS)


async def _probe(folder: Path) -> Machine:
    late_ms: list[float] = []
    took_ms: list[float] = []
    path = folder / "machine_probe"
    file = os.open(path, os.O_CREAT | os.O_WRONLY)
    loops = [
        asyncio.create_task(_tick_loop(late_ms)),
        asyncio.create_task(_write_loop(file, took_ms)),
    ]
    try:
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    finally:
        for task in loops:
            task.cancel()
        await asyncio.gather(*loops, return_exceptions=True)
        os.close(file)
        path.unlink()
    return Machine(percentile(late_ms, 0.99), percentile(took_ms, 0.99))


if __name__ == "__main__":
    found = asyncio.run(_probe(Path(sys.argv[1])))
    print(json.dumps({"timer_ms": found.timer_ms, "fsync_ms": found.fsync_ms}))
