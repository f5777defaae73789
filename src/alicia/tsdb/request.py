"""Remote-write 1.0 bodies: from bytes to arrays that the store can take as they are."""

from typing import ClassVar, NamedTuple

import numpy as np

from alicia.base.errors import AliciaError, Kind
from alicia.tsdb.kernels import protobuf as k
from alicia.tsdb.kernels.bits import Bytes, Words


class BadProtobuf(AliciaError):
    """The bytes are no WriteRequest; the message names the place of the defect."""

    code: ClassVar[str] = "bad_protobuf"
    kind: ClassVar[Kind] = Kind.BAD_INPUT


class WriteRequest(NamedTuple):
    """Series with their samples; ``series`` has the columns of ``kernels.protobuf``.

    ``histograms`` and ``exemplars`` are numbers of what we do not store; ``metadata`` are the
    places of the MetricMetadata messages in ``data``.
    """

    data: Bytes
    series: Words
    t_ms: Words
    values: Words
    exemplars: int
    histograms: int

    @property
    def counts(self) -> Words:
        """How many samples each series has."""
        return np.diff(self.series[:, k.SAMPLES_END], prepend=0)

    def labels(self, row: int) -> bytes:
        """The label fields of a series, as they came."""
        start, end = self.series[row, k.LABELS_START], self.series[row, k.LABELS_END]
        content = self.data[start:end].tobytes()
        return _only_labels(content) if self.series[row, k.SCATTERED] else content


def decode_request(body: bytes) -> WriteRequest:
    """Read a body, already decompressed.

    Raises:
        BadProtobuf: it is no WriteRequest.
    """
    data: Bytes = np.frombuffer(body, np.uint8)
    totals: Words = np.zeros(k.TOTALS, np.int64)
    defect = k.count_request(data, totals)
    if defect < 0:
        series: Words = np.zeros((totals[k.SERIES_COUNT], k.SERIES_COLUMNS), np.int64)
        t_ms, values = np.zeros((2, totals[k.SAMPLE_COUNT]), np.int64)
        defect = k.read_request(data, series, t_ms, values)
        if defect < 0:
            return WriteRequest(
                data,
                series,
                t_ms,
                values,
                int(totals[k.EXEMPLAR_COUNT]),
                int(totals[k.HISTOGRAM_COUNT]),
            )
    raise BadProtobuf(
        f"body: no remote-write 1.0 message from byte {defect} of {len(body)} on;"
        " send protobuf, snappy-compressed"
    )


def _only_labels(content: bytes) -> bytes:
    """The label fields among others."""
    data: Bytes = np.frombuffer(content, np.uint8)
    found, place = b"", 0
    while place < len(data):
        number, _, _, end = k.next_field(data, place, len(data))
        assert number > 0, "the body was read before"
        if number == k.LABELS:
            found += content[place:end]
        place = end
    return found
