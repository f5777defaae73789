"""Where compiled kernels are kept; it is decided before the first of them is imported."""

import os
import stat
import sys
from hashlib import sha256
from pathlib import Path
from shutil import rmtree
from typing import Final

_VARIABLE: Final = "NUMBA_CACHE_DIR"
_KERNELS: Final = Path(__file__).parents[1] / "tsdb" / "kernels"
_DIGITS: Final = 16


def use_kernel_cache(data_dir: Path) -> None:
    """Choose the environment's own cache where `make setup` made one, else the data folder's.

    What is in a cache is executed, so that nobody else may write there. A NUMBA_CACHE_DIR in the
    environment is left alone.
    """
    if _VARIABLE in os.environ:
        return
    folder = cache_of_environment()
    if not _is_safe(folder):
        folder = made_cache(data_dir / "cache" / "numba" / source_digest())
    os.environ[_VARIABLE] = str(folder)


def cache_of_environment() -> Path:
    """Where `make setup` compiles into, so that a first start need not."""
    return Path(sys.prefix) / "var" / "alicia" / "kernels" / source_digest()


def source_digest(sources: Path = _KERNELS) -> str:
    """What tells the source of all kernels from any other.

    A compiled kernel contains those that it calls, yet numba compiles one anew only when its own
    file has changed. Under a name made of all files nothing old is ever found.
    """
    digest = sha256()
    for path in sorted(sources.glob("*.py")):
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:_DIGITS]


def made_cache(folder: Path) -> Path:
    """The folder, empty if it is new; then those beside it are of other sources, and go."""
    if not folder.is_dir():
        rmtree(folder.parent, ignore_errors=True)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def _is_safe(folder: Path) -> bool:
    try:
        found = folder.stat()
    except OSError:
        return False
    return found.st_uid in (0, os.geteuid()) and not found.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
