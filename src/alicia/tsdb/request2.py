"""Remote-write 2.0 bodies, brought into the form of 1.0."""

from typing import Final

import numpy as np

from alicia.base.limits import BODY_INFLATED_BYTES_MAX
from alicia.tsdb.kernels import protobuf as one
from alicia.tsdb.kernels import protobuf2 as k
from alicia.tsdb.kernels.bits import Bytes, Words
from alicia.tsdb.request import RequestTooLarge, WriteRequest, arrays_for, refuse_defect
from alicia.tsdb.request_metadata import SeriesNotes

SYMBOLS_MAX: Final = 4_000_000
_VERSION: Final = "2.0"


def decode_request2(body: bytes | memoryview) -> WriteRequest:
    """Read a body of remote-write 2.0, already decompressed.

    Raises:
        BadProtobuf: it is no Request, or refers to symbols that are not there.
        RequestTooLarge: it holds more series, samples or symbols than we take, or a few symbols
            so often that the labels would be larger than any body.
    """
    data: Bytes = np.frombuffer(body, np.uint8)
    totals: Words = np.zeros(k.TOTALS, np.int64)
    refuse_defect(k.count_request(data, totals), len(data), _VERSION)
    series, t_ms, values = arrays_for(totals)
    symbols = _symbols(data, int(totals[k.SYMBOL_COUNT]))
    size, defect = k.size_labels(data, symbols)
    refuse_defect(defect, len(data), _VERSION)
    if size > BODY_INFLATED_BYTES_MAX:
        raise RequestTooLarge(f"body: {size} bytes of labels; send the series in parts")
    labels: Bytes = np.empty(size, np.uint8)
    table: Words = np.empty((len(series), k.NOTE_COLUMNS), np.int64)
    refuse_defect(
        k.read_request(data, symbols, labels, series, t_ms, values, table), len(data), _VERSION
    )
    return WriteRequest(
        labels,
        series,
        t_ms,
        values,
        int(totals[one.EXEMPLAR_COUNT]),
        int(totals[one.HISTOGRAM_COUNT]),
        notes=SeriesNotes(data, symbols, table),
    )


def _symbols(data: Bytes, count: int) -> Words:
    if count > SYMBOLS_MAX:
        raise RequestTooLarge(f"body: {count} symbols; send the series in parts")
    symbols: Words = np.empty((count, 2), np.int64)
    refuse_defect(k.read_symbols(data, symbols), len(data), _VERSION)
    return symbols
