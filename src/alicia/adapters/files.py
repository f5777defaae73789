"""Small files of ours: private, replaced as a whole, changed by one process at a time."""

import contextlib
import errno
import fcntl
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

PRIVATE_FILE: Final = 0o600
PRIVATE_FOLDER: Final = 0o700
PRIVATE_UMASK: Final = 0o077
_FIXES: Final[Mapping[int, str]] = {
    errno.ENOSPC: "free some space on that disk",
    errno.EDQUOT: "free some space: the quota is used up",
    errno.EROFS: "make it writable, or choose another folder with --data-dir",
    errno.EACCES: "give this user the right to it, or choose another folder with --data-dir",
    errno.EPERM: "give this user the right to it, or choose another folder with --data-dir",
    errno.EEXIST: "it is no folder; choose another one with --data-dir",
    errno.ENOTDIR: "it is no folder; choose another one with --data-dir",
    errno.EIO: "the disk fails; look into the log of the system",
    errno.EMFILE: "raise the limit of open files (ulimit -n)",
}


def fault(error: OSError, place: Path | None = None) -> str | None:
    """The file, the reason and the fix on one line; ``place`` where the error names no file.

    None where neither is known and no fix: then it is no matter of files, and may be our mistake.
    """
    fix = _FIXES.get(error.errno or 0)
    where = error.filename or place
    if where is None and fix is None:
        return None
    said = [str(where) if where else "the system", error.strerror or type(error).__name__]
    return ": ".join(said) + (f"; {fix}" if fix else "")


def make_private_folder(path: Path) -> None:
    """Create a folder that only its owner may enter; an existing one keeps its rights."""
    path.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)


def write_atomically(path: Path, content: bytes) -> None:
    """Replace a file by new content: a reader, and a crash, see the old or the new one.

    Raises:
        OSError: nothing was changed; it names ``path``, also where the system named nothing.
    """
    aside = path.with_name(f".{path.name}.{os.getpid()}.new")
    try:
        _write(aside, content)
        aside.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            aside.unlink(missing_ok=True)
        raise OSError(error.errno, error.strerror, str(path)) from error
    _sync_folder(path.parent)


def _write(path: Path, content: bytes) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, PRIVATE_FILE)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def create_once(path: Path, content: bytes) -> bytes:
    """Create a private file unless it exists, and return what it then holds.

    Two processes that start together get the same content.
    """
    aside = path.with_name(f".{path.name}.{os.getpid()}.new")
    if not path.exists():
        write_atomically(aside, content)
        try:
            os.link(aside, path)  # unlike a rename, this never replaces
        except FileExistsError:
            pass
        finally:
            aside.unlink()
    return path.read_bytes()


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold an exclusive lock on ``path`` (created if needed) for the length of a block."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, PRIVATE_FILE)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)  # which releases the lock


def _sync_folder(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
