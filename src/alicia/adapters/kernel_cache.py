"""Where compiled kernels are kept; it is decided before the first of them is imported."""

import os
import stat
import sys
from pathlib import Path
from typing import Final

_VARIABLE: Final = "NUMBA_CACHE_DIR"
# `make setup` compiles into the environment, so that a first start need not.
_OF_ENVIRONMENT: Final = Path(sys.prefix) / "var" / "alicia" / "kernels"


def use_kernel_cache(data_dir: Path) -> None:
    """Choose the environment's own cache where `make setup` made one, else the data folder's.

    What is in a cache is executed, so that nobody else may write there. A NUMBA_CACHE_DIR in the
    environment is left alone.
    """
    if _VARIABLE in os.environ:
        return
    folder = _OF_ENVIRONMENT
    if not _is_safe(folder):
        folder = data_dir / "cache" / "numba"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.environ[_VARIABLE] = str(folder)


def _is_safe(folder: Path) -> bool:
    try:
        found = folder.stat()
    except OSError:
        return False
    return found.st_uid in (0, os.geteuid()) and not found.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
