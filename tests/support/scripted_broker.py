"""A broker of a few lines that does what a test says, and our client that meets it."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from tests.support.bus_worlds import Peer

from alicia.adapters.bus.address import parse_address
from alicia.adapters.bus.gmqtt import BusConfig, GmqttBus
from alicia.adapters.bus.packer import silence_gmqtt
from alicia.adapters.clock import SystemClock, SystemRandom
from alicia.base.counters import Counters

CONNACK = b"\x20\x03\x00\x00\x00"

Script = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


async def read_packet(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readexactly(2)
    assert head[1] < 128, "the tests send short packets"
    return head + await reader.readexactly(head[1])


class Broker:
    """A server that follows a script, and the client that meets it."""

    def __init__(self, script: Script) -> None:
        self._script = script
        self._server: asyncio.Server | None = None
        self.visits = 0
        self.peer: Peer

    async def open(self, **config: int) -> Peer:
        silence_gmqtt()
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        port = self._server.sockets[0].getsockname()[1]
        bus = GmqttBus(
            BusConfig(
                address=parse_address(f"mqtt://127.0.0.1:{port}"),
                client_id="p",
                **config,  # type: ignore[arg-type]
            ),
            clock=SystemClock(),
            random=SystemRandom(),
            counters=Counters(),
        )
        self.peer = Peer(bus)
        await bus.start(self.peer._receive, self.peer._on_state)
        return self.peer

    async def close(self) -> None:
        await self.peer.bus.stop()
        assert self._server is not None
        self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.visits += 1
        try:
            await self._script(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # the client hung up
        finally:
            writer.close()


@dataclass
class Packet:
    """One packet of the client, which waits for the test to answer it."""

    data: bytes
    _writer: asyncio.StreamWriter

    @property
    def name(self) -> str:
        names = {1: "CONNECT", 3: "PUBLISH", 8: "SUBSCRIBE", 10: "UNSUBSCRIBE", 14: "DISCONNECT"}
        return names[self.data[0] >> 4]

    @property
    def filters(self) -> list[str]:
        found, at = [], 5  # behind the header, the packet id and no properties
        while at < len(self.data):
            size = int.from_bytes(self.data[at : at + 2], "big")
            found.append(self.data[at + 2 : at + 2 + size].decode())
            at += 2 + size + (self.name == "SUBSCRIBE")
        return found

    def answer(self, code: int = 0) -> None:
        if self.name == "CONNECT":
            self.send(CONNACK)
        else:
            kind = b"\x90" if self.name == "SUBSCRIBE" else b"\xb0"
            codes = bytes([code] * len(self.filters))
            body = self.data[2:4] + b"\x00" + codes
            self.send(kind + bytes([len(body)]) + body)

    def send(self, data: bytes) -> None:
        self._writer.write(data)


class SlowBroker(Broker):
    """Answers nothing by itself: each packet is handed to the test, which answers when it likes."""

    def __init__(self) -> None:
        super().__init__(self._hand_out)
        self._packets: asyncio.Queue[Packet] = asyncio.Queue()
        self.hung_up = asyncio.Event()

    async def next(self, name: str) -> Packet:
        """The next packet, which must be of this kind."""
        async with asyncio.timeout(10):
            packet = await self._packets.get()
        assert packet.name == name
        return packet

    async def _hand_out(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                self._packets.put_nowait(Packet(await read_packet(reader), writer))
        finally:
            self.hung_up.set()
