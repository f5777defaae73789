"""What health_monitor reports, on its way into the list of alerts."""

import math
from collections.abc import Container
from typing import Final

from alicia.alerting.evaluation import Evaluation
from alicia.alerting.foreign import Told, absorb
from alicia.alerting.kinds import kind_of_text
from alicia.alerting.memory import RuleMemory
from alicia.alerting.rule import Severity
from alicia.base.counters import Counters
from alicia.wire.envelope import Unwrapped
from alicia.wire.monitor import MonitorAlert, decode_monitor_alerts
from alicia.wire.ports import Message
from alicia.wire.topics import Topics

MONITOR: Final = "health_monitor"
# Where its alerts are remembered; no rule can have a name with a slash.
MEMORY: Final = f"bus/{MONITOR}"
WAITING_MAX: Final = 1000
_SEVERITIES: Final = {
    **{item.value: item for item in Severity},
    "low": Severity.INFO,
    "medium": Severity.WARNING,
    "high": Severity.ERROR,
    "fatal": Severity.CRITICAL,
    "emergency": Severity.CRITICAL,
}


class ForeignAlerts:
    """Gathers what health_monitor says until the rules take it.

    Family counted: ``foreign_alerts`` by ``told dropped``.
    """

    def __init__(self, topics: Topics, counters: Counters, registered: Container[str]) -> None:
        self._topic = topics.monitor_alerts
        self._counters = counters
        self._registered = registered
        self._waiting: list[Told] = []

    def observe(self, message: Message, opened: Unwrapped) -> None:
        """Take in one message of a peer; never raises.

        A retained one is what was so once, and only the monitor speaks for itself.
        """
        if message.topic != self._topic or message.retained:
            return
        if opened.source not in ("", MONITOR):
            return
        for alert in decode_monitor_alerts(opened.value, self._registered):
            if len(self._waiting) >= WAITING_MAX:
                self._counters.add("foreign_alerts", "dropped")
                continue
            self._counters.add("foreign_alerts", "told")
            self._waiting.append(_told(alert))

    def step(self, memory: RuleMemory, *, now_ms: int) -> Evaluation | None:
        """The alerts after what came since the last call; None where there is nothing to do."""
        told, self._waiting = self._waiting, []
        if not told and not memory.alerts:
            return None
        return absorb(MONITOR, memory, told, now_ms=now_ms)


def _told(alert: MonitorAlert) -> Told:
    return Told(
        service=alert.service,
        instance=alert.instance or alert.service,
        kind=kind_of_text(alert.kind),
        severity=_SEVERITIES.get(alert.severity, Severity.WARNING),
        message=alert.message,
        value=math.nan if alert.value is None else alert.value,
        threshold=alert.threshold,
        over=alert.over,
    )
