"""The audit log on disk: who changed what, a file a month.

Source: security.md §3.
"""

import asyncio
import logging
import os
import re
from collections import deque
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, final

from alicia.adapters.files import PRIVATE_FILE, make_private_folder
from alicia.adapters.http.audit_chain import Change, encode_line
from alicia.base.clock import Clock

KEEP_DAYS: Final = 90
_REFUSED_PER_MINUTE: Final = 60
_WAITING_MAX: Final = 10_000
_TAIL_BYTES: Final = 1 << 20
_MONTH: Final = re.compile(r"-(\d{4})-(\d{2})\.jsonl$")
_log: Final = logging.getLogger(__name__)


@final
class AuditLog:
    """The audit log of one service, a file a month; belongs to one event loop.

    record() never waits and never fails a request: lines are written by a thread, in order. What
    a disk refuses is tried again with the next change and at the end; ``faults`` counts refusals
    of the disk, and the lines that were given up because too many wait.
    """

    def __init__(self, folder: Path, service: str, clock: Clock) -> None:
        self._folder = folder
        self._service = service
        self._clock = clock
        self._waiting: deque[tuple[Change, int, int]] = deque()
        self._writer: asyncio.Task[None] | None = None
        self._previous: bytes | None = None
        self._opened: Path | None = None
        self._minute = self._refused = self._withheld = 0
        self.faults = 0

    def record(self, change: Change) -> None:
        """Take one line to be written."""
        now_ms = self._clock.now_ms()
        if change.refused and not self._room_for_refusal(now_ms // 60_000):
            self._withheld += 1
            return
        if len(self._waiting) >= _WAITING_MAX:
            self.faults += 1
            _log.error(
                "the audit log: the disk takes nothing, and too many lines wait for it: "
                "one is given up",
                extra={"code": "audit_lost"},
            )
            return
        self._waiting.append((change, now_ms, self._withheld))
        self._withheld = 0
        self._begin()

    async def settled(self) -> None:
        """Wait until all that was recorded is on the disk, or refused; part of a clean stop."""
        if self._waiting:
            self._begin()
        while self._writer is not None:
            await asyncio.wait([self._writer])

    def _begin(self) -> None:
        if self._writer is None:
            self._writer = asyncio.create_task(self._write_all(), name="audit")

    def _room_for_refusal(self, minute: int) -> bool:
        if minute != self._minute:
            self._minute, self._refused = minute, 0
        self._refused += 1
        return self._refused <= _REFUSED_PER_MINUTE

    async def _write_all(self) -> None:
        try:
            while self._waiting:
                batch, self._waiting = self._waiting, deque()
                try:
                    await asyncio.to_thread(self._write, batch)
                except OSError as error:
                    self.faults += 1
                    self._waiting.extendleft(reversed(batch))
                    _log.error("the audit log: %s", error, extra={"code": "audit_write"})
                    return
        finally:
            self._writer = None

    def _write(self, batch: deque[tuple[Change, int, int]]) -> None:
        """Append lines, each to the file of its month; runs in a thread, one call at a time.

        Raises:
            OSError: what ``batch`` still holds is not on the disk.
        """
        while batch:
            change, now_ms, withheld = batch[0]
            path = self._folder / month_file(self._service, now_ms)
            if path != self._opened:
                self._open(path, now_ms)
            line = encode_line(change, now_ms=now_ms, previous=self._previous, withheld=withheld)
            try:
                append_line(path, line)
            except OSError:
                self._opened = None  # look anew at what the file ends with
                raise
            self._previous = line
            batch.popleft()

    def _open(self, path: Path, now_ms: int) -> None:
        """Continue the chain of the newest file, and delete what is too old."""
        make_private_folder(self._folder)
        if self._opened is None:
            files = reversed(audit_files(self._folder, self._service))
            self._previous = next(filter(None, map(cut_torn_tail, files)), None)
        for old in audit_files(self._folder, self._service):
            if month_is_over(old.name, now_ms=now_ms):
                old.unlink()
        self._opened = path


def month_file(service: str, now_ms: int) -> str:
    """The name of the file that holds the changes of this moment."""
    return f"{service}-{datetime.fromtimestamp(now_ms / 1000, UTC):%Y-%m}.jsonl"


def audit_files(folder: Path, service: str) -> list[Path]:
    """The audit files of a service, oldest first."""
    return sorted(path for path in folder.glob(f"{service}-*.jsonl") if _MONTH.search(path.name))


def month_is_over(name: str, *, now_ms: int) -> bool:
    """Whether everything in the file of that month is older than KEEP_DAYS."""
    found = _MONTH.search(name)
    assert found is not None, "audit_files() lists only files of months"
    year, month = int(found[1]), int(found[2])
    end = datetime(year + month // 12, month % 12 + 1, 1, tzinfo=UTC)
    return datetime.fromtimestamp(now_ms / 1000, UTC) - end > timedelta(days=KEEP_DAYS)


def append_line(path: Path, line: bytes) -> None:
    """Add a line and its end to a file, on the disk when this returns.

    Raises:
        OSError: the file is as long as before, unless the disk refuses even that.
    """
    handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, PRIVATE_FILE)
    try:
        before = os.fstat(handle).st_size
        try:
            rest = memoryview(line + b"\n")
            while rest:  # a disk that is nearly full takes a part
                rest = rest[os.write(handle, rest) :]
            os.fsync(handle)
        except OSError:
            os.ftruncate(handle, before)
            raise
    finally:
        os.close(handle)


def cut_torn_tail(path: Path) -> bytes | None:
    """The last whole line; what a crash left behind it is cut off."""
    with path.open("r+b") as file:
        size, room = file.seek(0, os.SEEK_END), _TAIL_BYTES
        while True:
            start = max(0, size - room)
            file.seek(start)
            tail = file.read()
            if start == 0 or tail.count(b"\n") >= 2:  # then a line lies whole between them
                break
            room *= 2
        whole = tail[: tail.rfind(b"\n") + 1]
        if len(whole) < len(tail):
            file.truncate(start + len(whole))
    return whole.splitlines()[-1] if whole else None
