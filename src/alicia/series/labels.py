"""Label sets: the identity of a series."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final, final

NAME: Final = "__name__"
SERVICE: Final = "service"
INSTANCE: Final = "instance"
JOB: Final = "job"


@final
class LabelSet(Mapping[str, str]):
    """The identity of a series: immutable label pairs, the metric name under ``__name__``.

    Invariants: names are unique and sorted; no value is empty, since an empty value means
    "label absent". ``hash()`` differs between processes: never store it.

    Source: Prometheus data model; UTF-8 names as in 3.x.
    """

    __slots__ = ("_hash", "_pairs")

    def __init__(self, labels: Mapping[str, str] | Iterable[tuple[str, str]] = ()) -> None:
        items = labels.items() if isinstance(labels, Mapping) else labels
        self._pairs = tuple(sorted((name, value) for name, value in items if value))
        self._hash = hash(self._pairs)

    @property
    def pairs(self) -> tuple[tuple[str, str], ...]:
        """All pairs, sorted by name."""
        return self._pairs

    @property
    def name(self) -> str:
        """The metric name; empty where the set has none."""
        return self.get(NAME, "")

    def without(self, *names: str) -> "LabelSet":
        """A copy that lacks the given labels."""
        return LabelSet((name, value) for name, value in self._pairs if name not in names)

    def merged(self, extra: Mapping[str, str]) -> "LabelSet":
        """A copy in which the pairs of ``extra`` win."""
        return LabelSet({**dict(self._pairs), **extra})

    def __getitem__(self, name: str) -> str:
        for key, value in self._pairs:
            if key == name:
                return value
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        return (name for name, _ in self._pairs)

    def __len__(self) -> int:
        return len(self._pairs)

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        if isinstance(other, LabelSet):
            return self._pairs == other._pairs
        return NotImplemented

    def __lt__(self, other: "LabelSet") -> bool:
        return self._pairs < other._pairs

    def __repr__(self) -> str:
        return f"LabelSet({dict(self._pairs)!r})"

    def __str__(self) -> str:
        inner = ",".join(f'{n}="{escape(v)}"' for n, v in self._pairs if n != NAME)
        return f"{self.name}{{{inner}}}" if inner or not self.name else self.name


def service_of(labels: Mapping[str, str]) -> str:
    """The service that a series belongs to: what it says, else the job of its scraper; or ""."""
    return labels.get(SERVICE) or labels.get(JOB, "")


def escape(value: str) -> str:
    r"""A label value as the exposition formats quote it: ``\``, newline and ``"`` escaped."""
    return value.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')
