"""One instant."""

from typing import final


@final
class OnceTrigger:
    """Due at ``at_us`` and never again; ``text`` is that instant as people write it."""

    def __init__(self, at_us: int, *, text: str) -> None:
        self._at_us = at_us
        self._text = text

    def next_after(self, t_us: int) -> int | None:
        """The instant, as long as it lies ahead."""
        return self._at_us if t_us < self._at_us else None

    def count(self, after_us: int, until_us: int) -> int:
        """1 or 0."""
        return int(after_us < self._at_us <= until_us)

    def words(self) -> str:
        """``once, on 2026-03-01 at 12:00``."""
        return f"once, {self._text}"


@final
class NeverTrigger:
    """Due at no time: the event waits for a boot of the machine, a message or a hand."""

    def __init__(self, text: str) -> None:
        self._text = text

    def next_after(self, t_us: int) -> int | None:
        """None."""
        return None

    def count(self, after_us: int, until_us: int) -> int:
        """0."""
        return 0

    def words(self) -> str:
        """What it waits for."""
        return self._text
