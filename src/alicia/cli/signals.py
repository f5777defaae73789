"""Signals as bytes in a pipe, so that one loop waits for them and for output alike."""

import os
import signal
from types import TracebackType
from typing import Final

_STOP: Final = frozenset({signal.SIGINT, signal.SIGTERM, signal.SIGHUP})
_WATCHED: Final = (*_STOP, signal.SIGCHLD)


class SignalPipe:
    """While entered, watched signals do nothing but wake the reader of ``fd``.

    SIGCHLD only wakes; belongs to the main thread.
    """

    def __init__(self) -> None:
        self.fd, self._write_fd = os.pipe()
        os.set_blocking(self.fd, False)
        os.set_blocking(self._write_fd, False)

    def __enter__(self) -> "SignalPipe":
        self._previous_fd = signal.set_wakeup_fd(self._write_fd, warn_on_full_buffer=False)
        self._previous = {number: signal.signal(number, _nothing) for number in _WATCHED}
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(self._previous_fd)
        os.close(self.fd)
        os.close(self._write_fd)

    def stop_asked(self) -> bool:
        """Whether a signal to stop has come since the last call; never waits."""
        try:
            received = os.read(self.fd, 4096)
        except BlockingIOError:
            return False
        return any(number in _STOP for number in received)


def _nothing(_number: int, _frame: object) -> None:
    """Stand in for the default action; the wake-up pipe tells the loop."""
