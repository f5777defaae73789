"""Renewal goes on for ever, whatever one try at it came to."""

import asyncio

import pytest

from alicia.adapters.sql.errors import DatabaseDamaged
from alicia.base.counters import Counters
from alicia.base.errors import Unavailable
from alicia.scheduler.leasing import Leasing
from alicia.scheduling.lease import Lease


class FailingLedger:
    """Renews after it has raised what it was given."""

    def __init__(self, *faults: Exception) -> None:
        self.faults = list(faults)
        self.renewed = asyncio.Event()

    async def renew(self, lease: Lease) -> Lease:
        if self.faults:
            raise self.faults.pop(0)
        self.renewed.set()
        return lease


class LateClock:
    """So late that every look finds the lease old."""

    def monotonic_ms(self) -> int:
        return 60_000


async def test_renewal_outlives_every_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    counters = Counters()
    ledger = FailingLedger(
        Unavailable("away"), DatabaseDamaged("damaged"), RuntimeError("a fault of ours")
    )
    leasing = Leasing(
        ledger,  # type: ignore[arg-type]  # only renewal is asked for
        Lease("n1", "boot", 0),
        clock=LateClock(),  # type: ignore[arg-type]
        counters=counters,
    )
    turn = asyncio.sleep

    async def no_wait(_seconds: float) -> None:
        await turn(0)

    monkeypatch.setattr(asyncio, "sleep", no_wait)
    loop = asyncio.create_task(leasing.renew_loop())
    async with asyncio.timeout(10):
        await ledger.renewed.wait()
    loop.cancel()
    await asyncio.gather(loop, return_exceptions=True)
    assert counters.by_label("lease_errors") == {"unavailable": 1, "internal_error": 2}
