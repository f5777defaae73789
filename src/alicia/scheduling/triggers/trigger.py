"""What every trigger is: a pure mapping from an instant to the first due instant after it."""

from typing import Protocol


class Trigger(Protocol):
    """Due instants of one event, microseconds UTC, strictly ascending; equal on every node."""

    def next_after(self, t_us: int) -> int | None:
        """The first due instant after ``t_us`` exclusive; None after the last one."""
        ...

    def count(self, after_us: int, until_us: int) -> int:
        """How many instants lie after ``after_us`` exclusive up to ``until_us`` inclusive.

        Costs far less than walking them, so that years of missed instants are cheap.
        """
        ...

    def words(self) -> str:
        """The schedule in plain English, without bounds."""
        ...
