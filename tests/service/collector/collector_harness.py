"""A whole collector in this process: in-memory bus, ASGI instead of a port, a clock to move."""

from pathlib import Path

import httpx
from tests.support.inline_writer import InlineWriter
from tests.support.stepped_clock import SteppedClock

from alicia.adapters.bus.memory import MemoryBroker, MemoryBus
from alicia.adapters.clock import SystemRandom
from alicia.adapters.http.bind import Listener
from alicia.adapters.settings import load_settings
from alicia.base.counters import Counters
from alicia.collector.main import Collector
from alicia.wire.ports import Message, Publication


class Harness:
    """The collector and a peer on its bus."""

    def __init__(self, data_dir: Path, **settings: str) -> None:
        self.clock = SteppedClock()
        self.broker = MemoryBroker()
        given = {"DATA_DIR": str(data_dir), "COLLECTOR_PORT": "0", **settings}
        self.collector = Collector(
            load_settings(given, environment={}, folder=data_dir),
            clock=self.clock,
            random=SystemRandom(),
            counters=Counters(),
            connect=self._connect,
            write_with=lambda store, _gate: InlineWriter(store),
        )
        self.collector.store.replay(self.clock.now_ms())
        # Requests come through ASGI, so nobody binds; the guard is told what it would see.
        self.collector.guard.admit(Listener((), "127.0.0.1", 8024, loopback=True))
        self.http = httpx.AsyncClient(
            transport=httpx.ASGITransport(app=self.collector.app), base_url="http://127.0.0.1:8024"
        )

    def tell(self, topic: str, body: bytes, **options: bool) -> None:
        """A peer's message, handled when this returns."""
        message = Message(topic, body, received_ms=self.clock.now_ms(), qos=1)
        waiting = self.collector.router.handle(message._replace(**options))
        assert waiting is None, "large bodies have tests of their own"

    def _connect(self, client_id: str, will: Publication) -> MemoryBus:
        return MemoryBus(self.broker, client_id=client_id, clock=self.clock, will=will)
