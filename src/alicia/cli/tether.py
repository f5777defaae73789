"""Become another program that ends when its supervisor does.

``python -I -S tether.py SUPERVISOR_PID PROGRAM ARGUMENT…``: runs as a script of its own between
spawn and exec, because a ``preexec_fn`` is unsafe beside threads. It imports nothing of ours, so
that it costs a few milliseconds. Outside Linux it only becomes the program.

Source: prctl(2): PR_SET_PDEATHSIG is kept across execve.
"""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def main(arguments: list[str]) -> None:
    """Ask the kernel for SIGTERM at the supervisor's death, then become the program."""
    supervisor, program = int(arguments[0]), arguments[1:]
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0) != 0:
            raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG) failed")
        if os.getppid() != supervisor:  # it died before the kernel knew of us
            raise SystemExit(1)
    os.execvp(program[0], program)  # noqa: S606 - the supervisor names the program


if __name__ == "__main__":
    main(sys.argv[1:])
