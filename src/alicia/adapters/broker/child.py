"""A broker that the supervisor is to run."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Child:
    """How to start a broker.

    ``prepare`` is called before each start, also after a crash: it writes the files that the
    program needs and returns sentences for the owner, mostly none. The broker is ready when
    ``probe`` (host, port) takes a connection; with None it says "listening on" and its address.
    ``tethered``: it does not watch
    ALICIA_SUPERVISOR_FD, so the kernel has to end it with the supervisor.
    """

    argv: tuple[str, ...]
    probe: tuple[str, int] | None
    tethered: bool
    prepare: Callable[[], list[str]]
