"""What ``/health`` answers: a few checks, and the worst of them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from alicia.base.clock import Clock
from alicia.base.counters import Counters
from alicia.base.times import seconds
from alicia.base.version import __version__

SERVICE: Final = "event_scheduler"


class Condition(IntEnum):
    """How well a part does; the worst counts for the whole."""

    HEALTHY = 0
    DEGRADED = 1
    UNHEALTHY = 2

    @property
    def word(self) -> str:
        """As the API writes it."""
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class Check:
    """One part's condition; ``detail`` is a sentence for people."""

    condition: Condition
    detail: str


class Health:
    """Asks every check when asked itself; a check must be quick and must not raise."""

    def __init__(
        self,
        checks: Mapping[str, Callable[[], Check]],
        *,
        mqtt_connected: Callable[[], bool],
        clock: Clock,
        counters: Counters,
    ) -> None:
        self._checks = dict(checks)
        self._mqtt_connected = mqtt_connected
        self._clock = clock
        self._counters = counters
        self._started_ms = clock.monotonic_ms()

    @property
    def uptime_seconds(self) -> float:
        """Since the start of the service."""
        return (self._clock.monotonic_ms() - self._started_ms) / 1000

    def answer(self, *, with_details: bool = True) -> dict[str, object]:
        """The body of ``/health``; details may hold addresses, so not everybody gets them."""
        found = {name: check() for name, check in self._checks.items()}
        worst = max(check.condition for check in found.values())
        return {
            "service_name": SERVICE,
            "status": worst.word,
            "uptime": self.uptime_seconds,
            "version": __version__,
            "mqtt_connected": self._mqtt_connected(),
            "messages_processed": self._counters.total("messages"),
            "errors": sum(self._counters.total(f"{part}_errors") for part in _PARTS),
            "timestamp": seconds(self._clock.now_ms()),
            "checks": {
                name: {
                    "status": check.condition.word,
                    "detail": check.detail if with_details else "",
                }
                for name, check in found.items()
            },
        }


_PARTS: Final = ("ledger", "lease", "plan", "dispatch", "execution", "loop")
