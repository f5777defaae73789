"""How much the head holds, known at any time without looking at every series."""

from dataclasses import dataclass


@dataclass(slots=True)
class Span:
    """From the oldest to the newest of some instants in ms; None while there are none."""

    oldest_ms: int | None = None
    newest_ms: int | None = None

    def add(self, t_ms: int) -> None:
        """Reach as far as this instant."""
        if self.oldest_ms is None or t_ms < self.oldest_ms:
            self.oldest_ms = t_ms
        if self.newest_ms is None or t_ms > self.newest_ms:
            self.newest_ms = t_ms


class Sizes:
    """Kept by the head with every write. ``samples`` is exact.

    ``span`` reaches at least as far as the samples do, and no further after a pass over all
    series (``begin``, ``see`` for each, ``end``), between whose steps there may be writes.
    """

    def __init__(self) -> None:
        self.samples = 0
        self.span = Span()
        self._passed: Span | None = None

    def wrote(self, t_ms: int, *, grown: int) -> None:
        """A sample was put; ``grown`` is by how many its series became longer."""
        self.samples += grown
        self.span.add(t_ms)
        if self._passed is not None:
            self._passed.add(t_ms)

    def begin(self) -> None:
        """A pass begins; one that did not end is given up."""
        self._passed = Span()

    def see(self, oldest_ms: int, newest_ms: int) -> None:
        """The pass came to a series that holds samples."""
        assert self._passed is not None, "begin() first"
        self._passed.add(oldest_ms)
        self._passed.add(newest_ms)

    def end(self) -> None:
        """The pass has seen every series."""
        assert self._passed is not None, "begin() first"
        self.span, self._passed = self._passed, None
