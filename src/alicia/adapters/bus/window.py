"""Flow control of one connection, both ways, without I/O of its own."""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Final

from alicia.wire.ports import REFUSED_MIN, Ack, BusUnavailable, PublishRefused

_PUBACK: Final = b"\x40\x02"  # reason code left out: success, in both versions
_PUBACK_BYTES: Final = 4


class Acknowledgements:
    """PUBACKs in the order in which the messages came, as MQTT 5 §4.6 demands.

    Those that become ready in one turn of the loop leave in one write.
    """

    def __init__(self, write: Callable[[bytes], None]) -> None:
        self._write = write
        self._ready = bytearray()
        self._waiting: deque[Slot] = deque()

    def __len__(self) -> int:
        """Messages whose handler is not done, or that stand behind one."""
        return sum(len(slot.acks) for slot in self._waiting) // _PUBACK_BYTES

    def done(self, packet_id: bytes) -> None:
        """Acknowledge a message whose handler has returned."""
        if self._waiting:
            self._waiting.append(Slot(packet_id, done=True))
        else:
            self._ready += _PUBACK + packet_id

    def hold(self, packet_id: bytes, slot: "Slot | None" = None) -> "Slot":
        """Keep the place of a message whose handler still works.

        ``slot``: of a message that waits for the same; both get one if they are neighbours.
        """
        if slot is not None and self._waiting and self._waiting[-1] is slot:
            slot.acks += _PUBACK + packet_id
            return slot
        slot = Slot(packet_id, done=False)
        self._waiting.append(slot)
        return slot

    def release(self, slot: "Slot") -> None:
        """Its handler is done; ``flush`` sends what that frees."""
        slot.done = True
        waiting = self._waiting
        while waiting and waiting[0].done:
            self._ready += waiting.popleft().acks

    def flush(self) -> None:
        """Write what is ready."""
        if self._ready:
            self._write(bytes(self._ready))
            self._ready.clear()


class Slot:
    """The place of a message, or of neighbours, in the order of acknowledgement."""

    __slots__ = ("acks", "done")

    def __init__(self, packet_id: bytes, *, done: bool) -> None:
        self.acks = bytearray(_PUBACK + packet_id)
        self.done = done


class SendWindow:
    """Publications on their way: at most ``size`` without PUBACK (Receive Maximum).

    A place is freed by the PUBACK or the end of the connection, never by a caller that gave up
    waiting: the broker still counts that message.
    """

    def __init__(self, size: int) -> None:
        self._places = asyncio.Semaphore(size)
        self._sent: dict[int, tuple[asyncio.Future[Ack], float]] = {}
        self._closed: BusUnavailable | None = None

    def __len__(self) -> int:
        return len(self._sent)

    async def enter(self) -> None:
        """Wait for a place.

        Raises:
            BusUnavailable: the connection ended meanwhile.
        """
        await self._places.acquire()
        if self._closed is not None:
            self._places.release()  # so that the next in the queue learns it too
            raise self._closed

    def leave(self) -> None:
        """Give the place back without having sent anything."""
        self._places.release()

    def sent(self, packet_id: int, *, at: float) -> asyncio.Future[Ack]:
        """The future acknowledgement of what was just written."""
        future: asyncio.Future[Ack] = asyncio.get_running_loop().create_future()
        self._sent[packet_id] = (future, at)
        return future

    def settle(self, packet_id: int, reason_code: int) -> bool:
        """Take a PUBACK; False when nothing waits for it."""
        entry = self._sent.pop(packet_id, None)
        if entry is None:
            return False
        self._places.release()
        future = entry[0]
        if future.done():  # its caller gave up
            return True
        if reason_code >= REFUSED_MIN:
            future.set_exception(
                PublishRefused(
                    f"the broker refused the message with reason 0x{reason_code:02x};"
                    " check its access rules and limits",
                    reason_code=reason_code,
                )
            )
        else:
            future.set_result(Ack(reason_code))
        return True

    def oldest(self) -> float | None:
        """When the oldest unacknowledged publication was written."""
        return next((at for _future, at in self._sent.values()), None)

    def close(self, reason: str) -> None:
        """End all waiting: the connection is gone."""
        self._closed = BusUnavailable(reason)
        for future, _at in self._sent.values():
            if not future.done():
                future.set_exception(BusUnavailable(reason))
        self._sent.clear()
        self._places.release()  # wakes the first waiter, who wakes the next
