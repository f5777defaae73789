"""The blocks of one store: opened after a start, written now and then, deleted by age."""

from collections.abc import Callable, Generator, Iterator, Sequence
from typing import Final

import numpy as np

from alicia.tsdb.block import Block
from alicia.tsdb.block_file import DamagedBlock, decode_head
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


class Blocks:
    """Files that are written aside, synced and renamed. Belongs to the store's thread."""

    def __init__(self, disk: Disk) -> None:
        self._disk = disk
        self._tables = checksum_tables()
        self._number = 0
        self.damaged_files = 0

    def open_all(self) -> Iterator[tuple[Block, Sequence[bytes]]]:
        """The blocks of earlier processes, oldest first, each with the keys of its series.

        What was not finished is removed, what is damaged set aside and counted.

        Raises:
            DiskFault: a file cannot be read.
        """
        for name in self._disk.names(FOLDER):
            path = f"{FOLDER}/{name}"
            if name.endswith(UNFINISHED_SUFFIX):
                self._disk.remove(path)
            elif name.endswith(SUFFIX):
                self._number = max(self._number, int(name.removesuffix(SUFFIX)))
                try:
                    yield self._map(path)
                except DamagedBlock:
                    self.damaged_files += 1
                    self._disk.rename(path, path + DAMAGED_SUFFIX)

    def write(
        self,
        frozen: Frozen,
        key_of: Callable[[int], bytes],
        read: Callable[[Words], Runs],
        *,
        log_segment: int,
    ) -> Generator[None, None, Block]:
        """Write what was set aside as a block, in steps; the block.

        ``read`` gives the samples of some series; ``log_segment`` is the last segment of the log
        that holds any of them.

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
        )
        try:
            refs = yield from writer.write_all(frozen.refs, key_of, read)
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

    def _map(self, path: str) -> tuple[Block, Sequence[bytes]]:
        data = np.frombuffer(self._disk.map(path), np.uint8)
        head = decode_head(data)
        return Block(path, data, head, self._tables), head.keys
