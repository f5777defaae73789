"""What write requests say of metrics: type, unit and help."""

from collections.abc import Mapping
from typing import Final, NamedTuple

from alicia.base.limits import NAME_BYTES_MAX
from alicia.series.kinds import MetricType
from alicia.series.samples import Metadata
from alicia.tsdb.kernels import protobuf as k
from alicia.tsdb.kernels.bits import Bytes, Words, get_varint

METADATA_MAX: Final = 10_000  # of one request; what more there is stays unknown
_TEXT_BYTES_MAX: Final = 1024
_TYPE: Final = 1
_FAMILY: Final = 2
_HELP: Final = 4
_UNIT: Final = 5

# The numbers are those of both versions. Gauge histograms (4) and what is new stay unknown.
_TYPES: Final[Mapping[int, MetricType]] = {
    1: MetricType.COUNTER,
    2: MetricType.GAUGE,
    3: MetricType.HISTOGRAM,
    5: MetricType.SUMMARY,
    6: MetricType.GAUGE,  # an info is always 1
    7: MetricType.GAUGE,  # a state set is 0 or 1
}


class SeriesNotes(NamedTuple):
    """Metadata of the series of a 2.0 request; ``table`` has the columns of the kernel."""

    data: Bytes
    symbols: Words
    table: Words

    def part(self, first: int, end: int) -> "SeriesNotes":
        """Those of some series."""
        return self._replace(table=self.table[first:end])

    def of(self, row: int) -> Metadata | None:
        """What is said of a series; None where nothing is."""
        kind, help_ref, unit_ref = self.table[row].tolist()
        if kind < 0:
            return None
        return Metadata(_type(kind), self._symbol(unit_ref), self._symbol(help_ref))

    def _symbol(self, ref: int) -> str:
        start, end = self.symbols[ref]
        return _text(self.data, int(start), int(end))


def decode_metadata(data: Bytes, spans: Words) -> dict[str, Metadata]:
    """The MetricMetadata messages at these places, by metric; what is broken is left out."""
    found: dict[str, Metadata] = {}
    for start, end in spans.tolist():
        family, metadata = _one(data, start, end)
        if 0 < len(family.encode()) <= NAME_BYTES_MAX:
            found[family] = metadata
    return found


def _one(data: Bytes, place: int, end: int) -> tuple[str, Metadata]:
    texts: dict[int, str] = {}
    kind = 0
    while place < end:
        number, wire_type, start, stop = k.next_field(data, place, end)
        if number < 0:
            return "", Metadata(MetricType.UNKNOWN)
        if number == _TYPE and wire_type == k.VARINT:
            kind = int(get_varint(data, start, stop)[0])
        elif wire_type == k.DELIMITED:
            texts[number] = _text(data, start, stop)
        place = stop
    about = Metadata(_type(kind), texts.get(_UNIT, ""), texts.get(_HELP, ""))
    return texts.get(_FAMILY, ""), about


def _type(number: int) -> MetricType:
    return _TYPES.get(number, MetricType.UNKNOWN)


def _text(data: Bytes, start: int, end: int) -> str:
    """A text, cut at a bound; what is not UTF-8 is left out, since it is only shown."""
    return data[start : min(end, start + _TEXT_BYTES_MAX)].tobytes().decode(errors="ignore")
