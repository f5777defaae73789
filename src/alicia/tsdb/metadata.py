"""What is known of metrics: type, unit, help, per service."""

from typing import Final

from alicia.series.kinds import MetricType, usual_type
from alicia.series.samples import Metadata

COMPOUND_SUFFIXES: Final = ("_bucket", "_count", "_sum")
_COMPOUND: Final = (MetricType.HISTOGRAM, MetricType.SUMMARY)


class MetadataTable:
    """Metadata by service and metric; the last writer wins.

    What is said of a metric of no service ("") holds where nothing is said of a service's own.
    At most ``entries_max`` entries, since peers may describe metrics whose series are refused.
    """

    def __init__(self, *, entries_max: int) -> None:
        self._entries_max = entries_max
        self._known: dict[tuple[str, str], Metadata] = {}

    def describe(self, service: str, metric: str, metadata: Metadata) -> None:
        """Replace what is known of a metric; a new one above the bound stays undescribed."""
        if (service, metric) in self._known or len(self._known) < self._entries_max:
            self._known[service, metric] = metadata

    def forget(self, service: str, metric: str) -> None:
        """The service has no series of this metric any more."""
        self._known.pop((service, metric), None)

    def of(self, service: str, metric: str) -> Metadata:
        """What is known, else what the name suggests."""
        return self._find(service, metric) or Metadata(usual_type(metric))

    def family(self, service: str, series_name: str) -> tuple[str, Metadata]:
        """The metric that a series belongs to: ``x`` for ``x_bucket`` of a histogram ``x``."""
        known = self._find(service, series_name)
        if known is None:
            for suffix in COMPOUND_SUFFIXES:
                base = series_name.removesuffix(suffix)
                whole = self._find(service, base) if base != series_name else None
                if whole is not None and whole.type in _COMPOUND:
                    return base, whole
        return series_name, known or Metadata(usual_type(series_name))

    def _find(self, service: str, metric: str) -> Metadata | None:
        return self._known.get((service, metric)) or self._known.get(("", metric))

    def items(self) -> list[tuple[str, str, Metadata]]:
        """Everything known: service, metric, metadata; sorted."""
        return sorted(
            ((service, metric, data) for (service, metric), data in self._known.items()),
            key=lambda row: row[:2],
        )
