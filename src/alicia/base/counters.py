"""Named counters of one process: what was taken, refused and dropped, by stable code."""

from collections import Counter
from collections.abc import Mapping


class Counters:
    """Counts by family and label; owned by one thread, snapshots may be handed on.

    A family is a metric name without prefix and suffix (``rejected``), a label is the stable
    code that tells its members apart (``bad_value``).
    """

    def __init__(self) -> None:
        self._families: dict[str, Counter[str]] = {}

    def add(self, family: str, label: str = "", count: int = 1) -> None:
        """Count ``count`` more under the label."""
        try:
            self._families[family][label] += count
        except KeyError:  # once per family; this runs for every message
            self._families[family] = Counter({label: count})

    def total(self, family: str) -> int:
        """The sum over all labels of a family; 0 where it never counted."""
        return sum(self._families.get(family, {}).values())

    def by_label(self, family: str) -> Mapping[str, int]:
        """A copy of one family."""
        return dict(self._families.get(family, {}))

    def snapshot(self) -> Mapping[str, Mapping[str, int]]:
        """A copy of everything."""
        return {family: dict(labels) for family, labels in self._families.items()}
