"""Restarts of a service, and whether it restarts all the time (bus.md L6, L7)."""

from typing import Final

MOVED_MS: Final = 5_000
LOOP_RESTARTS: Final = 3
LOOP_WINDOW_MS: Final = 5 * 60_000
RESTARTS_KEPT: Final = 100


def is_restart(before_ms: int | None, started_ms: int) -> bool:
    """Whether a start time is that of another process than the one before."""
    return before_ms is not None and started_ms - before_ms > MOVED_MS


def with_restart(restarts: tuple[int, ...], at_ms: int) -> tuple[int, ...]:
    """The newest RESTARTS_KEPT restarts, ascending."""
    return (*restarts, at_ms)[-RESTARTS_KEPT:]


def recent(restarts: tuple[int, ...], now_ms: int) -> int:
    """How many restarts the last five minutes saw."""
    return sum(now_ms - at_ms < LOOP_WINDOW_MS for at_ms in restarts)


def in_loop(restarts: tuple[int, ...], now_ms: int) -> bool:
    """Whether the service restarts again and again; over after five quiet minutes."""
    chain = _unbroken(restarts, now_ms)
    return any(
        chain[i + LOOP_RESTARTS - 1] - chain[i] < LOOP_WINDOW_MS
        for i in range(len(chain) - LOOP_RESTARTS + 1)
    )


def _unbroken(restarts: tuple[int, ...], now_ms: int) -> tuple[int, ...]:
    """The newest restarts between which, and after which, there were no five quiet minutes."""
    first, after_ms = len(restarts), now_ms
    while first > 0 and after_ms - restarts[first - 1] < LOOP_WINDOW_MS:
        first -= 1
        after_ms = restarts[first]
    return restarts[first:]
