"""Remote-write 2.0 bodies, brought into the form of 1.0: labels written out, samples as arrays.

    Request    { repeated string symbols = 4; repeated TimeSeries timeseries = 5; }
    TimeSeries { repeated uint32 labels_refs = 1; repeated Sample samples = 2;
                 repeated Histogram histograms = 3; repeated Exemplar exemplars = 4;
                 Metadata metadata = 5; }
    Sample     { double value = 1; int64 timestamp = 2; }
    Metadata   { MetricType type = 1; uint32 help_ref = 3; uint32 unit_ref = 4; }

Fields that we do not know are passed over. Every length and every reference is checked before it
is believed. Source: prometheus/prometheus, prompb/io/prometheus/write/v2/types.proto.
"""

from typing import Final

import numpy as np

from alicia.tsdb.kernels import protobuf as one
from alicia.tsdb.kernels.bits import Bytes, Words, get_varint, put_varint
from alicia.tsdb.kernels.compiled import checked_kernel
from alicia.tsdb.kernels.protobuf import DELIMITED, VARINT, next_field, read_sample

SYMBOLS: Final = 4
SERIES: Final = 5
REFS: Final = 1
SAMPLES: Final = 2
HISTOGRAMS: Final = 3
EXEMPLARS: Final = 4
METADATA: Final = 5
TYPE: Final = 1
_FREE: Final = 2
HELP_REF: Final = 3
UNIT_REF: Final = 4

# Places in ``totals``; the first four are those of 1.0.
SYMBOL_COUNT: Final = one.TOTALS
TOTALS: Final = one.TOTALS + 1

# Columns of ``notes``, one row per series: what its Metadata says; TYPE_COLUMN -1 without one.
TYPE_COLUMN: Final = 0
HELP_COLUMN: Final = 1
UNIT_COLUMN: Final = 2
NOTE_COLUMNS: Final = 3

_LABEL_TAG: Final = 0x0A  # field 1, length-delimited
_NAME_TAG: Final = 0x0A
_VALUE_TAG: Final = 0x12
_LOW_BITS: Final = 7


@checked_kernel
def count_request(data: Bytes, totals: Words) -> int:
    """Count what a body holds into ``totals`` (int64[TOTALS]); -1, or the place of a defect."""
    totals[:] = 0
    place = 0
    while place < len(data):
        number, wire_type, start, end = next_field(data, place, len(data))
        if number < 0:
            return place
        if SYMBOLS <= number <= SERIES and wire_type != DELIMITED:
            return place
        if number == SYMBOLS:
            totals[SYMBOL_COUNT] += 1
        elif number == SERIES:
            totals[one.SERIES_COUNT] += 1
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
        if SAMPLES <= number <= METADATA and wire_type != DELIMITED:
            return place
        if number == SAMPLES:
            totals[one.SAMPLE_COUNT] += 1
        elif number == EXEMPLARS:
            totals[one.EXEMPLAR_COUNT] += 1
        elif number == HISTOGRAMS:
            totals[one.HISTOGRAM_COUNT] += 1
        place = stop
    return -1


@checked_kernel
def read_symbols(data: Bytes, symbols: Words) -> int:
    """Fill ``symbols`` (int64[SYMBOL_COUNT, 2], starts and ends); -1, or the place of a defect."""
    place, row = 0, 0
    while place < len(data):
        number, _, start, end = next_field(data, place, len(data))
        if number == SYMBOLS:
            if row == 0 and end > start:
                return place  # the first one must be empty
            symbols[row, 0] = start
            symbols[row, 1] = end
            row += 1
        place = end
    return -1


@checked_kernel
def size_labels(data: Bytes, symbols: Words) -> tuple[int, int]:
    """The bytes of all labels once written out, and -1 or the place of a defect."""
    place, size, nowhere = 0, 0, np.empty(0, np.uint8)
    while place < len(data):
        number, _, start, end = next_field(data, place, len(data))
        if number == SERIES:
            _, grown, defect = _labels(data, start, end, symbols, nowhere, -1)
            if defect >= 0:
                return size, defect
            size += grown
        place = end
    return size, -1


@checked_kernel
def read_request(
    data: Bytes,
    symbols: Words,
    out: Bytes,
    series: Words,
    t_ms: Words,
    values: Words,
    notes: Words,
) -> int:
    """Read a body that the functions above went through; -1, or the place of a defect.

    ``out``: uint8[size_labels()], to which the columns of ``series`` point, as 1.0 has them;
    ``t_ms``, ``values``: int64[SAMPLE_COUNT]; ``notes``: int64[SERIES_COUNT, NOTE_COLUMNS].
    """
    place, row, samples, written = 0, 0, 0, 0
    while place < len(data):
        number, _, start, end = next_field(data, place, len(data))
        if number == SERIES:
            series[row, one.LABELS_START] = written
            written, _, _ = _labels(data, start, end, symbols, out, written)
            series[row, one.LABELS_END] = written
            series[row, one.SCATTERED] = 0
            defect, samples = _read_rest(
                data, (start, end), len(symbols), t_ms, values, notes[row], samples
            )
            if defect >= 0:
                return defect
            series[row, one.SAMPLES_END] = samples
            row += 1
        place = end
    return -1


@checked_kernel
def _labels(
    data: Bytes, place: int, end: int, symbols: Words, out: Bytes, written: int
) -> tuple[int, int, int]:
    """Write the labels of a series to ``out``; with ``written`` -1 only measure and check them.

    Returns the place behind them, their size, and -1 or the place of a defect.
    """
    name, size = -1, 0
    while place < end:
        number, wire_type, start, stop = next_field(data, place, end)
        if number == REFS:
            if wire_type != DELIMITED and wire_type != VARINT:
                return written, size, place
            while start < stop:
                ref, start = get_varint(data, start, stop)
                if start < 0 or ref < 0 or ref >= len(symbols):
                    return written, size, place
                if name < 0:
                    name = ref
                    continue
                size += _label_bytes(symbols, name, ref)
                if written >= 0:
                    written = _put_label(data, symbols, name, ref, out, written)
                name = -1
        place = stop
    return written, size, place if name >= 0 else -1


@checked_kernel
def _read_rest(
    data: Bytes,
    span: tuple[int, int],
    symbol_count: int,
    t_ms: Words,
    values: Words,
    note: Words,
    samples: int,
) -> tuple[int, int]:
    place, end = span
    note[TYPE_COLUMN] = -1
    while place < end:
        number, _, start, stop = next_field(data, place, end)
        if number == SAMPLES:
            if not read_sample(data, start, stop, samples, t_ms, values):
                return place, samples
            samples += 1
        elif number == METADATA and not _read_note(data, start, stop, symbol_count, note):
            return place, samples
        place = stop
    return -1, samples


@checked_kernel
def _read_note(data: Bytes, place: int, end: int, symbol_count: int, note: Words) -> bool:
    note[:] = 0
    while place < end:
        number, wire_type, start, stop = next_field(data, place, end)
        if number < 0:
            return False
        if TYPE <= number <= UNIT_REF and number != _FREE:
            if wire_type != VARINT:
                return False
            value, _ = get_varint(data, start, stop)
            if value < 0 or (number != TYPE and value >= symbol_count):
                return False
            column = TYPE_COLUMN
            if number != TYPE:
                column = HELP_COLUMN if number == HELP_REF else UNIT_COLUMN
            note[column] = value
        place = stop
    return True


@checked_kernel
def _label_bytes(symbols: Words, name: int, value: int) -> int:
    pair = _field_bytes(symbols[name, 1] - symbols[name, 0])
    pair += _field_bytes(symbols[value, 1] - symbols[value, 0])
    return _field_bytes(pair)


@checked_kernel
def _field_bytes(size: int) -> int:
    head, rest = 2, size >> _LOW_BITS
    while rest:
        head += 1
        rest >>= _LOW_BITS
    return head + size


@checked_kernel
def _put_label(data: Bytes, symbols: Words, name: int, value: int, out: Bytes, place: int) -> int:
    named = symbols[name, 1] - symbols[name, 0]
    valued = symbols[value, 1] - symbols[value, 0]
    out[place] = np.uint8(_LABEL_TAG)
    place = put_varint(out, place + 1, _field_bytes(named) + _field_bytes(valued))
    place = _put_text(data, symbols[name, 0], named, _NAME_TAG, out, place)
    return _put_text(data, symbols[value, 0], valued, _VALUE_TAG, out, place)


@checked_kernel
def _put_text(data: Bytes, start: int, size: int, tag: int, out: Bytes, place: int) -> int:
    out[place] = np.uint8(tag)
    place = put_varint(out, place + 1, size)
    for i in range(size):
        out[place + i] = data[start + i]
    return place + size
