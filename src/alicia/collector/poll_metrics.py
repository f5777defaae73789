"""Who sends metrics: services may do nothing else, and belong to the fleet all the same."""

from collections.abc import Iterable, Mapping
from typing import Final

from alicia.base.counters import Counters
from alicia.tsdb.store import Store

SENDERS_KEPT: Final = 2000  # instances noted between two looks

Sender = tuple[str, str]  # service and instance, as the labels of its series


class MetricSenders:
    """Notes whose samples are written; the fleet takes the notes once a second.

    Names are chosen by peers, so what is kept is bounded. Family counted: ``services`` by
    ``overflow``.
    """

    def __init__(self, store: Store, counters: Counters) -> None:
        self._store = store
        self._counters = counters
        self._noted: dict[Sender, int] = {}

    def note(self, senders: Iterable[Sender], at_ms: int) -> None:
        """Samples came in; some of them may have been refused."""
        for sender in senders:
            if len(self._noted) < SENDERS_KEPT or sender in self._noted:
                self._noted[sender] = at_ms
            else:
                self._counters.add("services", "overflow")

    def take(self) -> Mapping[Sender, int]:
        """Instances of which samples are stored, and when they last came, since the last call."""
        noted, self._noted = self._noted, {}
        return {sender: at_ms for sender, at_ms in noted.items() if self.has_series(sender[0])}

    def has_series(self, service: str) -> bool:
        """Whether the store holds any series of a service."""
        return bool(self._store.series_per_service().get(service))
