"""One writer per data folder and service: a lock that dies with its holder."""

import contextlib
import errno
import fcntl
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Final, final

import msgspec

from alicia.adapters.files import PRIVATE_FILE, PRIVATE_UMASK, fault, make_private_folder
from alicia.base.errors import AliciaError, Kind

_INFO_BYTES_MAX: Final = 4096
_BUSY: Final = (errno.EAGAIN, errno.EACCES)


class DataLocked(AliciaError):
    """Another process writes this data folder; the message names it."""

    code: ClassVar[str] = "data_locked"
    kind: ClassVar[Kind] = Kind.CONFLICT


class BadDataDir(AliciaError):
    """The data folder cannot be created or written; the message says why and what to do."""

    code: ClassVar[str] = "bad_data_dir"
    kind: ClassVar[Kind] = Kind.DENIED


class NoLocks(AliciaError):
    """The file system of the data folder knows no locks, so nothing could protect the data."""

    code: ClassVar[str] = "no_locks"
    kind: ClassVar[Kind] = Kind.UNAVAILABLE


@final
class DataLock:
    """The lock file of one service, such as ``DATA_DIR/collector.lock``.

    The system drops the lock when the process ends, however it ends; the file stays, since
    removing it would let two processes lock two different files of that name.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._handle: int | None = None

    def acquire(self, info: Mapping[str, object] | None = None) -> None:
        """Take the lock; the folder is created, private, if needed.

        Our pid and ``info`` (an address, say) are written into the file for whoever comes second.
        From now on all that this process creates is its owner's alone (umask 077).

        Raises:
            BadDataDir: the folder or the file in it cannot be created.
            DataLocked: another process holds it.
            NoLocks: locks do not work there, as on some network file systems.
        """
        assert self._handle is None, "a lock is taken once"
        os.umask(PRIVATE_UMASK)
        handle = self._open()
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            refusal = self._refusal(error, handle)
            os.close(handle)
            raise refusal from None
        self._handle = handle
        self.note(info or {})

    def note(self, info: Mapping[str, object]) -> None:
        """Replace what the file says about us, as when the port becomes known.

        It is a courtesy: on a full disk the file says nothing, and the lock holds all the same.
        """
        assert self._handle is not None, "acquire() first"
        content = msgspec.json.encode({"pid": os.getpid(), **info}) + b"\n"
        assert len(content) <= _INFO_BYTES_MAX, "a few words suffice"
        with contextlib.suppress(OSError):
            os.ftruncate(self._handle, 0)
            os.pwrite(self._handle, content, 0)

    def release(self) -> None:
        """Give the lock up; safe to call twice."""
        handle, self._handle = self._handle, None
        if handle is not None:
            os.ftruncate(handle, 0)
            os.close(handle)

    def _open(self) -> int:
        folder = self._path.parent
        try:
            make_private_folder(folder)
            return os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, PRIVATE_FILE)
        except OSError as error:
            raise BadDataDir(f"the data folder cannot be used: {fault(error, folder)}") from None

    def _refusal(self, error: OSError, handle: int) -> AliciaError:
        if error.errno not in _BUSY:
            return NoLocks(
                f"{self._path}: cannot be locked ({error.strerror}); choose a DATA_DIR on a"
                " local disk"
            )
        return DataLocked(
            f"{self._path.parent} is in use by another {self._path.stem}{_holder(handle)};"
            " stop it, or choose another DATA_DIR"
        )


def _holder(handle: int) -> str:
    try:
        info = msgspec.json.decode(os.pread(handle, _INFO_BYTES_MAX, 0), type=dict[str, Any])
    except (msgspec.MsgspecError, OSError):
        return ""  # caught between its lock and its note
    words = " ".join(f"{name} {value}" for name, value in info.items())
    return f" ({words})"
