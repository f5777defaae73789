"""Samples into the write-ahead log, with the names of their series where a segment lacks them."""

from collections.abc import Callable
from contextlib import AbstractContextManager

from alicia.tsdb.head import Head
from alicia.tsdb.log import encode_names, encode_samples
from alicia.tsdb.ports import DiskFault
from alicia.tsdb.rows import Rows
from alicia.tsdb.segments import Segments, Sync


class LogWriter:
    """Belongs to the store's thread; enters ``guard`` for looks at memory, never at the disk."""

    def __init__(
        self,
        log: Segments,
        head: Head,
        key_of: Callable[[int], bytes],
        guard: AbstractContextManager[object],
    ) -> None:
        self._log = log
        self._head = head
        self._key_of = key_of
        self._guard = guard

    def append(self, rows: Rows) -> None:
        """Write samples, and before them what may have been lost with an earlier segment.

        Raises:
            DiskFault: the samples are not in the log.
        """
        self._log.rotate_if_full()
        self._append_carried()
        self._append(rows)

    def sync(self) -> None:
        """Return once everything written would survive a power cut.

        Raises:
            DiskFault: it would not; nothing more must be acknowledged until a sync succeeds.
        """
        self._append_carried()
        try:
            self._log.sync()
        except DiskFault:
            self._append_carried()
            self._log.sync()

    def begin_sync(self) -> Sync | None:
        """What another thread can sync while this one writes on; None where all is safe.

        Raises:
            DiskFault: as sync().
        """
        self._append_carried()
        return self._log.begin_sync()

    def end_sync(self, sync: Sync) -> None:
        """Take note of a sync that has run.

        Raises:
            DiskFault: as sync().
        """
        self._log.end_sync(sync)
        self._append_carried()

    def turn(self) -> int:
        """End the segment; all that was written so far is in segments up to the number returned.

        Raises:
            DiskFault: as sync().
        """
        self._append_carried()
        self._log.rotate()
        return self._log.current - 1

    def forget_through(self, segment: int) -> None:
        """Delete the log up to this segment, which a block replaced.

        Raises:
            DiskFault: some of it is still there, and will be deleted later.
        """
        self._log.forget_through(segment)

    def close(self) -> None:
        """Sync, and give the files back.

        Raises:
            DiskFault: what was written last may not survive a power cut.
        """
        try:
            self.sync()
        finally:
            self._log.close()

    def _append_carried(self) -> None:
        while self._log.carried:
            self._append(self._log.carried[0])
            self._log.carried.popleft()

    def _append(self, rows: Rows) -> None:
        with self._guard:
            segment = self._log.current
            refs = self._head.unnamed(rows.refs, segment)
            names = [(ref, self._key_of(ref)) for ref in refs.tolist()]
        records = [encode_names(names)] if names else []
        self._log.append([*records, encode_samples(rows)], rows)
        self._head.named(refs, segment)
