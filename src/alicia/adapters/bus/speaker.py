"""What a service says on the bus under its own name, and how it comes and goes."""

import asyncio
from collections.abc import Iterable, Mapping
from typing import Final, final

from alicia.base.clock import Clock, Random, uuid7
from alicia.base.counters import Counters
from alicia.base.version import __version__
from alicia.wire.envelope import seal
from alicia.wire.ports import Bus, BusUnavailable, Publication, PublishRefused
from alicia.wire.topics import Topics

GOOD_BYE_SECONDS_MAX: Final = 0.5
Payload = Mapping[str, object]


@final
class Speaker:
    """Seals payloads under the name of ``service``, and sends them where a broker is connected.

    What cannot be sent is counted under ``unsent``.
    """

    def __init__(
        self,
        service: str,
        topics: Topics,
        *,
        node: str,
        clock: Clock,
        random: Random,
        counters: Counters,
    ) -> None:
        self.service = service
        self.topics = topics
        self._node = node
        self._clock = clock
        self._random = random
        self._counters = counters

    def publication(self, topic: str, payload: Payload, *, message_id: str = "") -> Publication:
        """A sealed message; every payload of ours carries the node that sent it."""
        now_ms = self._clock.now_ms()
        body = seal(
            {**payload, "node": self._node},
            source=self.service,
            message_id=message_id or self.new_id(),
            now_ms=now_ms,
            destination="broadcast",
        )
        return Publication(topic, body)

    def new_id(self) -> str:
        """A fresh message id."""
        return uuid7(now_ms=self._clock.now_ms(), random=self._random)

    async def say(
        self, bus: Bus, publication: Publication, *, seconds_max: float | None = None
    ) -> bool:
        """Send once; what cannot be sent is counted and given up, since a newer one follows.

        ``seconds_max`` bounds the wait for the broker's answer; None leaves that to the bus.
        """
        try:
            async with asyncio.timeout(seconds_max):
                await bus.publish(publication)
        except TimeoutError:
            self._counters.add("unsent", "timeout")
            return False
        except (BusUnavailable, PublishRefused) as error:
            self._counters.add("unsent", error.code)
            return False
        return True


@final
class Presence:
    """Register on connect, unregister on a clean stop, the will in between, health when asked.

    Source: bus.md L1, L8.
    """

    def __init__(self, speaker: Speaker, clock: Clock, *, capabilities: Iterable[str]) -> None:
        self._speaker = speaker
        self._capabilities = tuple(capabilities)
        self._started = clock.now_ms() / 1000

    def will(self) -> Publication:
        """What the broker says for us when we vanish."""
        return self._health({"service_name": self._speaker.service, "status": "offline"})

    async def arrive(self, bus: Bus, *, port: int) -> None:
        """Say that we are there."""
        registration = self._presence(self._speaker.topics.register, "online", port)
        await self._speaker.say(bus, registration)

    async def leave(self, bus: Bus, *, port: int) -> None:
        """Say good-bye; a broker that hangs holds us up for GOOD_BYE_SECONDS_MAX at most."""
        farewell = self._presence(self._speaker.topics.unregister, "offline", port)
        await self._speaker.say(bus, farewell, seconds_max=GOOD_BYE_SECONDS_MAX)

    async def answer_poke(self, bus: Bus, health: Payload) -> None:
        """Report our health, as every service of the fleet does when asked."""
        await self._speaker.say(bus, self._health(health))

    def _health(self, payload: Payload) -> Publication:
        topic = self._speaker.topics.health_of(self._speaker.service)
        return self._speaker.publication(topic, payload)

    def _presence(self, topic: str, status: str, port: int) -> Publication:
        payload = {
            "service_name": self._speaker.service,
            "instance_id": self._speaker.service,
            "status": status,
            "timestamp": self._started,
            "capabilities": self._capabilities,
            "version": __version__,
            "port": port,
        }
        return self._speaker.publication(topic, payload)
