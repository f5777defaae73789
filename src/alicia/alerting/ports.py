"""What alerting needs of others: elements of a vector, a reader of conditions, a store."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from alicia.alerting.memory import RuleMemory
from alicia.alerting.rule import Rule
from alicia.alerting.silence import Silence
from alicia.series.labels import LabelSet


class Element(Protocol):
    """One series of an evaluated expression at one instant.

    ``sample_ms``: time of the newest sample behind the value.
    """

    @property
    def labels(self) -> LabelSet:
        """All labels, the name included where the expression kept it."""
        ...

    @property
    def value(self) -> float:
        """The value; NaN is possible and compares as false."""
        ...

    @property
    def sample_ms(self) -> int:
        """At or before the instant of the evaluation."""
        ...


# Whether a label set belongs to a service that said good-bye, so that nobody misses it.
Departed = Callable[[LabelSet], bool]


@dataclass(frozen=True, slots=True)
class Notice:
    """A message about a change, stored with it and kept until the broker took it.

    ``message_id`` is unique, and the same in every repetition.
    """

    message_id: str
    topic: str
    body: bytes


class AlertStore(Protocol):
    """Rules, what they remember, silences, and notices not yet taken; all survive a kill.

    Every call returns after the commit; a call that raises stored nothing.
    """

    async def load_rules(self) -> dict[str, Rule]:
        """All rules by name."""
        ...

    async def load_memories(self) -> dict[str, RuleMemory]:
        """What every rule remembers, by name; also of rules that are gone."""
        ...

    async def load_silences(self) -> dict[str, Silence]:
        """All silences by id."""
        ...

    async def load_notices(self) -> list[Notice]:
        """All notices, oldest first."""
        ...

    async def add_defaults(self, rules: Sequence[Rule]) -> bool:
        """Store the default rules once in the life of the data; deleted ones stay deleted.

        Rules of the same name stay as they are. False: it was done before.
        """
        ...

    async def add_rule(self, rule: Rule) -> None:
        """Store a new rule.

        Raises:
            Conflict: the name is in use.
        """
        ...

    async def replace_rule(self, rule: Rule, memory: RuleMemory, notices: Sequence[Notice]) -> None:
        """Store a rule over the one of its name, with what it remembers from now on."""
        ...

    async def delete_rule(self, name: str, memory: RuleMemory, notices: Sequence[Notice]) -> None:
        """Remove a rule and store how its alerts ended."""
        ...

    async def save(self, name: str, memory: RuleMemory, notices: Sequence[Notice]) -> None:
        """Store what a rule remembers and the notices of its changes, in one transaction.

        An empty memory removes the row.
        """
        ...

    async def settle_notices(self, message_ids: Sequence[str]) -> None:
        """Forget notices that the broker took or that were given up."""
        ...

    async def save_silence(self, silence: Silence) -> None:
        """Store a silence, new or changed."""
        ...

    async def delete_silences(self, silence_ids: Sequence[str]) -> None:
        """Remove silences."""
        ...
