"""Remote-write bodies: from bytes to arrays that the store can take as they are."""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import ClassVar, Final, NamedTuple

import numpy as np

from alicia.base.errors import AliciaError, Kind
from alicia.base.limits import LABEL_VALUE_BYTES_MAX, LABELS_MAX, NAME_BYTES_MAX
from alicia.series.labels import NAME, SERVICE, LabelSet
from alicia.series.samples import Metadata
from alicia.tsdb.identity import BadKey, decode_pairs, encode_labels
from alicia.tsdb.kernels import protobuf as k
from alicia.tsdb.kernels.bits import Bytes, Words
from alicia.tsdb.request_metadata import METADATA_MAX, SeriesNotes, decode_metadata

REQUEST_SERIES_MAX: Final = 1_000_000  # what the arrays of one request may need is bounded
REQUEST_SAMPLES_MAX: Final = 4_000_000
_SERIES_BYTES: Final = 64  # that a series is taken to need, for a first guess at their number
_EXPORTED_SERVICE: Final = f"exported_{SERVICE}"
_KEY_BYTES_MAX: Final = LABELS_MAX * (NAME_BYTES_MAX + LABEL_VALUE_BYTES_MAX + 16)
_HELD_TAG: Final = b"\x12"  # no label begins with it, so that no other sender has such keys
_SHOWN_CHARS: Final = 64


class BadProtobuf(AliciaError):
    """The bytes are no write request; the message names the place of the defect."""

    code: ClassVar[str] = "bad_protobuf"
    kind: ClassVar[Kind] = Kind.BAD_INPUT


class RequestTooLarge(AliciaError):
    """The request holds more series or samples than we take at once."""

    code: ClassVar[str] = "request_too_large"
    kind: ClassVar[Kind] = Kind.LIMIT


class BadLabels(Exception):
    """A series of a request cannot be stored for its labels; callers see a reject."""

    def __init__(self, detail: str, *, code: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


class WriteRequest(NamedTuple):
    """Series with their samples; ``series`` has the columns of ``kernels.protobuf``.

    ``histograms`` and ``exemplars`` are numbers of what we do not store. ``metadata`` is what
    1.0 says of metrics, ``notes`` what 2.0 says of series. With a ``service`` the sender speaks
    for that one only: its series carry this label, whatever they claim. ``before`` counts the
    series of the same body that stand in earlier parts.
    """

    data: Bytes
    series: Words
    t_ms: Words
    values: Words
    exemplars: int = 0
    histograms: int = 0
    metadata: Mapping[str, Metadata] = MappingProxyType({})
    notes: SeriesNotes | None = None
    service: str = ""
    before: int = 0

    @property
    def spans(self) -> Words:
        """Where the key of each series starts and ends in ``data``."""
        return self.series[:, : k.LABELS_END + 1]

    @property
    def counts(self) -> Words:
        """How many samples each series has."""
        return np.diff(self.series[:, k.SAMPLES_END], prepend=0)

    def samples_of(self, row: int) -> slice:
        """The places of a series' samples."""
        start = self.series[row - 1, k.SAMPLES_END] if row else 0
        return slice(int(start), int(self.series[row, k.SAMPLES_END]))

    def key(self, row: int) -> bytes:
        """The bytes under which a series is looked up."""
        start, end = self.series[row, k.LABELS_START], self.series[row, k.LABELS_END]
        return self.data[start:end].tobytes()

    def label_set(self, row: int) -> LabelSet:
        """The labels of a series, checked.

        Raises:
            BadLabels: ``bad_name``, ``bad_label``, ``too_many_labels``, ``label_too_long``.
        """
        key = self.key(row)
        if self.series[row, k.SCATTERED]:
            key = _only_labels(key)
        if not self.service:
            return _checked(key)
        labels = _checked(key.removesuffix(_held(self.service)))
        claimed = labels.get(SERVICE, "")
        kept = {_EXPORTED_SERVICE: claimed} if claimed not in ("", self.service) else {}
        return labels.merged({**kept, SERVICE: self.service})

    def held_to(self, service: str) -> "WriteRequest":
        """The same of a sender that speaks for one service only, under keys of its own."""
        content, mark = self.data.tobytes(), _held(service)
        spans = self.spans.tolist()
        keys = [
            (_only_labels(content[start:end]) if scattered else content[start:end]) + mark
            for (start, end), scattered in zip(
                spans, self.series[:, k.SCATTERED].tolist(), strict=True
            )
        ]
        series = self.series.copy()
        series[:, k.LABELS_END] = np.cumsum([len(key) for key in keys])
        series[:, k.LABELS_START] = np.insert(series[:-1, k.LABELS_END], 0, 0)[: len(keys)]
        series[:, k.SCATTERED] = 0
        data: Bytes = np.frombuffer(b"".join(keys), np.uint8)
        return self._replace(data=data, series=series, service=service)

    def parts(self, *, series_max: int, samples_max: int) -> Iterator["WriteRequest"]:
        """The same in pieces, in order; what is not about samples goes with the first one."""
        if len(self.series) <= series_max and len(self.t_ms) <= samples_max:
            yield self
            return
        piece = self
        for first in range(0, max(len(self.series), 1), series_max):
            series = self.series[first : first + series_max]
            start = int(self.series[first - 1, k.SAMPLES_END]) if first else 0
            end = int(series[-1, k.SAMPLES_END]) if len(series) else 0
            notes = self.notes and self.notes.part(first, first + series_max)
            for low in range(start, max(end, start + 1), samples_max):
                high = min(low + samples_max, end)
                rows = series.copy()
                rows[:, k.SAMPLES_END] = np.clip(rows[:, k.SAMPLES_END], low, high) - low
                yield piece._replace(
                    series=rows,
                    t_ms=self.t_ms[low:high],
                    values=self.values[low:high],
                    notes=notes,
                    before=first,
                )
                piece = self._replace(exemplars=0, histograms=0, metadata=MappingProxyType({}))


def decode_request(body: bytes | memoryview) -> WriteRequest:
    """Read a body of remote-write 1.0, already decompressed.

    Raises:
        BadProtobuf: it is no WriteRequest.
        RequestTooLarge: it holds more than REQUEST_SERIES_MAX series or REQUEST_SAMPLES_MAX.
    """
    data: Bytes = np.frombuffer(body, np.uint8)
    guess = min(len(data) // _SERIES_BYTES + 1, REQUEST_SERIES_MAX)
    totals: Words = np.full(k.TOTALS, guess, np.int64)
    request = _read(data, totals) or _read(data, totals)
    assert request is not None, "the second time the counts are known"
    return request


def _read(data: Bytes, totals: Words) -> WriteRequest | None:
    """Read with room for ``totals``, which become the true ones; None where it was too little."""
    series, t_ms, values = arrays_for(totals)
    spans: Words = np.empty((min(int(totals[k.METADATA_COUNT]), METADATA_MAX), 2), np.int64)
    defect = k.read_request(data, series, t_ms, values, spans, totals)
    refuse_defect(defect, len(data), "1.0")
    series_count, samples, exemplars, histograms, described = totals.tolist()
    described = min(described, METADATA_MAX)
    if series_count > len(series) or samples > len(t_ms) or described > len(spans):
        return None
    return WriteRequest(
        data,
        series[:series_count],
        t_ms[:samples],
        values[:samples],
        exemplars,
        histograms,
        decode_metadata(data, spans[:described]) if described else MappingProxyType({}),
    )


def arrays_for(totals: Words) -> tuple[Words, Words, Words]:
    """Room for the series of a body, their times and their values.

    Raises:
        RequestTooLarge: it holds more than REQUEST_SERIES_MAX series or REQUEST_SAMPLES_MAX.
    """
    series, samples = int(totals[k.SERIES_COUNT]), int(totals[k.SAMPLE_COUNT])
    if series > REQUEST_SERIES_MAX or samples > REQUEST_SAMPLES_MAX:
        raise RequestTooLarge(
            f"body: {series} series with {samples} samples are more than {REQUEST_SERIES_MAX}"
            f" with {REQUEST_SAMPLES_MAX}; send them in parts"
        )
    t_ms, values = np.empty((2, samples), np.int64)
    return np.empty((series, k.SERIES_COLUMNS), np.int64), t_ms, values


def refuse_defect(place: int, size: int, version: str) -> None:
    """Raise where a kernel found a defect.

    Raises:
        BadProtobuf: ``place`` is not -1.
    """
    if place >= 0:
        raise BadProtobuf(
            f"body: no remote-write {version} message from byte {place} of {size} on;"
            " send protobuf, snappy-compressed"
        )


def _checked(key: bytes) -> LabelSet:
    """The label set of a sender's bytes, within the limits of contract.md §6."""
    pairs: dict[str, str] = {}
    try:
        if len(key) > _KEY_BYTES_MAX:
            raise BadLabels(
                f"labels: more than {_KEY_BYTES_MAX} bytes; shorten", code="label_too_long"
            )
        for name, value in decode_pairs(key):
            _check_label(name, value, pairs)
            pairs[name] = value
    except BadKey as error:
        raise BadLabels(f"labels: {error}", code="bad_label") from None
    labels = LabelSet(pairs)
    if not labels.name:
        raise BadLabels(f"{NAME}: is missing or empty; every series needs one", code="bad_name")
    return labels


def _check_label(name: str, value: str, before: Mapping[str, str]) -> None:
    if not name:
        raise BadLabels("labels: a name is empty", code="bad_label")
    if name in before:
        raise BadLabels(f"labels: {name[:_SHOWN_CHARS]!r} is there twice", code="bad_label")
    if len(before) > LABELS_MAX:  # of which one is the metric's name
        raise BadLabels(f"labels: more than {LABELS_MAX}; send fewer", code="too_many_labels")
    if len(name.encode()) > NAME_BYTES_MAX:
        raise BadLabels(f"labels: a name of more than {NAME_BYTES_MAX} bytes", code="bad_label")
    if name == NAME and len(value.encode()) > NAME_BYTES_MAX:
        raise BadLabels(f"{NAME}: more than {NAME_BYTES_MAX} bytes; shorten it", code="bad_name")
    if len(value.encode()) > LABEL_VALUE_BYTES_MAX:
        raise BadLabels(
            f"labels.{name[:_SHOWN_CHARS]}: more than {LABEL_VALUE_BYTES_MAX} bytes; shorten it",
            code="label_too_long",
        )


def _held(service: str) -> bytes:
    return _HELD_TAG + encode_labels(LabelSet({SERVICE: service}))


def _only_labels(content: bytes) -> bytes:
    """The label fields among others."""
    data: Bytes = np.frombuffer(content, np.uint8)
    found, place = bytearray(), 0
    while place < len(data):
        number, _, _, end = k.next_field(data, place, len(data))
        assert number > 0, "the body was read before"
        if number == k.LABELS:
            found += content[place:end]
        place = end
    return bytes(found)
