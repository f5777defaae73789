"""Who makes how many series, and which label is to blame."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import chain
from typing import Final

from alicia.series.labels import LabelSet, service_of

BIRTHS_MAX: Final = 10_000  # new series of one service in one window, before it is named
WINDOW_MS: Final = 10 * 60 * 1000
SERVICES_MAX: Final = 1000  # told apart; what more there are counts as OTHERS
OTHERS: Final = "(others)"
SUSPECTS_MAX: Final = 20  # each costs a search
REFUSED_SHOWN: Final = 500  # refused label sets looked at per service to find the label
REFUSED_KEPT: Final = 2000  # and of all services, in one window


@dataclass(frozen=True, slots=True)
class Culprit:
    """A service that makes too many series, and the label whose values vary most."""

    service: str
    born: int  # in the last window, the refused ones included
    refused: int  # since start
    label: str
    distinct: int  # values of that label


@dataclass(slots=True)
class _Window:
    """What happened in one window; of refused label sets the hashes of their values are kept."""

    born: dict[str, int] = field(default_factory=dict)
    refused: dict[str, list[tuple[tuple[str, int], ...]]] = field(default_factory=dict)
    sets_kept: int = 0

    def keep_refused(self, service: str, labels: LabelSet) -> None:
        seen = self.refused.setdefault(service, [])
        if len(seen) < REFUSED_SHOWN and self.sets_kept < REFUSED_KEPT:
            seen.append(_hashed(labels))
            self.sets_kept += 1


class Cardinality:
    """Counts births of series per service; at most two windows of history are kept."""

    def __init__(self) -> None:
        self._number = 0
        self._window = _Window()
        self._before = _Window()
        self._refused: dict[str, int] = {}

    def born(self, labels: LabelSet, *, now_ms: int) -> None:
        """A series was created."""
        self._turn(now_ms)
        _count(self._window.born, service_of(labels))

    def refused(self, labels: LabelSet, *, now_ms: int) -> None:
        """A series was not created, for a limit."""
        self._turn(now_ms)
        name = _count(self._refused, service_of(labels))
        _count(self._window.born, name)
        self._window.keep_refused(name, labels)

    def suspects(self, *, now_ms: int) -> list[str]:
        """Services that were lately refused series or made more than BIRTHS_MAX in a window.

        The worst first, at most SUSPECTS_MAX.
        """
        self._turn(now_ms)
        known = {*self._window.born, *self._before.born}
        many = (service for service in known if self._recent(service) > BIRTHS_MAX)
        found = {*self._window.refused, *self._before.refused, *many}
        return sorted(found, key=lambda service: (-self._recent(service), service))[:SUSPECTS_MAX]

    def accuse(self, service: str, existing: Iterable[LabelSet]) -> Culprit:
        """Name the label that varies most among a service's series, refused ones included."""
        values: dict[str, set[int]] = {}
        refused = (window.refused.get(service, ()) for window in (self._before, self._window))
        for pairs in chain(map(_hashed, existing), *refused):
            for name, value in pairs:
                values.setdefault(name, set()).add(value)
        label = max(sorted(values), key=lambda name: len(values[name]), default="")
        return Culprit(
            service,
            self._recent(service),
            self._refused.get(service, 0),
            label,
            len(values.get(label, ())),
        )

    def refusals(self) -> Mapping[str, int]:
        """Refused series by service, since start; those of many services together as OTHERS."""
        return dict(self._refused)

    def _recent(self, service: str) -> int:
        return self._window.born.get(service, 0) + self._before.born.get(service, 0)

    def _turn(self, now_ms: int) -> None:
        number = now_ms // WINDOW_MS
        if number != self._number:
            # Two half-old windows together always cover the last full one.
            self._before = self._window if number == self._number + 1 else _Window()
            self._window = _Window()
            self._number = number


def _count(counts: dict[str, int], service: str) -> str:
    """Count one more of a service; returns the name under which it counts."""
    name = service if service in counts or len(counts) < SERVICES_MAX else OTHERS
    counts[name] = counts.get(name, 0) + 1
    return name


def _hashed(labels: LabelSet) -> tuple[tuple[str, int], ...]:
    return tuple((name, hash(value)) for name, value in labels.pairs)
