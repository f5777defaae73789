"""The compiler's code is dropped from memory, and comes back when it is called again."""

import re
import sys
from pathlib import Path

import pytest

from alicia.adapters.memory import give_back_compiler
from alicia.tsdb.kernels.bits import zigzag

_CODE = re.compile(r"r-xp .*libllvmlite.*\n(?:\w+: .*\n)*?Rss: +(\d+) kB", re.MULTILINE)


def resident_kb() -> int:
    smaps = Path("/proc/self/smaps").read_text(encoding="utf-8")
    return sum(int(size) for size in _CODE.findall(smaps))


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_code_that_rests_is_given_back() -> None:
    assert zigzag(-1) == 1
    before = resident_kb()
    give_back_compiler()
    assert resident_kb() < before
    zigzag.recompile()  # type: ignore[attr-defined]
    assert zigzag(-2) == 3
