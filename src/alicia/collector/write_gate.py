"""Whether samples may be written now: closed by a full disk or a fault, and opened by itself."""

import logging
from typing import Final

from alicia.adapters.disk_space import DiskSpace
from alicia.adapters.health import Check, Condition
from alicia.base.counters import Counters
from alicia.tsdb.ports import DiskFault, DiskFull
from alicia.tsdb.store import Store

_LOG: Final = logging.getLogger(__name__)


class StoreFailed(DiskFault):
    """Writing failed for a reason that we did not foresee.

    To whoever waits it is as if the disk had refused: nothing was acknowledged, try again.
    """

    code = "store_failed"


class WriteGate:
    """Asked and told by the store's thread, told of the disk by the loop.

    Below the reserve it is closed. After a fault one attempt goes through at each look at the
    disk, since a quota or a limit of file size does not show in the free space.
    Source: reliability.md §4.
    """

    def __init__(self, store: Store, counters: Counters) -> None:
        self._store = store
        self._counters = counters
        self._space = "free space not looked at yet"
        self._low: DiskFull | None = None
        self._fault: DiskFault | None = None  # of the last attempt, None where it went well
        self._may_try = True
        self._unforeseen = 0

    # --- in the loop

    def looked(self, space: DiskSpace | None) -> None:
        """Take note of a look at the disk, which may have told nothing; let one attempt through."""
        low = None
        if space is not None:
            self._space = space.sentence()
            low = DiskFull(self._space) if space.is_low else None
        if (low is None) != (self._low is None):
            _LOG.warning("the disk: %s", self._space)
        self._low = low
        self._may_try = True
        damage, sync_failures = self._store.log_troubles()
        self._count("log_damaged_records", damage.records)
        self._count("log_sync_failures", sync_failures)
        self._count("store_failures", self._unforeseen)

    def check(self) -> Check:
        """What ``/health`` says of writing."""
        if self._low is not None:
            return Check(Condition.UNHEALTHY, str(self._low))
        if self._fault is not None:
            detail = f"nothing can be written, with {self._space}: {self._fault}"
            return Check(Condition.UNHEALTHY, f"{detail}; tried again every second")
        flaws = self._flaws()
        if flaws:
            return Check(Condition.DEGRADED, "; ".join(flaws))
        return Check(Condition.HEALTHY, "samples are written")

    def _flaws(self) -> list[str]:
        """What went wrong since the start and was got over, but should be looked at."""
        flaws = []
        damage, failures = self._store.log_troubles()
        if damage.records:
            flaws.append(
                f"the log was damaged in {damage.records} places, {damage.bytes} bytes could not"
                " be read; look at metrics/wal/*.corrupt, and delete it"
            )
        if failures:
            flaws.append(
                f"{failures} syncs of the log failed, its samples were written anew; check the disk"
            )
        if self._unforeseen:
            flaws.append(f"{self._unforeseen} writes failed; report what the collector logged")
        return flaws

    def _count(self, family: str, total: int) -> None:
        more = total - self._counters.total(family)
        if more:
            self._counters.add(family, count=more)

    # --- in the store's thread

    def refusal(self) -> DiskFault | None:
        """Why nothing may be written now; None lets the caller try, and tell how it went."""
        if self._low is not None:
            return self._low
        if self._fault is None or self._may_try:
            self._may_try = False
            return None
        return self._fault

    def worked(self) -> None:
        """Samples were written."""
        if self._fault is not None:
            _LOG.warning("samples are written again")
        self._fault = None

    def failed(self, fault: DiskFault) -> None:
        """The disk refused."""
        if self._fault is None:  # once, however often it is tried
            _LOG.error("samples cannot be written: %s", fault, extra={"code": fault.code})
        self._fault = fault

    def broke(self, error: Exception) -> StoreFailed:
        """A mistake of ours came to light; to be called where it was caught. What to tell of it."""
        if self._fault is None:
            _LOG.exception("the store failed")
        self._unforeseen += 1
        told = StoreFailed(f"the store failed ({type(error).__name__}); nothing was acknowledged")
        self._fault = told
        return told
