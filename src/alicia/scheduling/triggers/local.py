"""The trigger of every rule that names local times."""

from datetime import tzinfo
from typing import Protocol, final

from alicia.scheduling.event import SECOND_US, Dst
from alicia.scheduling.localtime import LocalRule, count_instants, next_instant


class SpokenRule(LocalRule, Protocol):
    """A set of local times that can say what it is."""

    def words(self) -> str:
        """The rule in plain English, without the zone."""
        ...


@final
class LocalTrigger:
    """A local rule in a zone; fits ``trigger.Trigger``."""

    def __init__(self, rule: SpokenRule, zone: tzinfo, *, zone_name: str, dst: Dst) -> None:
        self._rule = rule
        self._zone = zone
        self._zone_name = zone_name
        self._dst = dst

    def next_after(self, t_us: int) -> int | None:
        """The first instant after ``t_us`` exclusive."""
        found = next_instant(self._rule, self._zone, self._dst, t_us // SECOND_US)
        return None if found is None else found * SECOND_US

    def count(self, after_us: int, until_us: int) -> int:
        """Instants after ``after_us`` up to ``until_us``."""
        return count_instants(
            self._rule,
            self._zone,
            self._dst,
            after_s=after_us // SECOND_US,
            until_s=until_us // SECOND_US,
        )

    def words(self) -> str:
        """The rule in plain English, with its zone."""
        return f"{self._rule.words()} ({self._zone_name})"
