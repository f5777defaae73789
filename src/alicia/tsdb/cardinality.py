"""Who makes how many series, and which label is to blame."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from alicia.series.labels import SERVICE, LabelSet

BIRTHS_MAX: Final = 10_000  # new series of one service in one window, before it is named
WINDOW_MS: Final = 10 * 60 * 1000
REFUSED_SHOWN: Final = 1000  # refused label sets looked at per service to find the label


@dataclass(frozen=True, slots=True)
class Culprit:
    """A service that makes too many series, and the label whose values vary most."""

    service: str
    born: int  # in the last window, the refused ones included
    refused: int  # since start
    label: str
    distinct: int  # values of that label


class Cardinality:
    """Counts births of series per service; at most two windows of history are kept."""

    def __init__(self) -> None:
        self._window = 0
        self._born: dict[str, int] = {}
        self._born_before: dict[str, int] = {}
        self._refused: dict[str, int] = {}
        self._refused_sets: dict[str, list[LabelSet]] = {}

    def born(self, labels: LabelSet, *, now_ms: int) -> None:
        """A series was created."""
        self._turn(now_ms)
        service = labels.get(SERVICE, "")
        self._born[service] = self._born.get(service, 0) + 1

    def refused(self, labels: LabelSet, *, now_ms: int) -> None:
        """A series was not created, for a limit."""
        self.born(labels, now_ms=now_ms)
        service = labels.get(SERVICE, "")
        self._refused[service] = self._refused.get(service, 0) + 1
        seen = self._refused_sets.setdefault(service, [])
        if len(seen) < REFUSED_SHOWN:
            seen.append(labels)

    def suspects(self, *, now_ms: int) -> list[str]:
        """Services that were refused series or made more than BIRTHS_MAX in a window."""
        self._turn(now_ms)
        known = {*self._born, *self._born_before}
        return sorted(
            {*self._refused, *(service for service in known if self._recent(service) > BIRTHS_MAX)}
        )

    def accuse(self, service: str, existing: Iterable[LabelSet]) -> Culprit:
        """Name the label that varies most among a service's series, refused ones included."""
        values: dict[str, set[str]] = {}
        for labels in (*existing, *self._refused_sets.get(service, ())):
            for name, value in labels.pairs:
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
        """Refused series by service, since start."""
        return dict(self._refused)

    def _recent(self, service: str) -> int:
        return self._born.get(service, 0) + self._born_before.get(service, 0)

    def _turn(self, now_ms: int) -> None:
        window = now_ms // WINDOW_MS
        if window != self._window:
            # Two half-old windows together always cover the last full one.
            self._born_before = self._born if window == self._window + 1 else {}
            self._born = {}
            self._window = window
