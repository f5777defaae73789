"""Memory that was needed once and is kept for nothing."""

import ctypes
import re
import sys
from pathlib import Path
from typing import Final

_MADV_DONTNEED: Final = 4
# A mapping that nobody can write, and of which no page differs from the disk.
_MAPPING: Final = re.compile(
    r"^([0-9a-f]+)-([0-9a-f]+) r-[x-]p \S+ \S+ \S+ +(\S.*)\n(?:\w+: .*\n)*?Anonymous: +0 kB",
    re.MULTILINE,
)
_COMPILER: Final = "libllvmlite"


def give_back_compiler() -> None:
    """Let go of the compiler's code, which fills 70 MB and rests once the kernels are loaded.

    Only pages that are as on the disk are dropped; they come back by themselves when the compiler
    is called again. Also returns to the system what malloc holds free. Does nothing
    where it cannot be done.
    """
    if sys.platform != "linux":
        return
    try:
        libc = ctypes.CDLL(None, use_errno=True)
        maps = Path("/proc/self/smaps").read_text(encoding="utf-8")
    except OSError:
        return
    for start, end, path in _MAPPING.findall(maps):
        if Path(path).name.startswith(_COMPILER):
            low, high = int(start, 16), int(end, 16)
            libc.madvise(ctypes.c_void_p(low), ctypes.c_size_t(high - low), _MADV_DONTNEED)
    libc.malloc_trim(0)
