"""The bus over MQTT: a connection that comes back, with our own back-off (bus.md §9)."""

import asyncio
import logging
import ssl
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final

from alicia.adapters.bus.address import MQTT_5, Address
from alicia.adapters.bus.filters import Ask, Filters
from alicia.adapters.bus.link import Link
from alicia.adapters.bus.packer import Login
from alicia.base.backoff import backoff_ms
from alicia.base.clock import Clock, Random
from alicia.base.counters import Counters
from alicia.wire.ports import (
    Ack,
    BusState,
    BusUnavailable,
    Handler,
    Publication,
    StateListener,
)
from alicia.wire.topics import check_filter, check_topic

SESSION_SECONDS: Final = 3600  # bus.md §9: what comes while we restart is kept
CONNECT_SECONDS_MAX: Final = 5.0
ANSWER_SECONDS_MAX: Final = 10.0  # SUBACK, UNSUBACK
CLOSE_SECONDS_MAX: Final = 1.0
_RETRY_FIRST_MS: Final = 1000  # halved by chance at most: 0.5 s
_RETRY_MAX_MS: Final = 30_000
_STABLE_SECONDS: Final = 10.0  # a connection that held so long resets the back-off
_WRONG_VERSION: Final = frozenset({1, 0x84})
_REFUSALS: Final = {
    2: "the client id is not allowed",
    3: "the broker is not available",
    4: "the user name or password is wrong; check MQTT_URL",
    5: "not authorised; give MQTT_URL an account",
    0x85: "the client id is not allowed",
    0x86: "the user name or password is wrong; check MQTT_URL",
    0x87: "not authorised; give MQTT_URL an account",
    0x88: "the broker is not available",
    0x89: "the broker is busy",
    0x8A: "this client is banned",
    0x97: "the broker's quota is used up",
    0x9F: "too many connections at once",
}
_LOG: Final = logging.getLogger(__name__)


class ConnectFailed(Exception):
    """No connection came about; the text is for people. ``retry_version``: try 3.1.1 at once."""

    def __init__(self, why: str, *, retry_version: bool = False) -> None:
        super().__init__(why)
        self.retry_version = retry_version


@dataclass(frozen=True, slots=True, kw_only=True)
class BusConfig:
    """How one client connects."""

    address: Address
    client_id: str
    will: Publication | None = None
    tls: ssl.SSLContext | None = None
    keepalive_seconds: int = 10
    session_seconds: int = SESSION_SECONDS
    receive_maximum: int = 1000

    @property
    def login(self) -> Login:
        """What CONNECT says."""
        return Login(
            client_id=self.client_id,
            username=self.address.username,
            password=self.address.password,
            will=self.will,
            keepalive_seconds=self.keepalive_seconds,
            session_seconds=self.session_seconds,
            receive_maximum=self.receive_maximum,
        )


class GmqttBus:
    """A client of an MQTT broker; fits ``wire.ports.Bus``. One task keeps it connected."""

    def __init__(
        self, config: BusConfig, *, clock: Clock, random: Random, counters: Counters
    ) -> None:
        self._config = config
        self._clock = clock
        self._random = random
        self._counters = counters
        self._filters = Filters()
        self._changed = asyncio.Event()  # the filters, since the broker was asked last
        self._waiting: list[asyncio.Future[None]] = []  # until it has them, or is gone
        self._versions = config.address.versions
        self._current: Link | None = None  # the socket there is
        self._link: Link | None = None  # the same, once it may be used
        self._task: asyncio.Task[None] | None = None
        self._on_state: StateListener | None = None
        self._connections = 0
        self._state = BusState(False, str(config.address), 0, clock.now_ms(), 0, "not connected")

    @property
    def state(self) -> BusState:
        """The connection as of now."""
        return self._state

    async def start(self, handler: Handler, on_state: StateListener) -> None:
        """Begin to connect, in the background."""
        assert self._task is None, "a bus is started once"
        self._on_state = on_state
        self._task = asyncio.create_task(self._connect_loop(handler), name="bus")

    async def subscribe(self, filters: Iterable[str]) -> None:
        """Add filters; where connected, wait until the broker knows them."""
        self._filters.want([check_filter(pattern, field="filter") for pattern in filters])
        await self._in_step()

    async def unsubscribe(self, filters: Iterable[str]) -> None:
        """Forget filters."""
        self._filters.drop(filters)
        await self._in_step()

    async def publish(self, publication: Publication) -> Ack:
        """Send and wait for the PUBACK.

        Raises:
            BadField: the topic is none one can publish to.
            BusUnavailable: not connected, or the connection ended before the PUBACK.
            PublishRefused: the broker answered with a reason code from 0x80.
        """
        check_topic(publication.topic, field="topic")
        if self._link is None:
            raise BusUnavailable(f"no broker is connected ({self._state.detail}); try again")
        return await self._link.publish(publication)

    async def stop(self) -> None:
        """Say good-bye and end the connection."""
        task, self._task = self._task, None
        if task is None:
            return
        self._link = None
        task.cancel()
        await asyncio.wait({task})
        if self._current is not None:
            self._current.close()
            await asyncio.wait({self._current.lost}, timeout=CLOSE_SECONDS_MAX)
            self._current.abort("stopped")
        self._turn(connected=False, detail="stopped")

    # --- the connection's life

    async def _connect_loop(self, handler: Handler) -> None:
        loop = asyncio.get_running_loop()
        attempt, said = 0, ""
        while True:
            began = loop.time()
            try:
                why = await self._one_connection(handler)
            except ConnectFailed as error:
                why = str(error)
                self._versions = self._config.address.versions
            if why != said:
                _LOG.warning("bus: %s", why)  # once, however often it is tried
                said = why
            attempt = 1 if loop.time() - began > _STABLE_SECONDS else attempt + 1
            wait_ms = backoff_ms(
                attempt, first_ms=_RETRY_FIRST_MS, max_ms=_RETRY_MAX_MS, random=self._random
            )
            self._turn(connected=False, detail=f"{why}; next try in {wait_ms / 1000:.1f} s")
            await asyncio.sleep(wait_ms / 1000)

    async def _one_connection(self, handler: Handler) -> str:
        """Connect, serve until the end, and say why it ended."""
        link = await self._open(handler)
        self._filters.begin()
        try:
            while await self._ask_all(link):
                # Nothing is awaited since the last look at the filters, so none is overlooked.
                if self._link is None:
                    self._link = link
                    self._connections += 1
                self._turn(connected=True, detail=self._connected_words(link))
                self._release()
                await self._until_changed(link)
        finally:
            self._link = None
            self._release()
        return await asyncio.shield(link.lost)

    async def _open(self, handler: Handler) -> Link:
        for version in self._versions:
            try:
                link = await self._dial(handler, version)
            except ConnectFailed as error:
                if error.retry_version and version != self._versions[-1]:
                    continue
                raise
            self._versions = (version,)  # until it fails, the next connection begins with it
            return link
        raise AssertionError("the last version is never skipped")

    async def _dial(self, handler: Handler, version: int) -> Link:
        loop = asyncio.get_running_loop()
        where = self._config.address
        factory = partial(
            Link,
            login=self._config.login,
            version=version,
            handler=handler,
            clock=self._clock,
            counters=self._counters,
        )
        try:
            async with asyncio.timeout(CONNECT_SECONDS_MAX):
                _, link = await loop.create_connection(
                    factory, where.host, where.port, ssl=self._config.tls
                )
        except TimeoutError:
            raise ConnectFailed(f"{where} does not answer") from None
        except (OSError, UnicodeError) as error:  # the latter: a host name that is none
            raise ConnectFailed(f"{where} cannot be reached: {_words(error)}") from None
        self._current = link  # so that stop() ends it, however far it came
        answers: set[asyncio.Future[Any]] = {link.connack, link.lost}
        await asyncio.wait(
            answers, timeout=CONNECT_SECONDS_MAX, return_when=asyncio.FIRST_COMPLETED
        )
        if link.connack.done() and (code := link.connack.result()) == 0:
            return link
        if not link.connack.done():
            why = link.lost.result() if link.lost.done() else "it does not answer CONNECT"
            link.abort("no answer")
            raise ConnectFailed(f"{where} speaks no MQTT: {why}", retry_version=True)
        link.abort("refused")
        words = link.limits.reason or _REFUSALS.get(code, f"reason 0x{code:02x}")
        raise ConnectFailed(
            f"{where} refused the connection: {words}", retry_version=code in _WRONG_VERSION
        )

    # --- the broker's filters follow ours

    async def _in_step(self) -> None:
        """Where connected, wait until the broker has our filters, or is gone."""
        if self._link is not None:
            waiter = asyncio.get_running_loop().create_future()
            self._waiting.append(waiter)
            self._changed.set()
            await waiter

    def _release(self) -> None:
        for waiter in self._waiting:
            if not waiter.done():  # its caller may have given up
                waiter.set_result(None)
        self._waiting.clear()

    async def _until_changed(self, link: Link) -> None:
        """Wait for other filters, or for the end of the connection."""
        changed = asyncio.ensure_future(self._changed.wait())
        try:
            ends: set[asyncio.Future[Any]] = {changed, link.lost}
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        finally:
            changed.cancel()

    async def _ask_all(self, link: Link) -> bool:
        """Ask until the broker has our filters; False where the connection ended first."""
        self._changed.clear()
        try:
            while (ask := self._filters.next_ask()) is not None:
                async with asyncio.timeout(ANSWER_SECONDS_MAX):
                    await self._ask(link, ask)
        except BusUnavailable:
            return False  # the next connection begins with them
        except TimeoutError:
            link.abort("the broker did not answer SUBSCRIBE or UNSUBSCRIBE")
            return False
        return not link.lost.done()

    async def _ask(self, link: Link, ask: Ask) -> None:
        """Send one packet; what the broker refuses is remembered and shown, the rest works."""
        if not ask.subscribe:
            await link.unsubscribe(ask.filters)
            self._filters.unsubscribed(ask)
            return
        refused = self._filters.subscribed(ask, await link.subscribe(ask.filters))
        if refused:
            self._counters.add("bus_filters_refused", count=len(refused))
            _LOG.warning("the broker does not let us read %s", ", ".join(refused))

    # --- what is known

    def _connected_words(self, link: Link) -> str:
        spoken = "5" if link.version == MQTT_5 else "3.1.1"
        words = f"connected to {self._config.address} (MQTT {spoken})"
        if self._filters.refused:
            words += f"; not allowed to read {', '.join(self._filters.refused)}"
        return words

    def _turn(self, *, connected: bool, detail: str) -> None:
        before = self._state
        changed = connected != before.connected
        self._state = replace(
            before,
            connected=connected,
            protocol=self._link.version if self._link is not None else before.protocol,
            since_ms=self._clock.now_ms() if changed else before.since_ms,
            reconnects=max(self._connections - 1, 0),
            detail=detail,
        )
        if self._state == before:
            return
        if changed and connected:
            _LOG.info("bus: %s", detail)
        assert self._on_state is not None, "only a started bus changes"
        try:
            self._on_state(self._state)
        except Exception:
            _LOG.exception("a listener to the bus's state failed")


def _words(error: OSError | UnicodeError) -> str:
    if isinstance(error, ConnectionRefusedError):
        return "nothing listens there"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted: {error.verify_message}; set MQTT_CA"
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
