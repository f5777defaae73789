"""The bytes of a block: chunks, then what finds them, then a footer.

    chunks    values and timestamps, see ``kernels.block``
    index     zlib: int32[6, chunks] and int32[series + 1], each less the one before it
    keys      zlib: per series the length of its key (4 bytes), then all keys
    footer    FOOTER_BYTES, see ``_FOOTER``

All numbers are little endian. The footer has checksums of index and keys and of itself, so that
a file that was not written to its end is known. Drawn in docs/internals/blocks.md.
"""

import struct
import zlib
from collections.abc import Sequence
from typing import ClassVar, Final, NamedTuple

import numpy as np

from alicia.base.errors import AliciaError, Kind
from alicia.tsdb.kernels.bits import Bytes
from alicia.tsdb.kernels.block import INDEX_COLUMNS, Halves

FORMAT: Final = 1
REPLACED_MAX: Final = 8
_MAGIC: Final = b"ALICIABK"
# Magic, format, checksum of index and keys; chunks, series, samples; bytes of chunks, index and
# keys; oldest and newest time and unit of the index; the log segment up to which all is in blocks;
# the numbers of the blocks that this one replaces, 0 for none.
_FOOTER: Final = struct.Struct("<8sIIQQQQQQqqIQ8Q")
_CHECKSUM: Final = struct.Struct("<I")
FOOTER_BYTES: Final = _FOOTER.size + _CHECKSUM.size
_INFLATED_BYTES_MAX: Final = 1 << 30


class DamagedBlock(AliciaError):
    """The bytes are no block, or not a whole one."""

    code: ClassVar[str] = "damaged_block"
    kind: ClassVar[Kind] = Kind.CORRUPT


class NewerBlock(AliciaError):
    """A whole block in a format that this version cannot read."""

    code: ClassVar[str] = "newer_block"
    kind: ClassVar[Kind] = Kind.UNAVAILABLE


class BlockHead(NamedTuple):
    """What is known of a block without its chunks; times are ms, both inclusive."""

    chunks: Halves
    first: Halves
    keys: Sequence[bytes]
    samples: int
    oldest_ms: int
    newest_ms: int
    unit_ms: int
    log_segment: int
    replaced: Sequence[int] = ()


def encode_tail(head: BlockHead, chunk_bytes: int) -> bytes:
    """What stands behind the chunks."""
    lengths = np.array([len(key) for key in head.keys], "<i4").tobytes()
    keys = zlib.compress(lengths + b"".join(head.keys))
    columns = np.diff(head.chunks.T, axis=1, prepend=np.int32(0)).astype("<i4").tobytes()
    first = np.diff(head.first, prepend=np.int32(0)).astype("<i4").tobytes()
    index = zlib.compress(columns + first)
    body = index + keys
    footer = _FOOTER.pack(
        _MAGIC,
        FORMAT,
        zlib.crc32(body),
        len(head.chunks),
        len(head.keys),
        head.samples,
        chunk_bytes,
        len(index),
        len(keys),
        head.oldest_ms,
        head.newest_ms,
        head.unit_ms,
        head.log_segment,
        *head.replaced,
        *[0] * (REPLACED_MAX - len(head.replaced)),
    )
    return body + footer + _CHECKSUM.pack(zlib.crc32(footer))


def decode_head(data: Bytes) -> BlockHead:
    """Read what finds the chunks of a block.

    Raises:
        DamagedBlock: it is none, or is not whole.
        NewerBlock: a later version of ours wrote it.
    """
    content = data.data
    footer, place = content[-FOOTER_BYTES : -_CHECKSUM.size], len(data) - FOOTER_BYTES
    if place < 0 or _CHECKSUM.unpack(content[-_CHECKSUM.size :])[0] != zlib.crc32(footer):
        raise DamagedBlock("the footer is missing or damaged")
    magic, version, crc, chunks, series, *rest = _FOOTER.unpack(footer)
    samples, chunk_bytes, index_bytes, key_bytes, oldest, newest, unit, log = rest[:-REPLACED_MAX]
    replaced = [number for number in rest[-REPLACED_MAX:] if number]
    if magic != _MAGIC or version != FORMAT:
        raise NewerBlock(f"a block of format {version}; use the version of Alicia that wrote it")
    if chunk_bytes + index_bytes + key_bytes != place:
        raise DamagedBlock("its parts do not fill the file")
    if zlib.crc32(content[chunk_bytes:place]) != crc:
        raise DamagedBlock("the index is damaged")
    at = chunk_bytes + index_bytes
    index = np.frombuffer(_inflate(content[chunk_bytes:at]), "<i4")
    cells = INDEX_COLUMNS * chunks
    rows = np.cumsum(index[:cells].reshape(INDEX_COLUMNS, chunks), axis=1, dtype=np.int32)
    first = np.cumsum(index[cells:], dtype=np.int32)
    keys = _decode_keys(content[at:place], series)
    return BlockHead(
        np.ascontiguousarray(rows.T), first, keys, samples, oldest, newest, unit, log, replaced
    )


def _inflate(compressed: memoryview) -> bytes:
    return zlib.decompressobj().decompress(compressed, _INFLATED_BYTES_MAX)


def _decode_keys(compressed: memoryview, series: int) -> list[bytes]:
    content = _inflate(compressed)
    lengths = np.frombuffer(content[: 4 * series], "<i4").tolist()
    keys, at = [], 4 * series
    for length in lengths:
        keys.append(content[at : at + length])
        at += length
    return keys
