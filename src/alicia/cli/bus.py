"""The bus from a terminal: a connection without a session, for as long as one command lasts."""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Final

from alicia.adapters.bus.connect import make_bus
from alicia.adapters.clock import SystemClock, SystemRandom
from alicia.adapters.settings import Settings
from alicia.cli.api import part_of, read_note
from alicia.cli.exits import Unreachable
from alicia.wire.ports import Bus, BusState, Handler

CONNECT_SECONDS_MAX: Final = 5.0


def broker_url(settings: Settings) -> str:
    """The configured broker, else the one that ``alicia up`` uses, else the local port."""
    if settings.mqtt_url:
        return settings.mqtt_url
    broker = part_of(read_note("up", settings.data_dir), "broker")
    return str(broker.get("url") or f"mqtt://127.0.0.1:{settings.mqtt_port_local}")


@asynccontextmanager
async def connected(settings: Settings, handler: Handler) -> AsyncIterator[Bus]:
    """A connected bus; the broker forgets us at the end, so that nothing queues up for us.

    Raises:
        Unreachable: there is no connection after five seconds.
    """
    random = SystemRandom()
    bus = make_bus(
        settings,
        client_id=f"alicia-cli-{random.token_hex(6)}",
        will=None,
        clock=SystemClock(),
        random=random,
        default_url=broker_url(settings),
        session_seconds=0,
    )
    up = asyncio.Event()

    def on_state(state: BusState) -> None:
        if state.connected:
            up.set()

    await bus.start(handler, on_state)
    try:
        with _one_voice():
            await _until(up, bus)
        yield bus
    finally:
        await bus.stop()


async def _until(up: asyncio.Event, bus: Bus) -> None:
    try:
        async with asyncio.timeout(CONNECT_SECONDS_MAX):
            await up.wait()
    except TimeoutError:
        raise Unreachable(f"the bus: {bus.state.detail}") from None


@contextmanager
def _one_voice() -> Iterator[None]:
    """Let the bus log nothing: if it does not connect, our one line of error says why."""
    log, quiet = logging.getLogger("alicia.adapters.bus"), logging.NullHandler()
    log.addHandler(quiet)
    try:
        yield
    finally:
        log.removeHandler(quiet)
