"""Reading the write-ahead log back: records are found, checked, and turned into rows.

A record is MAGIC (8 bytes), the length of its body and its checksum (4 bytes each, little
endian), and the body: one byte kind, seven bytes count, then what the kind says. All bodies are
whole words of 8 bytes, little endian. See ``alicia.tsdb.log``.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from alicia.tsdb.kernels.bits import Bytes, Words, little_half, little_word, signed
from alicia.tsdb.kernels.compiled import checked_kernel, kernel

Table = NDArray[np.uint32]

MAGIC: Final = int.from_bytes(b"\xa1ALICIA\n", "little", signed=True)
HEAD_BYTES: Final = 16
BODY_HEAD_BYTES: Final = 16  # kind and count; a base time

NAMES: Final = 1
SAMPLES: Final = 2  # reference and time less the base (4 bytes each), value
FAR_SAMPLES: Final = 3  # reference, time, value (8 bytes each)
NEAR_MAX_MS: Final = 2**31 - 1

# Why read_records() stopped.
END: Final = 0
FULL: Final = 1
AT_NAMES: Final = 2
DAMAGED: Final = 3

_SLICES: Final = 8
_POLYNOMIAL: Final = 0xEDB88320


def checksum_tables() -> Table:
    """Tables for checksum(): uint32[8, 256]. Source: CRC-32 of IEEE 802.3, eight bytes a step."""
    tables = np.zeros((_SLICES, 256), np.uint32)
    for byte in range(256):
        value = byte
        for _ in range(8):
            value = (value >> 1) ^ (_POLYNOMIAL if value & 1 else 0)
        tables[0, byte] = value
    for i in range(1, _SLICES):
        before = tables[i - 1]
        tables[i] = (before >> np.uint32(8)) ^ tables[0][before & np.uint32(0xFF)]
    return tables


@checked_kernel
def checksum(data: Bytes, place: int, end: int, tables: Table) -> int:
    """The same as ``zlib.crc32(data[place:end])``."""
    crc = np.uint32(0xFFFFFFFF)
    while place + 8 <= end:
        crc ^= np.uint32(little_half(data, place))
        crc = (
            tables[7, crc & np.uint32(0xFF)]
            ^ tables[6, (crc >> np.uint32(8)) & np.uint32(0xFF)]
            ^ tables[5, (crc >> np.uint32(16)) & np.uint32(0xFF)]
            ^ tables[4, crc >> np.uint32(24)]
            ^ tables[3, data[place + 4]]
            ^ tables[2, data[place + 5]]
            ^ tables[1, data[place + 6]]
            ^ tables[0, data[place + 7]]
        )
        place += 8
    while place < end:
        crc = (crc >> np.uint32(8)) ^ tables[0, (crc ^ np.uint32(data[place])) & np.uint32(0xFF)]
        place += 1
    return signed(crc ^ np.uint32(0xFFFFFFFF))


@checked_kernel
def find_magic(data: Bytes, place: int) -> int:
    """The place of the next MAGIC, the length of the data where there is none."""
    while place + 8 <= len(data):
        if little_word(data, place) == MAGIC:
            return place
        place += 1
    return len(data)


@checked_kernel
def whole_record(data: Bytes, place: int, tables: Table) -> int:
    """The end of a sound record, -1 where there is none at this place."""
    if place + HEAD_BYTES > len(data) or little_word(data, place) != MAGIC:
        return -1
    start = place + HEAD_BYTES
    end = start + little_half(data, place + 8)
    if end - start < BODY_HEAD_BYTES or end > len(data):
        return -1
    return end if checksum(data, start, end, tables) == little_half(data, place + 12) else -1


@checked_kernel
def read_records(
    data: Bytes, place: int, tables: Table, refs_of: Words, rows: Words, count: int
) -> tuple[int, int, int]:
    """Read samples into ``rows`` (int64[3, room]) from place ``count`` on.

    ``refs_of`` (int64): the series by the reference that the segment uses, -1 where it named
    none. Returns why it stopped, the place of the record there, and the count of rows.
    """
    while place < len(data):
        end = whole_record(data, place, tables)
        if end < 0:
            return DAMAGED, place, count
        kind = signed(data[place + HEAD_BYTES])
        body = place + HEAD_BYTES
        size = little_word(data, body) >> 8
        width = 16 if kind == SAMPLES else 24
        if kind == NAMES:
            return AT_NAMES, place, count
        if kind != SAMPLES and kind != FAR_SAMPLES:
            return DAMAGED, place, count
        if size < 0 or size * width != end - body - BODY_HEAD_BYTES:
            return DAMAGED, place, count
        if count + size > rows.shape[1]:
            return FULL, place, count
        count = _read_samples(data, body, size, kind, refs_of, rows, count)
        place = end
    return END, place, count


@checked_kernel
def _read_samples(
    data: Bytes, body: int, size: int, kind: int, refs_of: Words, rows: Words, count: int
) -> int:
    base_ms = little_word(data, body + 8)
    at = body + BODY_HEAD_BYTES
    for _ in range(size):
        if kind == SAMPLES:
            both = little_word(data, at)
            ref, t_ms = both & 0xFFFFFFFF, base_ms + (both >> 32)
            at += 8
        else:
            ref, t_ms = little_word(data, at), little_word(data, at + 8)
            at += 16
        if 0 <= ref < len(refs_of) and refs_of[ref] >= 0:
            rows[0, count] = refs_of[ref]
            rows[1, count] = t_ms
            rows[2, count] = little_word(data, at)
            count += 1
        at += 8
    return count


@kernel
def pack_rows(refs: Words, t_ms: Words, values: Words, base_ms: int, words: Words) -> None:
    """Write the words of a SAMPLES body (int64[2 n]); all times are within NEAR_MAX_MS of base."""
    for i in range(len(refs)):
        words[2 * i] = ((t_ms[i] - base_ms) << 32) | refs[i]
        words[2 * i + 1] = values[i]
