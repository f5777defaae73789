"""Room on the disk, as a check of ``/health``."""

import asyncio
import errno
import os
from concurrent.futures import ThreadPoolExecutor

import pytest

from alicia.adapters.disk_space import DiskSpace
from alicia.adapters.health import Condition
from alicia.collector.disk import DiskWatch, judge_space


@pytest.mark.parametrize(
    ("free", "condition", "says"),
    [
        (9_999_999, Condition.UNHEALTHY, "writing is stopped"),
        (10_000_000, Condition.DEGRADED, "soon full"),
        (19_999_999, Condition.DEGRADED, "soon full"),
        (20_000_000, Condition.HEALTHY, "20 MB free, reserve 10 MB"),
    ],
)
def test_the_reserve_is_the_bound(free: int, condition: Condition, says: str) -> None:
    check = judge_space(DiskSpace(100_000_000, free, 10_000_000))
    assert check.condition is condition
    assert says in check.detail


async def test_a_look_is_kept_and_a_silent_file_system_is_told() -> None:
    answers: list[DiskSpace | OSError] = [
        OSError(errno.EIO, os.strerror(errno.EIO)),
        DiskSpace(100, 100, 1),
    ]

    def probe() -> DiskSpace:
        answer = answers.pop(0)
        if isinstance(answer, OSError):
            raise answer
        return answer

    seen: list[DiskSpace | None] = []
    with ThreadPoolExecutor(1) as io:
        watch = DiskWatch(probe, io, seen.append)
        assert watch.check().condition is Condition.HEALTHY
        await watch.look()
        assert watch.check().condition is Condition.DEGRADED
        assert "Input/output error" in watch.check().detail
        async with asyncio.timeout(10):
            await watch.look()
        assert watch.check().condition is Condition.HEALTHY
    assert seen == [None, DiskSpace(100, 100, 1)]
