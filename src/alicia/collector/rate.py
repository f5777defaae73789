"""How fast a counter grows."""

from collections import deque
from typing import Final

_MARKS: Final = 7  # at one mark every 10 s: the last minute


class RateMeter:
    """The mean growth of a counter over its last marks."""

    def __init__(self) -> None:
        self._marks: deque[tuple[int, int]] = deque(maxlen=_MARKS)

    def note(self, count: int, *, monotonic_ms: int) -> None:
        """Set a mark; call it at even intervals."""
        self._marks.append((monotonic_ms, count))

    def per_second(self, count: int, *, monotonic_ms: int) -> float:
        """Growth per second since the oldest mark; 0 before the first."""
        if not self._marks or monotonic_ms <= self._marks[0][0]:
            return 0.0
        since_ms, before = self._marks[0]
        return (count - before) * 1000 / (monotonic_ms - since_ms)
