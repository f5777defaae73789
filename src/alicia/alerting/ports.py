"""What alerting needs of others: elements of a vector, a reader of conditions, a store."""

from collections.abc import Callable, Sequence
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


class Notice(Protocol):
    """A message about a change, stored with it and kept until the broker took it."""

    @property
    def message_id(self) -> str:
        """Unique, and the same in every repetition."""
        ...

    @property
    def topic(self) -> str:
        """Where it goes."""
        ...

    @property
    def body(self) -> bytes:
        """What is said."""
        ...


class AlertStore(Protocol):
    """Rules, states and silences that survive a kill.

    Every call returns after the commit; a call that raises stored nothing.
    """

    async def load_rules(self) -> dict[str, Rule]:
        """All rules by name."""
        ...

    async def add_rule(self, rule: Rule) -> None:
        """Store a new rule.

        Raises:
            Conflict: the name is in use.
        """
        ...

    async def replace_rule(self, rule: Rule) -> None:
        """Store a rule over the one of its name."""
        ...

    async def delete_rule(self, name: str) -> None:
        """Remove a rule; its memory stays until it is saved without the rule's alerts."""
        ...

    async def add_defaults(self, rules: Sequence[Rule]) -> None:
        """Store the default rules once in the life of the data; deleted ones stay deleted."""
        ...

    async def load_memories(self) -> dict[str, RuleMemory]:
        """What every rule remembers, by name."""
        ...

    async def save(self, name: str, memory: RuleMemory, notices: Sequence[Notice]) -> None:
        """Store what a rule remembers and the notices of its changes, in one transaction."""
        ...

    async def load_silences(self) -> dict[str, Silence]:
        """All silences by id."""
        ...

    async def save_silence(self, silence: Silence) -> None:
        """Store a silence, new or changed."""
        ...

    async def delete_silence(self, silence_id: str) -> None:
        """Remove a silence."""
        ...
