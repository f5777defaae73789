"""The blocks of one store: opened after a start, written now and then, deleted by age."""

from collections.abc import Callable, Generator, Iterator, Sequence
from typing import Final

import numpy as np

from alicia.tsdb.block import Block
from alicia.tsdb.block_file import BlockHead, DamagedBlock, decode_head
from alicia.tsdb.block_writer import BlockWriter
from alicia.tsdb.head import Frozen
from alicia.tsdb.kernels.bits import Words
from alicia.tsdb.kernels.log import checksum_tables
from alicia.tsdb.ports import Disk, DiskFault
from alicia.tsdb.rows import Runs

FOLDER: Final = "raw"
SUFFIX: Final = ".block"
UNFINISHED_SUFFIX: Final = ".new"
DAMAGED_SUFFIX: Final = ".corrupt"
MERGED: Final = 4  # at most REPLACED_MAX
_SPAN_MS_MIN: Final = 60_000  # shorter ones count as equal
STEP_SAMPLES: Final = 100_000  # written at one step, so that none takes long


class Blocks:
    """Files that are written aside, synced and renamed. Belongs to the store's thread."""

    def __init__(self, disk: Disk) -> None:
        self._disk = disk
        self._tables = checksum_tables()
        self._number = 0
        self.damaged_files = 0

    def open_all(self) -> Iterator[tuple[Block, Sequence[bytes]]]:
        """The blocks of earlier processes, oldest first, each with the keys of its series.

        What was not finished, or is replaced by another block, is removed; what is damaged is
        set aside and counted.

        Raises:
            DiskFault: a file cannot be read.
            NewerBlock: a later version of ours wrote one.
        """
        found: dict[int, tuple[Block, BlockHead]] = {}
        for name in self._disk.names(FOLDER):
            path = f"{FOLDER}/{name}"
            if name.endswith(UNFINISHED_SUFFIX):
                self._disk.remove(path)
            elif name.endswith(SUFFIX):
                number = int(name.removesuffix(SUFFIX))
                self._number = max(self._number, number)
                try:
                    found[number] = self._map(path)
                except DamagedBlock:
                    self.damaged_files += 1
                    self._disk.rename(path, path + DAMAGED_SUFFIX)
        for _, head in list(found.values()):
            for number in head.replaced:
                if number in found:
                    self._disk.remove(found.pop(number)[0].name)
        for block, head in sorted(found.values(), key=lambda each: each[0].oldest_ms):
            yield block, head.keys

    def write(
        self,
        frozen: Frozen,
        key_of: Callable[[int], bytes],
        read: Callable[[Words], Runs],
        *,
        log_segment: int,
        replaced: Sequence[Block] = (),
    ) -> Generator[None, None, Block]:
        """Write what was set aside, or was read of other blocks, as a block, in steps.

        ``read`` gives the samples of some series; ``log_segment`` is the last segment of the log
        that holds any of them. The caller removes what is ``replaced``.

        Raises:
            DiskFault: there is no new block.
        """
        self._number += 1
        path = f"{FOLDER}/{self._number:012d}{SUFFIX}"
        file = self._disk.create(path + UNFINISHED_SUFFIX)
        writer = BlockWriter(
            file,
            self._tables,
            oldest_ms=frozen.oldest_ms,
            newest_ms=frozen.newest_ms,
            log_segment=log_segment,
            replaced=[_number(block) for block in replaced],
        )
        samples = frozen.samples // max(len(frozen.refs), 1)  # of a series
        try:
            refs = yield from writer.write_all(
                frozen.refs, key_of, read, slice_size=STEP_SAMPLES // max(samples, 1) + 1
            )
        except DiskFault:
            self._disk.remove(path + UNFINISHED_SUFFIX)
            raise
        finally:
            file.close()
        self._disk.rename(path + UNFINISHED_SUFFIX, path)
        block, _ = self._map(path)
        block.place(refs)
        return block

    def remove(self, block: Block) -> None:
        """Delete the file of a block that nobody finds any more.

        Raises:
            DiskFault: it is still there, and is found again after a start.
        """
        self._disk.remove(block.name)

    def _map(self, path: str) -> tuple[Block, BlockHead]:
        data = np.frombuffer(self._disk.map(path), np.uint8)
        head = decode_head(data)
        return Block(path, data, head, self._tables), head


def mergeable(blocks: Sequence[Block], *, span_ms_max: int) -> Sequence[Block]:
    """Neighbours of about one length that should become one block; none where there are none.

    So a month is read from few files, of which the oldest still goes as a whole, by its age.
    """
    ordered = sorted(blocks, key=lambda block: block.oldest_ms)
    for start in range(len(ordered) - MERGED + 1):
        group = ordered[start : start + MERGED]
        spans = [max(block.newest_ms - block.oldest_ms, _SPAN_MS_MIN) for block in group]
        whole = max(block.newest_ms for block in group) - group[0].oldest_ms
        if whole <= span_ms_max and max(spans) <= 2 * min(spans):
            return group
    return ()


def _number(block: Block) -> int:
    return int(block.name.removeprefix(f"{FOLDER}/").removesuffix(SUFFIX))
