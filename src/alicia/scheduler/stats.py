"""What ``GET /stats`` tells: totals, lag, backlog, refusals."""

from collections.abc import Mapping

from alicia.adapters.health import Health
from alicia.base.clock import Clock
from alicia.base.counters import Counters
from alicia.base.times import seconds
from alicia.scheduler.attempts import Attempts
from alicia.scheduler.commands import Inbox
from alicia.scheduler.dispatch import Dispatcher
from alicia.scheduler.notices import Notices
from alicia.scheduler.track import Tracker
from alicia.scheduling.ports import Ledger
from alicia.wire.ports import Bus


class Stats:
    """Gathers the numbers of all parts."""

    def __init__(
        self,
        *,
        ledger: Ledger,
        dispatcher: Dispatcher,
        tracker: Tracker,
        attempts: Attempts,
        inbox: Inbox,
        notices: Notices,
        health: Health,
        bus: Bus,
        clock: Clock,
        counters: Counters,
    ) -> None:
        self._ledger = ledger
        self._dispatcher = dispatcher
        self._tracker = tracker
        self._attempts = attempts
        self._inbox = inbox
        self._notices = notices
        self._health = health
        self._bus = bus
        self._clock = clock
        self._counters = counters

    def rejects(self) -> Mapping[str, object]:
        """The reply of ``GET /api/v1/rejects``."""
        return {
            "rejects": list(self._inbox.refusals),
            "total": self._counters.by_label("rejected"),
        }

    async def answer(self) -> Mapping[str, object]:
        """The reply; totals are those of the ledger, rates and lags those of this process."""
        totals = await self._ledger.totals()
        state = self._bus.state
        return {
            "uptime": self._health.uptime_seconds,
            "events": {"total": sum(totals.events.values()), "by_status": totals.events},
            "executions": {
                "total": totals.runs,
                "succeeded": totals.successes,
                "failed": totals.failures,
                "missed": totals.misses,
                "open": len(self._tracker),
            },
            "lag": self._attempts.lags.to_api(),
            "clock_steps": self._dispatcher.clock_steps,
            "bus": {
                "connected": state.connected,
                "protocol": state.protocol,
                "reconnects": state.reconnects,
                "waiting": len(self._notices),
            },
            "rejected_total": self._counters.by_label("rejected"),
            "rejects": list(self._inbox.refusals),
            "counters": self._counters.snapshot(),
            "timestamp": seconds(self._clock.now_ms()),
        }
