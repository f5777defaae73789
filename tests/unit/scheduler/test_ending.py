"""A stop takes every step, whatever becomes of the ones before."""

import asyncio

import pytest

from alicia.scheduler.ending import Step, end_in_order


class Parts:
    """Notes what was ended; each part ends as it is told."""

    def __init__(self) -> None:
        self.ended: list[str] = []

    def step(self, name: str, *, fails: bool = False, hangs: bool = False, s: float = 30) -> Step:
        async def end() -> None:
            if fails:
                raise RuntimeError("a fault of ours")
            if hangs:
                await asyncio.get_running_loop().create_future()
            self.ended.append(name)

        return Step(name, end, s)


async def test_neither_a_fault_nor_a_hang_keeps_the_rest_from_ending(
    caplog: pytest.LogCaptureFixture,
) -> None:
    parts = Parts()
    steps = [
        parts.step("a"),
        parts.step("b", fails=True),
        parts.step("c", hangs=True, s=0.01),
        parts.step("d"),
    ]
    await end_in_order(steps, seconds_max=30)
    assert parts.ended == ["a", "d"]
    assert [record.args for record in caplog.records] == [("b",), ("c",)]


async def test_all_together_have_a_bound_too() -> None:
    parts = Parts()
    async with asyncio.timeout(10):
        await end_in_order([parts.step(n, hangs=True) for n in "abc"], seconds_max=0.05)
    assert parts.ended == []
