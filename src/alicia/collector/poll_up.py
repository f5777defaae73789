"""``up``: the fleet's judgement as a series, for rules and charts."""

from collections.abc import Mapping

from alicia.collector.store_thread import Writer
from alicia.series.labels import INSTANCE, NAME, SERVICE, LabelSet
from alicia.series.samples import STALE, Sample
from alicia.tsdb.store import Batch


class UpSeries:
    """Writes 1 or 0 for every instance that can be judged, a marker where it no longer can."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self._written: dict[LabelSet, float] = {}

    def write(
        self, judged: Mapping[str, Mapping[str, bool]], now_ms: int, *, changed_only: bool
    ) -> None:
        """Write who is up and who is not, by service and instance."""
        found = {
            LabelSet({NAME: "up", SERVICE: service, INSTANCE: instance}): float(up)
            for service, each in judged.items()
            for instance, up in each.items()
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
            self._writer.post(Batch(samples, now_ms))
