"""Writing a block, in steps between which the store works on."""

from collections.abc import Callable, Generator, Sequence
from typing import Final

import numpy as np

from alicia.tsdb.block_file import BlockHead, encode_tail
from alicia.tsdb.kernels import block as k
from alicia.tsdb.kernels.bits import Bytes, Words
from alicia.tsdb.kernels.block import Halves
from alicia.tsdb.kernels.chunk import SCRATCH_MIN, SCRATCH_ROWS, bytes_max
from alicia.tsdb.kernels.log import Table
from alicia.tsdb.ports import Appender
from alicia.tsdb.rows import Runs

_UNITS_MAX: Final = 2**31 - 1


class BlockWriter:
    """Appends series after series to a file, and at the end what finds them.

    ``oldest_ms`` and ``newest_ms`` bound the samples to come, ``log_segment`` is the last segment
    of the log that the block makes needless, ``replaced`` are the numbers of such blocks.
    """

    def __init__(
        self,
        file: Appender,
        tables: Table,
        *,
        oldest_ms: int,
        newest_ms: int,
        log_segment: int,
        replaced: Sequence[int],
    ) -> None:
        self._file = file
        self._tables = tables
        self._clock = (oldest_ms, (newest_ms - oldest_ms) // _UNITS_MAX + 1)
        self._newest_ms = newest_ms
        self._log_segment = log_segment
        self._replaced = replaced
        self._scratch: Words = np.zeros((SCRATCH_ROWS, max(SCRATCH_MIN, k.CHUNK_SAMPLES)), np.int64)
        self._index: list[Halves] = []
        self._first: list[Halves] = [np.zeros(1, np.int32)]
        self._keys: list[bytes] = []
        self._chunks = 0
        self._samples = 0

    def write_all(
        self,
        refs: Words,
        key_of: Callable[[int], bytes],
        read: Callable[[Words], Runs],
        *,
        slice_size: int,
    ) -> Generator[None, None, list[int]]:
        """Write all series, ``slice_size`` at a step, and end the file.

        Returns which series it holds, in its order.

        Raises:
            DiskFault: the file is not whole.
        """
        written: list[int] = []
        for start in range(0, len(refs), slice_size):
            part = refs[start : start + slice_size]
            runs = read(part)
            held = np.diff(runs.offsets) > 0
            if held.any():
                named = part[held].tolist()
                written += named
                self._write(
                    list(map(key_of, named)), Runs(np.unique(runs.offsets), runs.t_ms, runs.values)
                )
            yield
        self._end()
        return written

    def _write(self, keys: Sequence[bytes], runs: Runs) -> None:
        """Write series that have samples, one at least each."""
        counts = np.diff(runs.offsets)
        chunks = int((-(-counts // k.CHUNK_SAMPLES)).sum())
        overhead = bytes_max(0) + 2 * k.CHECKSUM_BYTES + k.LENGTH_BYTES
        room = overhead * chunks + bytes_max(int(counts.sum()))
        out: Bytes = np.zeros(room, np.uint8)
        index: Halves = np.zeros((chunks, k.INDEX_COLUMNS), np.int32)
        first: Halves = np.zeros(len(counts) + 1, np.int32)
        size = k.encode_runs(
            runs, self._clock, self._file.size, out, index, first, self._scratch, self._tables
        )
        self._file.append([out.data[:size]])
        self._index.append(index)
        self._first.append(first[1:] + self._chunks)
        self._keys += keys
        self._chunks += chunks
        self._samples += int(counts.sum())

    def _end(self) -> None:
        index = self._index or [np.zeros((0, k.INDEX_COLUMNS), np.int32)]
        head = BlockHead(
            np.concatenate(index),
            np.concatenate(self._first),
            self._keys,
            self._samples,
            self._clock[0],
            self._newest_ms,
            self._clock[1],
            self._log_segment,
            self._replaced,
        )
        self._file.append([encode_tail(head, self._file.size)])
        self._file.sync()
