"""How late executions started: the last few thousand, as percentiles."""

import math
from collections import deque
from collections.abc import Mapping
from typing import Final

KEPT: Final = 10_000
_PERCENTILES: Final = (("p50", 0.50), ("p95", 0.95), ("p99", 0.99), ("max", 1.0))


class Lags:
    """A window over the newest lags, in microseconds; owned by one thread."""

    def __init__(self) -> None:
        self._window: deque[int] = deque(maxlen=KEPT)
        self._count = 0

    def add(self, lag_us: int) -> None:
        """Take one lag; one before its instant (a clock that was set back) counts as none."""
        self._window.append(max(lag_us, 0))
        self._count += 1

    def to_api(self) -> Mapping[str, object]:
        """Nearest-rank percentiles in milliseconds, null before the first execution."""
        ordered = sorted(self._window)
        shown: dict[str, object] = {"count": self._count, "window": len(ordered)}
        for name, share in _PERCENTILES:
            rank = math.ceil(share * len(ordered))
            shown[f"{name}_ms"] = round(ordered[rank - 1] / 1000, 3) if ordered else None
        return shown
