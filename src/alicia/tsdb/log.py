"""The bytes of the write-ahead log: records of names and of samples.

Byte layouts are drawn in docs/internals/log.md. A segment names every series that it uses before
the first sample of it, so that damage in one segment makes no other unreadable.
"""

import zlib
from collections.abc import Iterable, Iterator
from typing import Final

import numpy as np

from alicia.tsdb.kernels import log as k
from alicia.tsdb.kernels.bits import Words
from alicia.tsdb.rows import Rows

SUFFIX: Final = ".wal"
DAMAGED_SUFFIX: Final = ".corrupt"
_WORD: Final = 8


def segment_name(number: int) -> str:
    """The file name of a segment; names sort as their numbers do."""
    return f"{number:012d}{SUFFIX}"


def segment_number(name: str) -> int | None:
    """The number of a segment; None for a file that is none."""
    stem, dot, suffix = name.partition(".")
    return int(stem) if dot + suffix == SUFFIX and stem.isdecimal() and stem.isascii() else None


def encode_names(names: Iterable[tuple[int, bytes]]) -> bytes:
    """A record that names series: their references and keys.

    Body: per series reference and length of the key (4 bytes each), the key, zeros up to a word.
    """
    body = bytearray()
    count = 0
    for ref, key in names:
        body += ref.to_bytes(4, "little") + len(key).to_bytes(4, "little") + key
        body += bytes(-len(key) % _WORD)
        count += 1
    return _record(k.NAMES, count, 0, bytes(body))


def decode_names(body: memoryview) -> Iterator[tuple[int, bytes]]:
    """The references and keys of encode_names(); the record's checksum was right."""
    at = k.BODY_HEAD_BYTES
    while at < len(body):
        ref = int.from_bytes(body[at : at + 4], "little")
        length = int.from_bytes(body[at + 4 : at + 8], "little")
        at += _WORD
        yield ref, bytes(body[at : at + length])
        at += length + -length % _WORD


def encode_samples(rows: Rows) -> bytes:
    """A record of samples, of which there is one at least."""
    base_ms = int(rows.t_ms[0])
    newest_ms, oldest_ms = int(rows.t_ms.max()), int(rows.t_ms.min())
    if newest_ms - base_ms > k.NEAR_MAX_MS or base_ms - oldest_ms > k.NEAR_MAX_MS:
        return _record(k.FAR_SAMPLES, len(rows.refs), 0, _little(np.stack(rows, axis=1)))
    words: Words = np.empty(2 * len(rows.refs), np.int64)
    k.pack_rows(*rows, base_ms, words)
    return _record(k.SAMPLES, len(rows.refs), base_ms, _little(words))


def _little(words: Words) -> bytes:
    return words.astype("<i8", copy=False).tobytes()


def _record(kind: int, count: int, base_ms: int, body: bytes) -> bytes:
    head = (kind | count << 8).to_bytes(8, "little") + base_ms.to_bytes(8, "little", signed=True)
    checksum = zlib.crc32(body, zlib.crc32(head))
    size = len(head) + len(body)
    return b"".join(
        (
            k.MAGIC.to_bytes(8, "little", signed=True),
            size.to_bytes(4, "little"),
            checksum.to_bytes(4, "little"),
            head,
            body,
        )
    )
