"""The last refused inputs, so that a sender's owner can see what was wrong."""

from collections import Counter, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from alicia.base.clock import Clock
from alicia.base.counters import Counters
from alicia.base.limits import REJECTS_KEPT
from alicia.base.times import seconds
from alicia.wire.redact import redact, redact_text
from alicia.wire.rejects import Reject


@dataclass(frozen=True, slots=True)
class Refusal:
    """One reject, when and where it came in; ``payload`` is redacted, None where unreadable."""

    at_ms: int
    entry: str  # a topic, or ``http``
    reject: Reject
    payload: object

    def to_api(self, *, with_payload: bool) -> dict[str, object]:
        """One row of ``GET /api/v1/rejects``; payloads are for admins."""
        row: dict[str, object] = {
            "timestamp": seconds(self.at_ms),
            "entry": self.entry,
            **self.reject.to_api(),
        }
        if with_payload:
            row["payload"] = self.payload
        return row


class RejectLog:
    """Counts every reject under its code, and keeps the newest REJECTS_KEPT."""

    def __init__(self, counters: Counters, clock: Clock) -> None:
        self._counters = counters
        self._clock = clock
        self._kept: deque[Refusal] = deque(maxlen=REJECTS_KEPT)

    def add(self, entry: str, rejects: Sequence[Reject], payload: object = None) -> None:
        """Note the rejects of one body; ``payload`` is the decoded body."""
        at_ms = self._clock.now_ms()
        if isinstance(payload, dict):
            payload = payload.get("metrics", payload)
        for code, count in Counter(reject.code for reject in rejects).items():
            self._counters.add("rejected", code, count)
        for reject in rejects[-REJECTS_KEPT:]:
            item = payload
            if isinstance(payload, Sequence) and not isinstance(payload, str | bytes):
                item = payload[reject.index] if reject.index < len(payload) else None
            safe = Reject(reject.index, reject.code, redact_text(reject.detail))
            self._kept.append(Refusal(at_ms, redact_text(entry), safe, redact(item)))

    def add_counted(self, entry: str, first: Sequence[Reject], counts: Mapping[str, int]) -> None:
        """Note the first rejects of a body that is too large to list them all; ``counts`` does."""
        self.add(entry, first)
        listed = Counter(reject.code for reject in first)
        for code, count in counts.items():
            self._counters.add("rejected", code, count - listed[code])

    def newest(self) -> list[Refusal]:
        """What is kept, newest first."""
        return list(reversed(self._kept))
