"""Small files of ours: private, replaced as a whole, changed by one process at a time."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

PRIVATE_FILE: Final = 0o600
PRIVATE_FOLDER: Final = 0o700
PRIVATE_UMASK: Final = 0o077


def make_private_folder(path: Path) -> None:
    """Create a folder that only its owner may enter; an existing one keeps its rights."""
    path.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)


def write_atomically(path: Path, content: bytes) -> None:
    """Replace a file by new content: a reader, and a crash, see the old or the new one."""
    aside = path.with_name(f".{path.name}.{os.getpid()}.new")
    handle = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, PRIVATE_FILE)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    aside.replace(path)
    _sync_folder(path.parent)


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
