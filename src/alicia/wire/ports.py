"""The bus as the services see it, and the messages that cross it."""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import ClassVar, NamedTuple, Protocol

from alicia.base.errors import Unavailable

NO_MATCHING_SUBSCRIBERS = 0x10
REFUSED_MIN = 0x80  # reason codes from here on are failures


class Message(NamedTuple):
    """One message as the broker delivered it; a NamedTuple, since a frozen dataclass costs thrice.

    ``retained``: it was stored by the broker and sent on subscription, so it tells a state and
    is no sign of life. ``response_topic``, ``correlation`` and ``user_properties`` are empty
    where the connection speaks MQTT 3.1.1.
    """

    topic: str
    body: bytes
    retained: bool = False
    received_ms: int = 0
    qos: int = 0
    response_topic: str = ""
    correlation: bytes = b""
    user_properties: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Publication:
    """One message to be sent. On MQTT 3.1.1 the adapter drops what only version 5 can carry."""

    topic: str
    body: bytes
    qos: int = 1
    retain: bool = False
    expiry_seconds: int | None = None
    response_topic: str = ""
    correlation: bytes = b""
    user_properties: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Ack:
    """The broker took the message. It promises no delivery (bus.md §8).

    ``reason_code`` is that of the PUBACK; 0 on MQTT 3.1.1 and for QoS 0.
    """

    reason_code: int = 0

    @property
    def no_subscribers(self) -> bool:
        """The broker said that nobody listens to the topic."""
        return self.reason_code == NO_MATCHING_SUBSCRIBERS


@dataclass(frozen=True, slots=True)
class BusState:
    """What is known of the connection; ``address`` never holds credentials.

    ``protocol`` is 5 or 4 (3.1.1), 0 before the first connection. ``since_ms`` is the wall time
    of the last change. ``detail`` is one sentence for people.
    """

    connected: bool
    address: str
    protocol: int
    since_ms: int
    reconnects: int
    detail: str


class BusUnavailable(Unavailable):
    """No broker is connected, or the connection broke before the acknowledgement came.

    The message may or may not have arrived: send it again under the same id.
    """

    code: ClassVar[str] = "bus_unavailable"


class PublishRefused(Unavailable):
    """The broker refused the message with an MQTT 5 reason code from 0x80."""

    code: ClassVar[str] = "publish_refused"

    def __init__(self, message: str, *, reason_code: int) -> None:
        super().__init__(message)
        self.reason_code = reason_code


# A handler that returns None has finished, and the message is acknowledged at once; an awaitable
# withholds the PUBACK until it is done. It must not raise: peer data never does.
Handler = Callable[[Message], Awaitable[object] | None]
StateListener = Callable[[BusState], None]


class Bus(Protocol):
    """A connection that comes back for ever.

    All calls belong to the event loop that called ``start``. There is one handler for all
    messages: brokers differ in whether overlapping filters deliver once or twice, so routing by
    topic is the service's.
    """

    @property
    def state(self) -> BusState:
        """The connection as of now."""
        ...

    async def start(self, handler: Handler, on_state: StateListener) -> None:
        """Begin to connect, in the background; returns at once, also without a broker."""
        ...

    async def subscribe(self, filters: Iterable[str]) -> None:
        """Add filters; they are remembered and sent again on every connection."""
        ...

    async def unsubscribe(self, filters: Iterable[str]) -> None:
        """Forget filters."""
        ...

    async def publish(self, publication: Publication) -> Ack:
        """Send and wait for the broker's acknowledgement (QoS 0: for the write).

        Raises:
            BusUnavailable: not connected, or the connection ended before the PUBACK.
            PublishRefused: the broker answered with a reason code from 0x80.
        """
        ...

    async def stop(self) -> None:
        """Disconnect cleanly, so that the will is not sent; safe to call twice."""
        ...
