"""Each adapter of the bus with its broker, behind one face for the contract suite."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from tests.support.brokers import BrokerProcess

from alicia.adapters.bus.address import parse_address
from alicia.adapters.bus.gmqtt import BusConfig, GmqttBus
from alicia.adapters.bus.memory import MemoryBroker, MemoryBus
from alicia.adapters.bus.packer import silence_gmqtt
from alicia.adapters.clock import SystemClock, SystemRandom
from alicia.base.counters import Counters
from alicia.wire.ports import Bus, BusState, Message, Publication


@dataclass
class Peer:
    """One client: what it received and how its connection went, each awaitable."""

    bus: Bus
    handle: Callable[[Message], Awaitable[None] | None] = lambda _message: None
    messages: list[Message] = field(default_factory=list)
    states: list[BusState] = field(default_factory=list)
    _changed: asyncio.Condition = field(default_factory=asyncio.Condition)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    async def start(self, *filters: str) -> None:
        await self.bus.start(self._receive, self._on_state)
        await self.bus.subscribe(filters)
        await self.until(lambda: self.bus.state.connected)

    async def until(self, true: Callable[[], bool], seconds: float = 20) -> None:
        async with asyncio.timeout(seconds), self._changed:
            await self._changed.wait_for(true)

    async def received(self, count: int) -> list[bytes]:
        """The bodies, once there are that many."""
        await self.until(lambda: len(self.messages) >= count)
        return [message.body for message in self.messages]

    def _receive(self, message: Message) -> Awaitable[None] | None:
        self.messages.append(message)
        self._wake()
        return self.handle(message)

    def _on_state(self, state: BusState) -> None:
        self.states.append(state)
        self._wake()

    def _wake(self) -> None:
        task = asyncio.ensure_future(self._notify())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _notify(self) -> None:
        async with self._changed:
            self._changed.notify_all()


class World:
    """A broker and its clients."""

    version_5 = True
    redelivers = True  # what was not acknowledged comes again with the next connection

    def __init__(self) -> None:
        self._peers: list[Peer] = []

    def peer(self, client_id: str, *, will: Publication | None = None) -> Peer:
        peer = Peer(self.make(client_id, will))
        self._peers.append(peer)
        return peer

    async def close(self) -> None:
        for peer in self._peers:
            await peer.bus.stop()

    def make(self, client_id: str, will: Publication | None) -> Bus:
        raise NotImplementedError

    def start_broker(self) -> None:
        raise NotImplementedError

    def kill_broker(self) -> None:
        raise NotImplementedError

    async def cut(self, peer: Peer) -> None:
        """Break the connection as if the process had died; it then comes back."""
        raise NotImplementedError


class MemoryWorld(World):
    """The broker inside the process."""

    def __init__(self) -> None:
        super().__init__()
        self._broker = MemoryBroker()
        self._broker.refusals["forbidden/x"] = 0x87

    def make(self, client_id: str, will: Publication | None) -> Bus:
        return MemoryBus(self._broker, client_id=client_id, clock=SystemClock(), will=will)

    def start_broker(self) -> None:
        self._broker.start()

    def kill_broker(self) -> None:
        self._broker.stop()

    async def cut(self, peer: Peer) -> None:
        assert isinstance(peer.bus, MemoryBus)
        self._broker.kill(peer.bus.client_id)
        await asyncio.sleep(0)
        peer.bus.connect()


class MqttWorld(World):
    """A broker process and our client for it."""

    def __init__(self, broker: BrokerProcess, *, login: str = "", option: str = "") -> None:
        super().__init__()
        silence_gmqtt()
        self.broker = broker
        self.url = f"mqtt://{login}127.0.0.1:{broker.port}{option}"
        self.version_5 = option == ""

    def make(self, client_id: str, will: Publication | None) -> Bus:
        config = BusConfig(address=parse_address(self.url), client_id=client_id, will=will)
        return GmqttBus(config, clock=SystemClock(), random=SystemRandom(), counters=Counters())

    def start_broker(self) -> None:
        self.broker.start()

    def kill_broker(self) -> None:
        self.broker.kill()

    async def cut(self, peer: Peer) -> None:
        assert isinstance(peer.bus, GmqttBus)
        assert peer.bus._current is not None
        peer.bus._current.abort("cut by the test")
        await peer.until(lambda: not peer.bus.state.connected)
