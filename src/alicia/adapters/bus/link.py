"""One connection to a broker, from CONNECT to its end."""

import asyncio
import logging
from collections.abc import Awaitable, Sequence
from typing import Final, cast

from alicia.adapters.bus import packets
from alicia.adapters.bus.address import MQTT_5
from alicia.adapters.bus.packer import PINGREQ, Login, Packer
from alicia.adapters.bus.packets import Frame, Limits, ProtocolFault
from alicia.adapters.bus.window import Acknowledgements, SendWindow, Slot
from alicia.base.clock import Clock
from alicia.base.counters import Counters
from alicia.wire.ports import Ack, BusUnavailable, Handler, Publication, PublishRefused

UNACKNOWLEDGED_SECONDS_MAX: Final = 10.0
_SEND_WINDOW_MAX: Final = 1000  # bounds our memory where the broker sets no limit
_PACKET_TOO_LARGE: Final = 0x95
_LOG: Final = logging.getLogger(__name__)


class _Held:
    """Messages whose handlers wait for one future; those of QoS 0 have no slot."""

    __slots__ = ("messages", "slots")

    def __init__(self) -> None:
        self.messages = 0
        self.slots: list[Slot] = []


class Link(asyncio.Protocol):
    """A socket that speaks MQTT; lives once. ``GmqttBus`` makes a new one per connection.

    ``connack`` is the broker's answer to CONNECT, ``lost`` the sentence about the end; both are
    set exactly once, and ``lost`` always.
    """

    def __init__(
        self, *, login: Login, version: int, handler: Handler, clock: Clock, counters: Counters
    ) -> None:
        loop = asyncio.get_running_loop()
        self.connack: asyncio.Future[int] = loop.create_future()
        self.lost: asyncio.Future[str] = loop.create_future()
        self.limits = Limits()
        self.version = version
        self._loop = loop
        self._login = login
        self._packer = Packer(version)
        self._handler = handler
        self._clock = clock
        self._counters = counters
        self._transport: asyncio.Transport | None = None
        self._tail = bytearray()  # the beginning of a packet that is not all there
        self._need = 0  # bytes of that packet
        self._acks = Acknowledgements(self._write)
        self._held: dict[Awaitable[object], _Held] = {}
        self._held_messages = 0
        self._window = SendWindow(_SEND_WINDOW_MAX)
        self._answers: dict[int, asyncio.Future[bytes]] = {}  # SUBACK and UNSUBACK by packet id
        self._writable = asyncio.Event()
        self._writable.set()
        self._flushing = False
        self._paused = False
        self._keepalive = login.keepalive_seconds
        self._last_in = self._last_out = self._reading_since = loop.time()
        self._timer: asyncio.TimerHandle | None = None
        self._why = ""

    # --- what the bus asks for

    async def publish(self, publication: Publication) -> Ack:
        """Send and wait for the PUBACK; QoS 0 waits for room in the socket's buffer.

        Raises:
            BusUnavailable: the connection ended first.
            PublishRefused: by the broker, or because the packet is larger than it takes.
        """
        await self._window.enter()
        try:
            packet_id, packet = self._pack(publication)
        except BaseException:
            self._window.leave()
            raise
        if packet_id is None:
            self._window.leave()
            self._write(packet)
            await self._writable.wait()
            return Ack()
        self._write(packet)
        return await self._window.sent(packet_id, at=self._loop.time())

    async def subscribe(self, filters: Sequence[str]) -> bytes:
        """One reason code per filter.

        Raises:
            BusUnavailable: the connection ended first.
        """
        return await self._ask(*self._packer.subscribe(filters))

    async def unsubscribe(self, filters: Sequence[str]) -> None:
        """Stop the delivery of these filters.

        Raises:
            BusUnavailable: the connection ended first.
        """
        await self._ask(*self._packer.unsubscribe(filters))

    def close(self) -> None:
        """Say good-bye, so that the broker drops the will."""
        if self._transport is not None and not self._transport.is_closing():
            self._acks.flush()
            self._write(self._packer.disconnect())
            self._why = "stopped"
            self._transport.close()

    def abort(self, why: str) -> None:
        """Cut the connection without waiting for a peer that may be dead."""
        self._why = self._why or why
        if self._transport is not None:
            self._transport.abort()

    # --- what asyncio tells

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Send CONNECT."""
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is one by structure only
        self._write(self._packer.connect(self._login))
        self._timer = self._loop.call_later(self._keepalive / 4, self._watch)

    def data_received(self, data: bytes) -> None:
        """Handle every whole packet; all acknowledgements that are due leave in one write."""
        self._last_in = self._loop.time()
        if self._tail:
            self._tail += data
            if len(self._tail) < self._need:
                return
            data = bytes(self._tail)
            self._tail.clear()
        try:
            frames, used, self._need = packets.split_frames(data)
            self._take(data, frames)
        except ProtocolFault as fault:
            self.abort(f"the broker broke the protocol: {fault}")
            return
        if used < len(data):
            self._tail += data[used:]
        self._acks.flush()

    def eof_received(self) -> bool:
        """The peer sends no more: close our side too."""
        return False

    def pause_writing(self) -> None:
        """The socket's buffer is full."""
        self._writable.clear()

    def resume_writing(self) -> None:
        """The socket's buffer has room again."""
        self._writable.set()

    def connection_lost(self, exc: Exception | None) -> None:
        """Fail everything that waits for the broker."""
        if self._timer is not None:
            self._timer.cancel()
        why = self._why or (f"the connection broke: {exc}" if exc else "the broker hung up")
        self._writable.set()
        self._window.close(f"{why} before the broker acknowledged; send it again")
        for answer in self._answers.values():
            if not answer.done():
                answer.set_exception(BusUnavailable(why))
        self._answers.clear()
        if not self.lost.done():
            self.lost.set_result(why)

    # --- packets

    def _take(self, data: bytes, frames: list[Frame]) -> None:
        v5 = self.version == MQTT_5
        now_ms = self._clock.now_ms() if frames else 0
        for frame in frames:
            if frame[0] >> 4 == packets.PUBLISH:
                message, packet_id = packets.parse_publish(data, frame, v5=v5, now_ms=now_ms)
                try:
                    outcome = self._handler(message)
                except Exception:
                    self._handler_failed()
                    outcome = None
                if outcome is not None:
                    self._hold(outcome, packet_id)
                elif packet_id:
                    self._acks.done(packet_id)
            else:
                self._control(data, frame)

    def _control(self, data: bytes, frame: Frame) -> None:
        v5 = self.version == MQTT_5
        match frame.kind:
            case packets.PUBACK:
                packet_id, reason = packets.parse_ack(data, frame)
                if self._window.settle(packet_id, reason):
                    self._packer.free(packet_id)
            case packets.SUBACK | packets.UNSUBACK:
                # An UNSUBACK of 3.1.1 has no codes, and no properties before them.
                packet_id, codes = packets.parse_suback(data, frame, v5=v5)
                answer = self._answers.pop(packet_id, None)
                if answer is not None:
                    self._packer.free(packet_id)
                    if not answer.done():
                        answer.set_result(codes)
            case packets.CONNACK:
                if self.connack.done():  # a second window would forget who waits in the first
                    raise ProtocolFault("a second CONNACK")
                code, self.limits = packets.parse_connack(data, frame, v5=v5)
                self._keepalive = self.limits.keepalive_seconds or self._keepalive
                self._window = SendWindow(min(self.limits.receive_maximum, _SEND_WINDOW_MAX))
                self.connack.set_result(code)
            case packets.DISCONNECT:
                code = data[frame.start] if frame.end > frame.start else 0
                self._why = f"the broker closed the connection, reason 0x{code:02x}"
            case packets.PINGRESP:
                pass  # that it came is what counts
            case kind:
                raise ProtocolFault(f"an unexpected packet of type {kind}")

    # --- acknowledgements

    def _hold(self, outcome: Awaitable[object], packet_id: bytes) -> None:
        """Withhold an acknowledgement; many messages may wait for the same future."""
        held = self._held.get(outcome)
        if held is None:
            task = asyncio.ensure_future(outcome)
            held = self._held[task] = _Held()
            task.add_done_callback(self._finished)
        held.messages += 1
        self._held_messages += 1
        if packet_id:
            slot = self._acks.hold(packet_id, held.slots[-1] if held.slots else None)
            if not held.slots or slot is not held.slots[-1]:
                held.slots.append(slot)
        if self._held_messages >= self._login.receive_maximum and not self._paused:
            self._paused = True  # 3.1.1 and QoS 0 have no other brake
            assert self._transport is not None, "messages come over a transport"
            self._transport.pause_reading()

    def _finished(self, task: asyncio.Future[object]) -> None:
        held = self._held.pop(task)
        self._held_messages -= held.messages
        if task.cancelled():
            held.slots.clear()  # not handled, so not acknowledged: the broker sends it again
        elif task.exception() is not None:
            self._handler_failed(task.exception())
        for slot in held.slots:
            self._acks.release(slot)
        if held.slots and not self._flushing:
            self._flushing = True  # handlers that wait for one commit end in one turn
            self._loop.call_soon(self._flush)
        if self._paused and self._held_messages <= self._login.receive_maximum // 2:
            self._paused = False
            self._last_in = self._reading_since = self._loop.time()
            if self._transport is not None and not self._transport.is_closing():
                self._transport.resume_reading()

    def _flush(self) -> None:
        self._flushing = False
        self._acks.flush()

    def _handler_failed(self, error: BaseException | None = None) -> None:
        """A handler of ours raised: acknowledged all the same, as it would raise again."""
        self._counters.add("bus_handler_errors")
        _LOG.error("a message handler failed", exc_info=error or True)

    # --- sending

    async def _ask(self, packet_id: int, packet: bytes) -> bytes:
        if self.lost.done():
            raise BusUnavailable(self.lost.result())
        answer: asyncio.Future[bytes] = self._loop.create_future()
        self._answers[packet_id] = answer
        self._write(packet)
        return await answer

    def _pack(self, publication: Publication) -> tuple[int | None, bytes]:
        packet_id, packet = self._packer.publish(publication, self.limits)
        limit = self.limits.packet_bytes_max
        if limit is not None and len(packet) > limit:
            if packet_id is not None:
                self._packer.free(packet_id)
            raise PublishRefused(
                f"the message takes {len(packet)} bytes and the broker at most {limit}",
                reason_code=_PACKET_TOO_LARGE,
            )
        return packet_id, packet

    def _write(self, data: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._last_out = self._loop.time()
            self._transport.write(data)

    # --- dead peers

    def _watch(self) -> None:
        now = self._loop.time()
        self._timer = self._loop.call_later(self._keepalive / 4, self._watch)
        if now - min(self._last_in, self._last_out) >= self._keepalive / 2:
            self._write(PINGREQ)
        if self._paused:
            return  # we do not listen, so silence proves nothing
        if now - self._last_in >= self._keepalive * 1.5:
            self.abort(f"the broker was silent for {now - self._last_in:.0f} s")
        oldest = self._window.oldest()
        waited = 0.0 if oldest is None else now - max(oldest, self._reading_since)
        if waited >= UNACKNOWLEDGED_SECONDS_MAX:
            self.abort(f"the broker did not acknowledge a message for {waited:.0f} s")
