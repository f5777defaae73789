"""The newest samples of one series, in order of time."""

from array import array
from bisect import bisect_left, bisect_right
from typing import Final

_SLACK: Final = 64  # dropped samples are cut off in portions, so that a drop costs nothing


class Ring:
    """At most ``samples_max`` samples with distinct, ascending times; owned by the store's thread.

    The oldest go first. ``t_ms`` and ``values`` are parallel; what lies before ``start`` is gone.
    """

    __slots__ = ("_samples_max", "_start", "_t_ms", "_values")

    def __init__(self, samples_max: int) -> None:
        assert samples_max > 0, "a series holds something"
        self._samples_max = samples_max
        self._start = 0
        self._t_ms = array("q")
        self._values = array("d")

    def __len__(self) -> int:
        return len(self._t_ms) - self._start

    @property
    def newest_ms(self) -> int:
        """Time of the newest sample; the ring must not be empty."""
        return self._t_ms[-1]

    @property
    def oldest_ms(self) -> int:
        """Time of the oldest sample; the ring must not be empty."""
        return self._t_ms[self._start]

    def at(self, t_ms: int) -> float | None:
        """The value at exactly this time."""
        if not len(self) or t_ms > self._t_ms[-1]:
            return None
        i = bisect_left(self._t_ms, t_ms, self._start)
        return self._values[i] if i < len(self._t_ms) and self._t_ms[i] == t_ms else None

    def put(self, t_ms: int, value: float) -> None:
        """Insert at its place, or replace the value at the same time."""
        if not len(self) or t_ms > self._t_ms[-1]:
            self._t_ms.append(t_ms)
            self._values.append(value)
        else:
            i = bisect_left(self._t_ms, t_ms, self._start)
            if self._t_ms[i] == t_ms:
                self._values[i] = value
            else:
                self._t_ms.insert(i, t_ms)
                self._values.insert(i, value)
        if len(self) > self._samples_max:
            self._drop_to(self._start + 1)

    def trim(self, floor_ms: int) -> None:
        """Drop everything older than ``floor_ms`` (which itself stays)."""
        if len(self) and self._t_ms[self._start] < floor_ms:
            self._drop_to(bisect_left(self._t_ms, floor_ms, self._start))

    def span(self, start_ms: int, end_ms: int) -> "tuple[array[int], array[float]]":
        """Copies of times and values from ``start_ms`` to ``end_ms``, both inclusive."""
        lo = bisect_left(self._t_ms, start_ms, self._start)
        hi = bisect_right(self._t_ms, end_ms, lo)
        return self._t_ms[lo:hi], self._values[lo:hi]

    def newest_until(self, at_ms: int) -> tuple[int, float] | None:
        """Time and value of the newest sample not after ``at_ms``."""
        i = bisect_right(self._t_ms, at_ms, self._start)
        return (self._t_ms[i - 1], self._values[i - 1]) if i > self._start else None

    def _drop_to(self, start: int) -> None:
        self._start = start
        if (start > _SLACK and start * 2 > len(self._t_ms)) or start == len(self._t_ms):
            del self._t_ms[:start]
            del self._values[:start]
            self._start = 0
