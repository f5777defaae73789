"""Health over HTTP, for services that are silent on the bus.

Source: bus.md L2, security.md §5.
"""

from collections.abc import Container
from typing import Final

from alicia.adapters.http.outbound import Outbound, OutboundFailed
from alicia.adapters.http.targets import OutboundRefused
from alicia.base.clock import Clock
from alicia.base.counters import Counters
from alicia.base.sighting import Sighting
from alicia.fleet.poke import Poll
from alicia.wire.fleet import health_sighting, polled_name
from alicia.wire.json import Undecodable, decode_bounded

TIMEOUT_MS: Final = 2000


class HealthPoller:
    """Sends ``GET /health``: fixed path, no credentials, only parsed fields are kept.

    Family counted: ``polls`` by ``ok failed refused foreign``.
    """

    def __init__(self, outbound: Outbound, clock: Clock, counters: Counters) -> None:
        self._outbound = outbound
        self._clock = clock
        self._counters = counters

    async def ask(self, poll: Poll, registered: Container[str]) -> Sighting | None:
        """What the service says of itself; None where it does not answer, or another does."""
        try:
            reply = await self._outbound.request(
                "GET", poll.url, timeout_ms=TIMEOUT_MS, owners_word=True
            )
            body = decode_bounded(reply.body)
        except (OutboundFailed, Undecodable):
            self._counters.add("polls", "failed")
            return None
        except OutboundRefused:
            self._counters.add("polls", "refused")
            return None
        if not isinstance(body, dict) or polled_name(body, registered) != poll.service:
            self._counters.add("polls", "foreign")  # another service sits on that port
            return None
        self._counters.add("polls", "ok")
        return health_sighting(
            body,
            service=poll.service,
            instance=poll.instance,
            received_ms=self._clock.now_ms(),
        )
