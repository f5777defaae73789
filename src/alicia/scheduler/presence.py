"""Register on connect, unregister on a clean stop, answer the poke, the will in between.

Source: bus.md L1, L8.
"""

import logging
from collections.abc import Callable, Mapping
from typing import Final

from alicia.base.clock import Clock, Random, uuid7
from alicia.base.version import __version__
from alicia.scheduler.health import SERVICE
from alicia.wire.envelope import seal
from alicia.wire.ports import Bus, BusUnavailable, Publication, PublishRefused
from alicia.wire.topics import Topics

_CAPABILITIES: Final = ("scheduling", "events", "executions")
_log = logging.getLogger(__name__)


class Presence:
    """What the scheduler says about itself; each message is worth one try, a newer one follows."""

    def __init__(self, topics: Topics, *, node: str, clock: Clock, random: Random) -> None:
        self._topics = topics
        self._node = node
        self._clock = clock
        self._random = random
        self._started = clock.now_ms() / 1000

    def will(self) -> Publication:
        """What the broker says for us when we vanish."""
        return self._sealed(
            self._topics.health_of(SERVICE), {"service_name": SERVICE, "status": "offline"}
        )

    async def arrive(self, bus: Bus, *, port: int) -> None:
        """Say that we are there."""
        await self._say(bus, self._sealed(self._topics.register, self._card("online", port)))

    async def leave(self, bus: Bus, *, port: int) -> None:
        """Say good-bye."""
        await self._say(bus, self._sealed(self._topics.unregister, self._card("offline", port)))

    async def answer_poke(self, bus: Bus, health: Callable[[], Mapping[str, object]]) -> None:
        """Report our health, as every service of the fleet does when asked."""
        await self._say(bus, self._sealed(self._topics.health_of(SERVICE), health()))

    def _card(self, status: str, port: int) -> Mapping[str, object]:
        return {
            "service_name": SERVICE,
            "instance_id": SERVICE,
            "status": status,
            "timestamp": self._started,
            "capabilities": _CAPABILITIES,
            "version": __version__,
            "port": port,
        }

    def _sealed(self, topic: str, payload: Mapping[str, object]) -> Publication:
        now_ms = self._clock.now_ms()
        body = seal(
            {**payload, "node": self._node},
            source=SERVICE,
            message_id=uuid7(now_ms=now_ms, random=self._random),
            now_ms=now_ms,
            destination="broadcast",
        )
        return Publication(topic, body)

    async def _say(self, bus: Bus, publication: Publication) -> None:
        try:
            await bus.publish(publication)
        except (BusUnavailable, PublishRefused) as error:
            _log.warning("a message on %s was not sent: %s", publication.topic, error)
