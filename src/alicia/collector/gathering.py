"""Bodies of messages on their way into the store: what comes during one write is written next."""

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from typing import Final, NamedTuple

from alicia.collector.store_thread import Verdicts, Writer
from alicia.collector.write_gate import StoreFailed
from alicia.series.samples import Metadata, SampleList
from alicia.tsdb.ports import DiskFault
from alicia.tsdb.store import Batch
from alicia.wire.samples import Decoded

PAUSE_SECONDS: Final = 0.005  # between two writes: their fixed cost is that of 50 messages
RETRY_SECONDS: Final = 1.0  # after which the disk is tried again


class Body(NamedTuple):
    """What one body holds, when and where it came in, and its value for the list of rejects."""

    decoded: Decoded
    received_ms: int
    entry: str
    payload: object


class Gathering:
    """Writes bodies whose senders wait for no answer. Belongs to the event loop.

    One write is under way at most, and PAUSE_SECONDS lie behind it; the bodies that come meanwhile
    share the next one, and one future. So a burst costs a hand-over to the store's thread for
    hundreds of messages, and a lone message waits for nobody. Where the disk refuses, the same
    write is tried again each second, with everybody else behind it; where we made a mistake, its
    bodies are tried alone, and nobody is behind them.

    ``settle`` hears the bodies of a write and their verdicts, in order.
    """

    def __init__(self, writer: Writer, settle: Callable[[Sequence[Body], Verdicts], None]) -> None:
        self._writer = writer
        self._settle = settle
        self._next = _Group()
        self._writing = False

    def add(self, body: Body) -> "asyncio.Future[None] | None":
        """Have a body written; what to wait for, None where it is written already."""
        group = self._next
        group.add(body)
        if not self._writing:
            self._write_next()
        return group.waiting()

    def _write_next(self) -> None:
        group, self._next = self._next, _Group()
        self._writing = True
        self._writer.write(group.batch(), partial(self._on_written, group))

    def _on_written(self, group: "_Group", outcome: Verdicts | DiskFault) -> None:
        if isinstance(outcome, StoreFailed):
            self._set_aside(group)
            return
        if isinstance(outcome, DiskFault):
            again = partial(self._on_written, group)
            loop = asyncio.get_running_loop()
            loop.call_later(RETRY_SECONDS, self._writer.write, group.batch(), again)
            return
        try:
            self._settle(group.bodies, outcome)
        finally:  # whatever goes wrong with one write, the next one is due
            if group.end():
                asyncio.get_running_loop().call_later(PAUSE_SECONDS, self._rested)
            else:  # written while its first body was added: there is no thread to spare
                self._writing = False

    def _set_aside(self, group: "_Group") -> None:
        """Try each body by itself, since one may be the cause, until all are written."""
        loop = asyncio.get_running_loop()
        left = set(range(len(group.bodies)))

        def write(place: int) -> None:
            decoded, received_ms, _, _ = group.bodies[place]
            batch = Batch(decoded.samples, received_ms, decoded.metadata)
            self._writer.write(batch, partial(heard, place))

        def heard(place: int, outcome: Verdicts | DiskFault) -> None:
            if isinstance(outcome, DiskFault):
                loop.call_later(RETRY_SECONDS, write, place)
                return
            try:
                self._settle(group.bodies[place : place + 1], outcome)
            finally:
                left.discard(place)
                if not left:
                    group.end()

        for place in range(len(group.bodies)):
            loop.call_later(RETRY_SECONDS, write, place)
        loop.call_later(PAUSE_SECONDS, self._rested)

    def _rested(self) -> None:
        self._writing = False
        if self._next.bodies:
            self._write_next()


class _Group:
    """The bodies of one write."""

    def __init__(self) -> None:
        self.bodies: list[Body] = []
        self._samples = SampleList()
        self._metadata: dict[tuple[str, str], Metadata] = {}
        self._written: asyncio.Future[None] | None = None
        self._is_written = False

    def add(self, body: Body) -> None:
        self.bodies.append(body)
        self._samples.extend(body.decoded.samples)
        if body.decoded.metadata:
            self._metadata.update(body.decoded.metadata)

    def batch(self) -> Batch:
        return Batch(self._samples, self.bodies[-1].received_ms, self._metadata)

    def waiting(self) -> "asyncio.Future[None] | None":
        if self._written is None and not self._is_written:
            self._written = asyncio.get_running_loop().create_future()
        return self._written

    def end(self) -> bool:
        """All is written; whether anybody waited for it."""
        self._is_written = True
        if self._written is not None and not self._written.done():
            self._written.set_result(None)
        return self._written is not None
