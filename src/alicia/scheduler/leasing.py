"""This node's right to act: renewed in time, and lost as soon as it may be somebody else's."""

import asyncio
import logging
from typing import Final

from alicia.base.clock import Clock
from alicia.base.counters import Counters
from alicia.base.errors import Unavailable
from alicia.scheduling.lease import Lease, may_act, must_renew
from alicia.scheduling.ports import Ledger

_LOOK_SECONDS: Final = 1.0
_log = logging.getLogger(__name__)


class Leasing:
    """Holds the lease of one boot of this node."""

    def __init__(self, ledger: Ledger, lease: Lease, *, clock: Clock, counters: Counters) -> None:
        self._ledger = ledger
        self._lease = lease
        self._clock = clock
        self._counters = counters
        self._held = asyncio.Event()

    @property
    def lease(self) -> Lease:
        """The lease as last renewed."""
        return self._lease

    def may_act(self) -> bool:
        """Whether this node may claim, publish and settle now."""
        held = self._held.is_set() and may_act(self._lease, monotonic_ms=self._clock.monotonic_ms())
        if not held:
            self._held.clear()
        return held

    async def acting(self) -> None:
        """Wait until this node may act."""
        while not self.may_act():
            await self._held.wait()

    async def acquire(self) -> None:
        """Take the lease for the first time.

        Raises:
            Unavailable: the ledger does not answer.
        """
        self._lease = await self._ledger.renew(self._lease)
        self._held.set()

    async def renew_loop(self) -> None:
        """Renew for ever; a ledger that does not answer is asked again a second later."""
        while True:
            await asyncio.sleep(_LOOK_SECONDS)
            if not must_renew(self._lease, monotonic_ms=self._clock.monotonic_ms()):
                continue
            try:
                await self.acquire()
            except Unavailable as error:
                self._counters.add("lease_errors", error.code)
                _log.warning("the lease was not renewed: %s", error)
            except Exception:  # the outermost frame of a long task
                self._counters.add("lease_errors", "internal_error")
                _log.exception("the lease was not renewed; it is tried again")

    async def release(self) -> None:
        """Give the lease up at a clean stop, so that nobody waits for its end."""
        self._held.clear()
        try:
            await self._ledger.release(self._lease)
        except Unavailable as error:
            _log.warning("the lease was not released, it ends by itself: %s", error)
