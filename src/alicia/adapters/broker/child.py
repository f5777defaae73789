"""A broker that the supervisor is to run."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Child:
    """How to start a broker.

    ``prepare`` is called before each start, also after a crash: it writes the files that the
    program needs and returns sentences for the owner, mostly none. The broker is ready when
    ``port`` of loopback takes a connection, or, if it ``announces``, when it prints "listening on".
    ``tethered``: it does not watch
    ALICIA_SUPERVISOR_FD, so the kernel has to end it with the supervisor.
    """

    argv: tuple[str, ...]
    port: int
    announces: bool
    tethered: bool
    prepare: Callable[[], list[str]]
