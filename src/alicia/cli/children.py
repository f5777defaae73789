"""Child processes: spawn, read their lines, signal, reap."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from alicia.cli.exits import Failed

SUPERVISOR_FD: Final = "ALICIA_SUPERVISOR_FD"
_TETHER: Final = Path(__file__).with_name("tether.py")  # run, not imported: it loads ctypes
_LINE_BYTES_MAX: Final = 64 * 1024
_READ_BYTES: Final = 64 * 1024


@dataclass(frozen=True, slots=True)
class Launch:
    """How to start a part.

    ``tethered``: the program does not watch ALICIA_SUPERVISOR_FD, so the kernel ends it with us.
    """

    argv: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    tethered: bool = False


def python_command(*words: str) -> tuple[str, ...]:
    """The argv of one of our own commands in a process of its own."""
    return (sys.executable, "-m", "alicia", *words)


def ending(code: int) -> str:
    """How a process ended, in words; ``code`` is negative for a signal."""
    if code >= 0:
        return f"ended with code {code}"
    try:
        return f"ended by {signal.Signals(-code).name}"
    except ValueError:
        return f"ended by signal {-code}"


class LifeLine:
    """A pipe whose end children see when this process is gone, however it went."""

    def __init__(self) -> None:
        self.read_fd, self._write_fd = os.pipe()

    def close(self) -> None:
        """Let go; children then end as if we had died."""
        os.close(self.read_fd)
        os.close(self._write_fd)


class Child:
    """One running process in a process group of its own, so that Ctrl-C reaches only us.

    Raises:
        Failed: the program cannot be started.
    """

    def __init__(self, launch: Launch, life_line: LifeLine, environment: Mapping[str, str]) -> None:
        argv = list(launch.argv)
        if launch.tethered:
            argv = [sys.executable, "-I", "-S", str(_TETHER), str(os.getpid()), *argv]
        given = {**environment, **launch.environment, SUPERVISOR_FD: str(life_line.read_fd)}
        try:
            self._process = subprocess.Popen(
                argv,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                env=given,
                pass_fds=(life_line.read_fd,),
                process_group=0,
            )
        except OSError as error:
            program = error.filename or launch.argv[0]  # it may be our own Python that is refused
            raise Failed(f"cannot start {program}: {error.strerror}") from None
        assert self._process.stdout is not None
        self.output_fd = self._process.stdout.fileno()
        os.set_blocking(self.output_fd, False)
        self._partial = b""
        self._told_to_stop = False

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    def ended(self) -> int | None:
        """The exit code once it has ended, negative for a signal; None while it runs."""
        return self._process.poll()

    def lines(self) -> Iterator[str]:
        """The whole lines that it has printed since the last call; never waits.

        Raises:
            EOFError: it has closed its output; no lines will follow.
        """
        try:
            received = os.read(self.output_fd, _READ_BYTES)
        except BlockingIOError:
            return
        *whole, self._partial = (self._partial + received).split(b"\n")
        if len(self._partial) > _LINE_BYTES_MAX or not received:
            whole, self._partial = [*whole, self._partial], b""
        yield from (line.decode(errors="replace") for line in whole if line)
        if not received:
            raise EOFError

    def terminate(self) -> None:
        """Ask it to stop; once is enough."""
        if not self._told_to_stop and self.ended() is None:
            self._process.send_signal(signal.SIGTERM)
        self._told_to_stop = True

    def kill(self) -> None:
        """End it and whatever it started, at once."""
        if self.ended() is None:
            os.killpg(self.pid, signal.SIGKILL)
            self._process.wait()

    def close(self) -> None:
        """Give the pipe back; the process has ended."""
        assert self._process.stdout is not None
        self._process.stdout.close()
