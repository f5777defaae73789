"""Live changes for browsers: one hub, many readers, none of whom can hold up the others.

Source: dashboard.md §5.
"""

from collections import deque
from collections.abc import Callable, Mapping
from itertools import islice
from typing import Final

import msgspec

from alicia.base.counters import Counters

RING_EVENTS: Final = 10_000
CLIENT_BYTES_MAX: Final = 1024 * 1024
# Of a client's backlog one half is for what it missed, the other for what comes meanwhile.
RING_BYTES_MAX: Final = CLIENT_BYTES_MAX // 2
EVENT_BYTES_MAX: Final = CLIENT_BYTES_MAX // 8
CLIENTS_MAX: Final = 100
MERGE_SECONDS: Final = 0.25
_encode: Final = msgspec.json.Encoder().encode

# Calls back after some seconds; ``loop.call_later`` in a service.
Later = Callable[[float, Callable[[], None]], object]


class Client:
    """One reader's backlog. ``closed``: it fell behind, or the hub ended."""

    def __init__(self, wake: Callable[[], None]) -> None:
        self.closed = False
        self._wake = wake
        self._chunks: deque[bytes] = deque()
        self._bytes = 0

    def put(self, chunk: bytes) -> bool:
        """Queue a chunk; False, and closed, where the backlog would exceed its bound."""
        if self._bytes + len(chunk) > CLIENT_BYTES_MAX:
            self.close()
            return False
        self._chunks.append(chunk)
        self._bytes += len(chunk)
        self._wake()
        return True

    def take(self) -> bytes:
        """Everything queued, as one piece."""
        data = b"".join(self._chunks)
        self._chunks.clear()
        self._bytes = 0
        return data

    def close(self) -> None:
        """End the stream; what is queued is dropped, since the reader resumes elsewhere."""
        self.closed = True
        self._chunks.clear()
        self._wake()


class LiveHub:
    """Publishes changes and keeps the newest for readers who come back.

    Kept are RING_EVENTS at most, and RING_BYTES_MAX. A change above EVENT_BYTES_MAX is not sent:
    everybody is told to fetch (``reset``). ``epoch`` differs between processes, so that an id of
    an earlier one is known as foreign. Belongs to the event loop.

    Family counted: ``live`` by ``refused too_slow oversized``.
    """

    def __init__(self, *, epoch: str, later: Later, counters: Counters) -> None:
        self._epoch = epoch
        self._later = later
        self._counters = counters
        self._clients: set[Client] = set()
        self._ring: deque[bytes] = deque()
        self._ring_bytes = 0
        self._newest = 0  # number of the newest event
        # Keys that were sent within the last quarter of a second, and what came after.
        self._held: dict[tuple[str, str], Mapping[str, object] | None] = {}

    @property
    def readers(self) -> int:
        """How many streams are open."""
        return len(self._clients)

    def publish(self, kind: str, key: str, value: Mapping[str, object]) -> None:
        """Tell a change at once; further ones of the same key within 250 ms become one."""
        held = (kind, key)
        if held in self._held:
            self._held[held] = value
            return
        self._emit(kind, value)
        self._hold(held)

    def attach(self, wake: Callable[[], None], *, last_id: str = "") -> Client | None:
        """A new reader, behind the event with the given id; None where there are too many.

        A reader whose id is too old or foreign is told to fetch everything again (``reset``).
        """
        if len(self._clients) >= CLIENTS_MAX:
            self._counters.add("live", "refused")
            return None
        client = Client(wake)
        self._clients.add(client)
        client.put(b"retry: 1000\n\n")
        if last_id:
            self._resume(client, last_id)
        return client

    def detach(self, client: Client) -> None:
        """Forget a reader; safe to call twice."""
        self._clients.discard(client)

    def close(self) -> None:
        """End all streams."""
        for client in tuple(self._clients):
            client.close()
        self._clients.clear()

    def _hold(self, held: tuple[str, str]) -> None:
        self._held[held] = None
        self._later(MERGE_SECONDS, lambda: self._release(held))

    def _release(self, held: tuple[str, str]) -> None:
        value = self._held.pop(held)
        if value is not None:
            self._emit(held[0], value)
            self._hold(held)

    def _emit(self, kind: str, value: Mapping[str, object]) -> None:
        chunk = self._chunk(kind, self._newest + 1, value)
        if len(chunk) > EVENT_BYTES_MAX:
            self._counters.add("live", "oversized")
            self.publish("reset", "reset", {})
            return
        self._newest += 1
        self._keep(chunk)
        for client in tuple(self._clients):
            if not client.put(chunk):
                self._clients.discard(client)
                self._counters.add("live", "too_slow")

    def _keep(self, chunk: bytes) -> None:
        self._ring.append(chunk)
        self._ring_bytes += len(chunk)
        while len(self._ring) > RING_EVENTS or self._ring_bytes > RING_BYTES_MAX:
            self._ring_bytes -= len(self._ring.popleft())

    def _resume(self, client: Client, last_id: str) -> None:
        epoch, _, number = last_id.partition("-")
        known = epoch == self._epoch and number.isascii() and number.isdigit()
        missed = self._newest - int(number) if known and len(number) < 19 else -1
        if not 0 <= missed <= len(self._ring):
            client.put(self._chunk("reset", self._newest, {}))
            return
        for chunk in islice(self._ring, len(self._ring) - missed, None):
            taken = client.put(chunk)
            assert taken, "the whole ring fits into a new reader's backlog"

    def _chunk(self, kind: str, number: int, value: Mapping[str, object]) -> bytes:
        head = f"id: {self._epoch}-{number}\nevent: {kind}\ndata: ".encode()
        return head + _encode(value) + b"\n\n"  # JSON has no bare newline
