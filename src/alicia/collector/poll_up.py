"""``up``: the fleet's judgement as a series, for rules and charts."""

from collections.abc import Mapping
from typing import Final

from alicia.fleet.words import Word
from alicia.series.labels import INSTANCE, NAME, SERVICE, LabelSet
from alicia.series.samples import STALE, Sample
from alicia.tsdb.head import Batch
from alicia.tsdb.store import Store

_VALUES: Final = {Word.UP: 1.0, Word.DEGRADED: 1.0, Word.DOWN: 0.0}


class UpSeries:
    """Writes 1 or 0 for every instance that can be judged, a marker where it no longer can."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._written: dict[LabelSet, float] = {}

    def write(
        self, words: Mapping[str, Mapping[str, Word]], now_ms: int, *, changed_only: bool
    ) -> None:
        """Write the words of all instances, by service and instance."""
        found = {
            LabelSet({NAME: "up", SERVICE: service, INSTANCE: instance}): _VALUES[word]
            for service, each in words.items()
            for instance, word in each.items()
            if word in _VALUES
        }
        due = {
            labels: value
            for labels, value in found.items()
            if not changed_only or self._written.get(labels) != value
        }
        due |= dict.fromkeys(self._written.keys() - found.keys(), STALE)
        self._written = found
        if due:
            samples = [Sample(labels, now_ms, value) for labels, value in due.items()]
            self._store.write(Batch(samples, now_ms))
