"""Clean-up: old history becomes range rows, old answers to Idempotency-Keys go."""

from typing import Final

from alicia.base.clock import Clock
from alicia.base.counters import Counters
from alicia.scheduling.ports import Ledger

ANSWERS_KEPT_US: Final = 24 * 3600 * 1_000_000
_BATCH: Final = 1000  # rows per transaction, so that claims never wait long behind one


class Cleanup:
    """One step per CLEANUP_INTERVAL."""

    def __init__(self, ledger: Ledger, *, keep: int, clock: Clock, counters: Counters) -> None:
        self._ledger = ledger
        self._keep = keep
        self._clock = clock
        self._counters = counters

    async def step(self) -> None:
        """Prune until nothing is left to prune.

        Raises:
            Unavailable: the ledger does not answer.
        """
        while gone := await self._ledger.prune(keep=self._keep, limit=_BATCH):
            self._counters.add("cleaned", "executions", gone)
        before_us = self._clock.now_us() - ANSWERS_KEPT_US
        self._counters.add("cleaned", "answers", await self._ledger.forget(before_us=before_us))
