"""Remote-write 1.0 bodies as arrays: where the labels of each series stand, and its samples.

    WriteRequest { repeated TimeSeries timeseries = 1; repeated MetricMetadata metadata = 3; }
    TimeSeries   { repeated Label labels = 1; repeated Sample samples = 2;
                   repeated Exemplar exemplars = 3; repeated Histogram histograms = 4; }
    Sample       { double value = 1; int64 timestamp = 2; }

Fields that we do not know are passed over, as protobuf wants it. Every length is checked before
it is believed. Source: prometheus/prometheus, prompb/types.proto; Protocol Buffers encoding.
"""

from typing import Final

from alicia.tsdb.kernels.bits import Bytes, Words, get_varint, little_word, signed
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

_LABEL_TAG: Final = LABELS << _WIRE_TYPE_BITS | DELIMITED
_VALUE_TAG: Final = VALUE << _WIRE_TYPE_BITS | FIXED64
_VALUE_BYTES: Final = 9  # with its tag
_TIME_TAG: Final = TIMESTAMP << _WIRE_TYPE_BITS | VARINT
_SHORT_MAX: Final = 0x7F  # of a length in one byte

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
def read_request(
    data: Bytes, series: Words, t_ms: Words, values: Words, metadata: Words, totals: Words
) -> int:
    """Count what a body holds, and read as much of it as there is room for.

    ``series``: int64[any, SERIES_COLUMNS]; ``t_ms``, ``values``: int64[any];
    ``metadata``: int64[any, 2], where MetricMetadata start and end; ``totals``: int64[TOTALS].
    Returns -1, or the place of a defect.
    """
    totals[:] = 0
    place = 0
    while place < len(data):
        number, wire_type, start, end = next_field(data, place, len(data))
        if number < 0 or (number == SERIES and wire_type != DELIMITED):
            return place
        if number == METADATA and wire_type == DELIMITED:
            if totals[METADATA_COUNT] < len(metadata):
                metadata[totals[METADATA_COUNT], 0] = start
                metadata[totals[METADATA_COUNT], 1] = end
            totals[METADATA_COUNT] += 1
        elif number == SERIES:
            row = _read_series(data, start, end, t_ms, values, totals)
            if row[0] < 0:
                return row[1]
            if totals[SERIES_COUNT] < len(series):
                for column in range(SERIES_COLUMNS):
                    series[totals[SERIES_COUNT], column] = row[column]
            totals[SERIES_COUNT] += 1
        place = end
    return -1


@checked_kernel
def _read_series(
    data: Bytes, place: int, end: int, t_ms: Words, values: Words, totals: Words
) -> tuple[int, int, int, int]:
    """The columns of a series; -1 and the place of a defect first where there is one."""
    first, last, scattered = place, place, 0
    samples = totals[SAMPLE_COUNT]
    while place + 1 < end and data[place] == _LABEL_TAG:  # as nearly all senders write them
        stop = place + 2 + signed(data[place + 1])
        if data[place + 1] > _SHORT_MAX or stop > end:
            break
        place = last = stop
    while place < end:
        number, wire_type, start, stop = next_field(data, place, end)
        if number < 0 or (wire_type != DELIMITED and LABELS <= number <= HISTOGRAMS):
            return -1, place, 0, 0
        if number == LABELS:
            if first == last:
                first = place
            elif last != place:
                scattered = 1
            last = stop
        elif number == SAMPLES:
            if not read_sample(data, start, stop, samples, t_ms, values):
                return -1, place, 0, 0
            samples += 1
        elif number == EXEMPLARS:
            totals[EXEMPLAR_COUNT] += 1
        elif number == HISTOGRAMS:
            totals[HISTOGRAM_COUNT] += 1
        place = stop
    totals[SAMPLE_COUNT] = samples
    return first, last, samples, scattered


@checked_kernel
def read_sample(data: Bytes, place: int, end: int, row: int, t_ms: Words, values: Words) -> bool:
    """Read one Sample into a row, if it is there; False where the bytes are none."""
    time, value = 0, 0
    if end - place > _VALUE_BYTES and data[place] == _VALUE_TAG:
        value = little_word(data, place + 1)
        place += _VALUE_BYTES
        if data[place] == _TIME_TAG:
            time, place = get_varint(data, place + 1, end)
            if place < 0:
                return False
    while place < end:
        number, wire_type, start, stop = next_field(data, place, end)
        if number < 0:
            return False
        if number == VALUE:
            if wire_type != FIXED64:
                return False
            value = little_word(data, start)
        elif number == TIMESTAMP:
            if wire_type != VARINT:
                return False
            time, _ = get_varint(data, start, stop)
        place = stop
    if row < len(t_ms):
        t_ms[row] = time
        values[row] = value
    return True
