"""Which series make a family together, so that every reader accepts the whole text.

Source: metrics.md §10.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from alicia.series.kinds import MetricType
from alicia.series.labels import LabelSet
from alicia.series.samples import Metadata
from alicia.wire.families import legacy_name

FamilyOf = Callable[[LabelSet], tuple[str, Metadata]]
_NAMELESS: Final = "_total"  # a counter of this name has none without its suffix
_COMPOUND: Final = (MetricType.HISTOGRAM, MetricType.SUMMARY)
# Names that readers take for parts of a histogram or summary of the name before them.
_CLAIMED: Final = ("_bucket", "_count", "_sum", "_created")


@dataclass(slots=True)
class FamilyPlan:
    """The series of one family to be; ``types`` are what their services say of it."""

    name: str
    types: set[MetricType] = field(default_factory=set)
    help: str = ""
    unit: str = ""
    series: list[LabelSet] = field(default_factory=list)

    @property
    def type(self) -> MetricType:
        """The one type that all agree on, once families() has seen to that."""
        (only,) = self.types
        return only

    def add(self, labels: LabelSet, metadata: Metadata) -> None:
        """Take in one more series; the first help and unit that anybody gives are shown."""
        self.types.add(metadata.type)
        self.help = self.help or metadata.help
        self.unit = self.unit or metadata.unit
        self.series.append(labels)


class FamilyPlanner:
    """Groups series by family; they may be added little by little.

    ``legacy_names`` turns characters outside ``[a-zA-Z0-9_:]`` into underscores.
    """

    def __init__(self, family_of: FamilyOf, *, legacy_names: bool) -> None:
        self._family_of = family_of
        self._legacy_names = legacy_names
        self._plans: dict[str, FamilyPlan] = {}

    def add(self, series: Iterable[LabelSet]) -> None:
        """Take in some more series."""
        for labels in series:
            name, metadata = self._family_of(labels)
            if name == _NAMELESS and metadata.type is MetricType.COUNTER:
                metadata = Metadata(MetricType.UNKNOWN, help=metadata.help)
            self._plan(name).add(labels, metadata)

    def families(self) -> list[FamilyPlan]:
        """All families, sorted by name.

        A family has one type, and no other bears the name of one of its parts. Where services
        disagree about that, each series stands for itself, of unknown type.
        """
        while clashing := list(self._clashing()):
            for name in clashing:
                plan = self._plans.pop(name)
                for labels in plan.series:
                    unknown = Metadata(MetricType.UNKNOWN, help=plan.help)
                    self._plan(labels.name).add(labels, unknown)
        return [self._plans[name] for name in sorted(self._plans)]

    def _plan(self, name: str) -> FamilyPlan:
        shown = legacy_name(name) if self._legacy_names else name
        plan = self._plans.get(shown)
        if plan is None:
            plan = self._plans[shown] = FamilyPlan(shown)
        return plan

    def _clashing(self) -> Iterator[str]:
        for name, plan in self._plans.items():
            parts = _CLAIMED if plan.types.intersection(_COMPOUND) else ()
            if len(plan.types) > 1 or any(name + part in self._plans for part in parts):
                yield name
