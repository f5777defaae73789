"""Whether the broker still delivers: our own summary has to come back (bus.md D5)."""

from typing import Final

from alicia.adapters.health import Check, Condition

MISSES_MAX: Final = 2


class Canary:
    """Follows one message at a time; a new one ends the wait for the one before."""

    def __init__(self) -> None:
        self._waiting_id = ""
        self._sent_ms = 0
        self._misses = 0
        self._roundtrip_seconds: float | None = None

    def sent(self, message_id: str, *, monotonic_ms: int) -> None:
        """A message left, and the broker acknowledged the one before or will never deliver it."""
        self._misses = self._misses + 1 if self._waiting_id else 0
        self._waiting_id = message_id
        self._sent_ms = monotonic_ms

    def seen(self, message_id: str, *, monotonic_ms: int) -> float | None:
        """A summary came in: the round trip in seconds if it is the awaited one of ours."""
        if not self._waiting_id or message_id != self._waiting_id:
            return None
        self._waiting_id = ""
        self._misses = 0
        self._roundtrip_seconds = (monotonic_ms - self._sent_ms) / 1000
        return self._roundtrip_seconds

    def forget(self) -> None:
        """The connection ended: what was on its way says nothing about the broker."""
        self._waiting_id = ""
        self._misses = 0

    def check(self) -> Check:
        """Degraded after MISSES_MAX messages in a row that did not come back."""
        if self._misses >= MISSES_MAX:
            return Check(
                Condition.DEGRADED,
                f"the broker accepts but does not deliver: {self._misses} summaries in a row"
                " did not come back; look at its queues and access rules",
            )
        if self._roundtrip_seconds is None:
            return Check(Condition.HEALTHY, "no round trip measured yet")
        return Check(Condition.HEALTHY, f"round trip {self._roundtrip_seconds * 1000:.1f} ms")
