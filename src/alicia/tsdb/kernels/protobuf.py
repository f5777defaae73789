"""Remote-write 1.0 bodies as arrays: where the labels of each series stand, and its samples.

    WriteRequest { repeated TimeSeries timeseries = 1; repeated MetricMetadata metadata = 3; }
    TimeSeries   { repeated Label labels = 1; repeated Sample samples = 2;
                   repeated Exemplar exemplars = 3; repeated Histogram histograms = 4; }
    Sample       { double value = 1; int64 timestamp = 2; }

Fields that we do not know are passed over, as protobuf wants it. Every length is checked before
it is believed. Source: prometheus/prometheus, prompb/types.proto; Protocol Buffers encoding.
"""

from typing import Final

from alicia.tsdb.kernels.bits import Bytes, Words, get_varint, little_word
from alicia.tsdb.kernels.compiled import checked_kernel

VARINT: Final = 0
FIXED64: Final = 1
DELIMITED: Final = 2
FIXED32: Final = 5
_WIRE_TYPE_BITS: Final = 3

SERIES: Final = 1
METADATA: Final = 3
LABELS: Final = 1
SAMPLES: Final = 2
EXEMPLARS: Final = 3
HISTOGRAMS: Final = 4
VALUE: Final = 1
TIMESTAMP: Final = 2

# Columns of ``series``, one row per time series.
LABELS_START: Final = 0
LABELS_END: Final = 1
SAMPLES_END: Final = 2  # rows of samples up to and with this series
SCATTERED: Final = 3  # 1 where something stands between the labels
SERIES_COLUMNS: Final = 4

# Places in ``totals``.
SERIES_COUNT: Final = 0
SAMPLE_COUNT: Final = 1
EXEMPLAR_COUNT: Final = 2
HISTOGRAM_COUNT: Final = 3
METADATA_COUNT: Final = 4
TOTALS: Final = 5


@checked_kernel
def next_field(data: Bytes, place: int, end: int) -> tuple[int, int, int, int]:
    """Number, wire type, start and end of the field at a place; number -1 where it is broken.

    The content of a varint runs to the byte behind it, as that of all others.
    """
    tag, start = get_varint(data, place, end)
    if start < 0 or tag < 0:
        return -1, 0, 0, 0
    number, wire_type = tag >> _WIRE_TYPE_BITS, tag & 7
    stop = start
    if wire_type == VARINT:
        _, stop = get_varint(data, start, end)
    elif wire_type == FIXED64:
        stop = start + 8
    elif wire_type == FIXED32:
        stop = start + 4
    elif wire_type == DELIMITED:
        size, start = get_varint(data, start, end)
        if start < 0 or size < 0 or size > end - start:
            return -1, 0, 0, 0
        stop = start + size
    else:
        return -1, 0, 0, 0
    if number < 1 or stop < start or stop > end:
        return -1, 0, 0, 0
    return number, wire_type, start, stop


@checked_kernel
def count_request(data: Bytes, totals: Words) -> int:
    """Count what a body holds into ``totals`` (int64[TOTALS]); -1, or the place of a defect."""
    totals[:] = 0
    place = 0
    while place < len(data):
        number, wire_type, start, end = next_field(data, place, len(data))
        if number < 0:
            return place
        if number == METADATA:
            totals[METADATA_COUNT] += 1
        if number == SERIES:
            if wire_type != DELIMITED:
                return place
            totals[SERIES_COUNT] += 1
            defect = _count_series(data, start, end, totals)
            if defect >= 0:
                return defect
        place = end
    return -1


@checked_kernel
def _count_series(data: Bytes, place: int, end: int, totals: Words) -> int:
    while place < end:
        number, wire_type, _, stop = next_field(data, place, end)
        if number < 0:
            return place
        if LABELS <= number <= HISTOGRAMS and wire_type != DELIMITED:
            return place
        if number == SAMPLES:
            totals[SAMPLE_COUNT] += 1
        elif number == EXEMPLARS:
            totals[EXEMPLAR_COUNT] += 1
        elif number == HISTOGRAMS:
            totals[HISTOGRAM_COUNT] += 1
        place = stop
    return -1


@checked_kernel
def read_request(data: Bytes, series: Words, t_ms: Words, values: Words) -> int:
    """Read a body that count_request() went through; -1, or the place of a defect.

    ``series``: int64[SERIES_COUNT, SERIES_COLUMNS]; ``t_ms``, ``values``: int64[SAMPLE_COUNT].
    """
    place, row, samples = 0, 0, 0
    while place < len(data):
        number, _, start, end = next_field(data, place, len(data))
        if number == SERIES:
            defect, samples = _read_series(data, (start, end), series[row], t_ms, values, samples)
            if defect >= 0:
                return defect
            row += 1
        place = end
    return -1


@checked_kernel
def _read_series(
    data: Bytes, span: tuple[int, int], row: Words, t_ms: Words, values: Words, samples: int
) -> tuple[int, int]:
    place, end = span
    row[LABELS_START] = row[LABELS_END] = place
    row[SCATTERED] = 0
    while place < end:
        number, _, start, stop = next_field(data, place, end)
        if number == LABELS:
            if row[LABELS_END] == row[LABELS_START]:
                row[LABELS_START] = place
            elif row[LABELS_END] != place:
                row[SCATTERED] = 1
            row[LABELS_END] = stop
        elif number == SAMPLES:
            if not _read_sample(data, start, stop, t_ms[samples:], values[samples:]):
                return place, samples
            samples += 1
        place = stop
    row[SAMPLES_END] = samples
    return -1, samples


@checked_kernel
def _read_sample(data: Bytes, place: int, end: int, t_ms: Words, values: Words) -> bool:
    t_ms[0] = values[0] = 0
    while place < end:
        number, wire_type, start, stop = next_field(data, place, end)
        if number < 0:
            return False
        if number == VALUE:
            if wire_type != FIXED64:
                return False
            values[0] = little_word(data, start)
        elif number == TIMESTAMP:
            if wire_type != VARINT:
                return False
            t_ms[0], _ = get_varint(data, start, stop)
        place = stop
    return True
