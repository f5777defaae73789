"""What ``/health`` answers: a few checks, and the worst of them."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import IntEnum

from alicia.base.clock import Clock
from alicia.base.counters import Counters
from alicia.base.times import seconds
from alicia.base.version import __version__
from alicia.wire.ports import Bus


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
    """Asks every check when asked itself; a check must be quick and must not raise.

    ``processed`` and ``errors`` name the families of ``counters`` that the answer adds up.
    """

    def __init__(
        self,
        service: str,
        checks: Mapping[str, Callable[[], Check]],
        *,
        bus: Bus,
        clock: Clock,
        counters: Counters,
        processed: Iterable[str],
        errors: Iterable[str],
    ) -> None:
        self._service = service
        self._checks = {"mqtt": lambda: check_bus(bus), **checks}
        self._bus = bus
        self._clock = clock
        self._counters = counters
        self._processed = tuple(processed)
        self._errors = tuple(errors)
        self._started_ms = clock.monotonic_ms()

    @property
    def uptime_seconds(self) -> float:
        """Since the start of the service."""
        return (self._clock.monotonic_ms() - self._started_ms) / 1000

    def condition(self) -> Condition:
        """The worst of all checks."""
        return max(check().condition for check in self._checks.values())

    def answer(self, *, with_details: bool = True) -> dict[str, object]:
        """The body of ``/health``; details may hold addresses, so not everybody gets them."""
        found = {name: check() for name, check in self._checks.items()}
        return {
            "service_name": self._service,
            "status": max(check.condition for check in found.values()).word,
            "uptime": self.uptime_seconds,
            "version": __version__,
            "mqtt_connected": self._bus.state.connected,
            "messages_processed": self._sum(self._processed),
            "errors": self._sum(self._errors),
            "timestamp": seconds(self._clock.now_ms()),
            "checks": {
                name: {
                    "status": check.condition.word,
                    "detail": check.detail if with_details else "",
                }
                for name, check in found.items()
            },
        }

    def _sum(self, families: Iterable[str]) -> int:
        return sum(self._counters.total(family) for family in families)


def check_bus(bus: Bus) -> Check:
    """Without a broker HTTP goes on, so that its loss only degrades."""
    state = bus.state
    return Check(Condition.HEALTHY if state.connected else Condition.DEGRADED, state.detail)
