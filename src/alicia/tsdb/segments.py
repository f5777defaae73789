"""The files of the write-ahead log: appended to, cut, read again after a start, deleted."""

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np

from alicia.tsdb.kernels import log as k
from alicia.tsdb.kernels.bits import Bytes, Words
from alicia.tsdb.log import (
    DAMAGED_SUFFIX,
    decode_names,
    segment_name,
    segment_number,
)
from alicia.tsdb.ports import Appender, Disk, DiskFault
from alicia.tsdb.rows import Rows

FOLDER: Final = "wal"
SEGMENT_BYTES: Final = 16 << 20
_BLOCK_ROWS: Final = 1 << 16
_MAGIC_BYTES: Final = 8
_MAGIC: Final = k.MAGIC.to_bytes(_MAGIC_BYTES, "little", signed=True)
_REFERENCES_MAX: Final = 1 << 24  # that a segment may use; more is damage


@dataclass(slots=True)
class Segment:
    """One file of the log; ``newest_ms`` is the time of its newest sample."""

    number: int
    size: int = 0
    newest_ms: int = -(2**63)


class Sync:
    """A sync of one file, to be run by any one thread; ``error`` tells how it ended."""

    def __init__(self, file: Appender, count: int) -> None:
        self.file: Final = file
        self.count: Final = count
        self.error: DiskFault | None = None

    def run(self) -> None:
        """Sync; never raises."""
        try:
            self.file.sync()
        except DiskFault as error:
            self.error = error


class Damage(NamedTuple):
    """What replay had to leave out."""

    records: int  # stretches of bytes that are no records
    bytes: int


class Segments:
    """The log of one store. Belongs to the store's thread.

    ``carried`` are samples that were acknowledged and may be lost with the segment they are in:
    the owner appends them again, oldest first. ``sync_failures`` counts syncs that failed.
    """

    def __init__(self, disk: Disk) -> None:
        self._disk = disk
        self._old: deque[Segment] = deque()
        self._current = Segment(1)
        self._file: Appender | None = None
        self._unsynced: list[Rows] = []
        self._is_refused = False  # the last append() failed
        self.carried: deque[Rows] = deque()
        self._tables = k.checksum_tables()
        self.damage = Damage(0, 0)
        self.sync_failures = 0

    @property
    def current(self) -> int:
        """The number of the segment that the next append() goes to."""
        return self._current.number

    @property
    def size_bytes(self) -> int:
        """Bytes in all segments."""
        return self._current.size + sum(segment.size for segment in self._old)

    @property
    def count(self) -> int:
        """How many segments there are."""
        return len(self._old) + (self._file is not None)

    def replay(
        self, open_series: Callable[[bytes], int], take: Callable[[Rows], None], *, after: int = 0
    ) -> None:
        """Read the segments behind number ``after``, oldest first, and begin a new one.

        Those up to it are needless, and deleted. ``open_series`` gives the reference of a series
        by its key, -1 where there can be none; ``take`` gets samples in the order in which they
        were appended. Damage costs only the records that it hits: a torn end is cut off, other
        damage leaves a copy of the file.

        Raises:
            DiskFault: a segment cannot be read.
        """
        numbers = sorted(
            number
            for name in self._disk.names(FOLDER)
            if (number := segment_number(name)) is not None
        )
        self._current = Segment(max([after, *numbers]) + 1)
        for number in numbers:
            segment = Segment(number)
            if number > after:
                self._replay(segment, open_series, take, is_last=number == numbers[-1])
            self._old.append(segment)
        self.forget_through(after)

    def _replay(
        self,
        segment: Segment,
        open_series: Callable[[bytes], int],
        take: Callable[[Rows], None],
        *,
        is_last: bool,
    ) -> None:
        path = f"{FOLDER}/{segment_name(segment.number)}"
        content = self._disk.read(path)
        reader = _Reader(content, self._tables)
        for rows in reader.run(open_series):
            segment.newest_ms = max(segment.newest_ms, int(rows.t_ms.max()))
            take(rows)
        segment.size = len(content)
        if is_last and reader.is_torn():
            self._disk.cut(path, reader.torn_at)
            segment.size = reader.torn_at
        elif reader.torn_at < len(content):
            reader.bad(reader.torn_at, len(content))
        try:
            self._disk.sync(path)  # the process that wrote it may not have come to it
        except DiskFault:  # what it promised to survive a power cut was synced by itself
            self.sync_failures += 1
        if reader.damage.records:
            with suppress(DiskFault):  # a full disk: the file stays, under its own name
                self._disk.link(path, path + DAMAGED_SUFFIX)
            self.damage = Damage(
                self.damage.records + reader.damage.records,
                self.damage.bytes + reader.damage.bytes,
            )

    def append(self, records: list[bytes], rows: Rows) -> None:
        """Write the records of these samples behind the end, by one write(2).

        Raises:
            DiskFault: the samples are not in the log.
        """
        file = self._opened()
        size = file.size
        try:
            file.append(records)
        except DiskFault:
            self._is_refused = True
            try:
                file.cut(size)
            except DiskFault:  # its end is unknown; readers skip what is torn
                self._leave()
            raise
        self._unsynced.append(rows)
        self._current.size = file.size
        self._current.newest_ms = max(self._current.newest_ms, int(rows.t_ms.max()))

    def rotate_if_full(self) -> None:
        """Let the next append() begin a segment if this one is large, or refused the last one.

        Raises:
            DiskFault: as sync().
        """
        if self._current.size >= SEGMENT_BYTES or self._is_refused:
            self._is_refused = False
            self.rotate()

    def rotate(self) -> None:
        """Sync the segment and let the next append() begin another; none if this one is empty.

        Raises:
            DiskFault: as sync().
        """
        if self._current.size:
            self.sync()
            self._leave()

    def sync(self) -> None:
        """Return once everything appended would survive a power cut.

        Raises:
            DiskFault: it would not; what is in doubt is in ``carried``, for the next segment.
                The kernel may have thrown away what it could not write, so that such a file is
                never synced again.
        """
        sync = self.begin_sync()
        if sync is not None:
            sync.run()
            self.end_sync(sync)
            if sync.error is not None:
                raise sync.error

    def begin_sync(self) -> Sync | None:
        """What must be synced now, None where all is safe; append() may go on meanwhile."""
        if self._file is None or not self._unsynced:
            return None
        return Sync(self._file, len(self._unsynced))

    def end_sync(self, sync: Sync) -> None:
        """Take note of how a sync ended; after a failed one the samples are in ``carried``."""
        if sync.file is not self._file:
            return  # the segment was left meanwhile, by a sync or with its samples carried
        if sync.error is None:
            del self._unsynced[: sync.count]
        else:
            self.sync_failures += 1
            self._leave()

    def forget_before(self, floor_ms: int) -> None:
        """Delete old segments that hold only samples before ``floor_ms``.

        Raises:
            DiskFault: some are still there, and will be deleted with the next call.
        """
        kept: deque[Segment] = deque()
        try:
            while self._old:
                if self._old[0].newest_ms < floor_ms:
                    self._disk.remove(f"{FOLDER}/{segment_name(self._old[0].number)}")
                    self._old.popleft()
                else:
                    kept.append(self._old.popleft())
        finally:
            self._old = kept + self._old

    def forget_through(self, number: int) -> None:
        """Delete old segments up to this one, which something else replaced durably.

        Raises:
            DiskFault: some are still there, and will be deleted with the next call.
        """
        while self._old and self._old[0].number <= number:
            self._disk.remove(f"{FOLDER}/{segment_name(self._old[0].number)}")
            self._old.popleft()

    def close(self) -> None:
        """Give the file back; sync first."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _opened(self) -> Appender:
        if self._file is None:
            self._file = self._disk.create(f"{FOLDER}/{segment_name(self._current.number)}")
        return self._file

    def _leave(self) -> None:
        assert self._file is not None, "there is a segment to leave"
        self._file.close()
        self._file = None
        self._old.append(self._current)
        self._current = Segment(self._current.number + 1)
        self.carried.extend(self._unsynced)
        self._unsynced.clear()


class _Reader:
    """One segment being replayed; ``torn_at`` is where its last sound record ends."""

    def __init__(self, content: bytes, tables: k.Table) -> None:
        self._content = content
        self._data: Bytes = np.frombuffer(content, np.uint8)
        self._tables = tables
        self._refs_of: Words = np.full(1024, -1, np.int64)
        self.torn_at = 0
        self.damage = Damage(0, 0)

    def run(self, open_series: Callable[[bytes], int]) -> Iterator[Rows]:
        """The samples, in pieces."""
        rows: Words = np.empty((3, _BLOCK_ROWS), np.int64)
        place = count = 0
        while True:
            why, place, count = k.read_records(
                self._data, place, self._tables, self._refs_of, rows, count
            )
            self.torn_at = place
            if (count and why != k.AT_NAMES) or count > _BLOCK_ROWS // 2:
                yield Rows(*(column[:count].copy() for column in rows))
                count = 0
            elif why == k.FULL:  # one record larger than the room
                rows = np.empty((3, 2 * rows.shape[1]), np.int64)
            if why == k.END:
                return
            if why == k.AT_NAMES:
                place = self._names(place, open_series)
            elif why == k.DAMAGED:
                sound = self._next_sound(place + 1)
                if sound == len(self._data):
                    return
                self.bad(place, sound)
                place = sound

    def is_torn(self) -> bool:
        """Whether the end is the beginning of a record, as a kill in mid-write leaves it."""
        tail = self._content[self.torn_at :]
        size = int.from_bytes(tail[_MAGIC_BYTES : _MAGIC_BYTES + 4], "little")
        begins = bool(tail) and _MAGIC.startswith(tail[:_MAGIC_BYTES])
        return begins and (len(tail) < k.HEAD_BYTES or len(tail) < k.HEAD_BYTES + size)

    def bad(self, place: int, end: int) -> None:
        """Count a stretch that is no records."""
        self.damage = Damage(self.damage.records + 1, self.damage.bytes + end - place)

    def _next_sound(self, place: int) -> int:
        while True:
            place = k.find_magic(self._data, place)
            if place == len(self._data) or k.whole_record(self._data, place, self._tables) >= 0:
                return place
            place += 1

    def _names(self, place: int, open_series: Callable[[bytes], int]) -> int:
        end = int(k.whole_record(self._data, place, self._tables))
        for ref, key in decode_names(memoryview(self._content)[place + k.HEAD_BYTES : end]):
            if ref >= _REFERENCES_MAX:
                continue
            while ref >= len(self._refs_of):
                grown = np.full(2 * len(self._refs_of), -1, np.int64)
                grown[: len(self._refs_of)] = self._refs_of
                self._refs_of = grown
            self._refs_of[ref] = open_series(key)
        return end
