"""One connection: uvicorn's protocol, with the deadlines and bounds that it lacks.

Source: reliability.md §3 and §11 (uvicorn).
"""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any, Final, final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from alicia.adapters.http.crowd import Crowd, Stage
from alicia.adapters.http.errors import plain_answer
from alicia.adapters.http.security_headers import SECURITY_HEADERS

HEAD_SECONDS: Final = 10.0
BODY_STALL_SECONDS: Final = 30.0
HEAD_BYTES_MAX: Final = 64 * 1024
_LINGER_SECONDS: Final = 1.0
_HEAD_TOO_LARGE: Final = f"the head of the request is larger than {HEAD_BYTES_MAX} bytes"


def make_protocol(
    *,
    crowd: Crowd | None = None,
    head_seconds: float = HEAD_SECONDS,
    stall_seconds: float = BODY_STALL_SECONDS,
) -> Callable[..., asyncio.Protocol]:
    """The factory of a server's connections, which share one bound on their number."""
    return partial(
        BoundedProtocol,
        crowd=Crowd() if crowd is None else crowd,  # an empty one is false
        head_seconds=head_seconds,
        stall_seconds=stall_seconds,
    )


@final
class BoundedProtocol(HttpToolsProtocol):
    """An HTTP/1.1 connection whose peer has to make progress.

    One timer for the head of a request, then for each gap in its body; another while the peer
    takes nothing of its answer. The idle time between requests is uvicorn's.
    """

    def __init__(
        self, *args: Any, crowd: Crowd, head_seconds: float, stall_seconds: float, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self._crowd = crowd
        self._head_seconds = head_seconds
        self._stall_seconds = stall_seconds
        self._timer: asyncio.TimerHandle | None = None
        self._write_timer: asyncio.TimerHandle | None = None
        self._progress = 0.0
        self._head_bytes = 0
        self._refused = False
        self.stage = Stage.HEAD

    @property
    def address(self) -> str:
        """The peer's address without its port."""
        return self.client[0] if self.client else ""

    def abort(self) -> None:
        """Close at once; nothing more is sent."""
        self.transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the connection, or close one that has waited long without a whole request."""
        super().connection_made(transport)  # type: ignore[arg-type]
        if not self._crowd.enter(self):
            self.abort()
            return
        self._arm(self._head_seconds)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._crowd.leave(self)
        self._disarm()
        self._drop_write_timer()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Feed the parser, but no endless head, and nothing after a refusal."""
        if self._refused:
            return
        if self.stage in (Stage.HEAD, Stage.IDLE):
            self._head_bytes += len(data)
        super().data_received(data)
        if self._over():
            return
        if self.stage is Stage.IDLE and self.timeout_keep_alive_task is None:
            self._begin_head()  # blank lines are no request, and must not stop the clock
        if self.stage is Stage.HEAD and self._head_bytes > HEAD_BYTES_MAX:
            self._refuse(431, _HEAD_TOO_LARGE)

    def _over(self) -> bool:
        """Whether nothing more is read here; parsing may have brought that about."""
        return self._refused or self.transport.is_closing()

    def on_message_begin(self) -> None:
        """A request line begins."""
        super().on_message_begin()
        if self.stage is not Stage.HEAD:
            self._begin_head()

    def on_headers_complete(self) -> None:
        """The head is whole; its body may take long, but may not stop."""
        if len(self.url) + sum(len(n) + len(v) for n, v in self.headers) > HEAD_BYTES_MAX:
            self._refuse(431, _HEAD_TOO_LARGE)  # it came too fast to be counted on the way
            return
        self._head_bytes = 0
        self.stage = Stage.BODY
        self._arm(self._stall_seconds)
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Some of the body came."""
        if self._refused:
            return
        self._progress = self.loop.time()
        super().on_body(body)

    def on_message_complete(self) -> None:
        """The request is whole; from now on we are the slow ones."""
        if self._refused:
            return
        self._disarm()
        self.stage = Stage.ANSWER
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """The answer is sent."""
        if self.stage is Stage.ANSWER:
            self.stage = Stage.IDLE
        super().on_response_complete()

    def pause_writing(self) -> None:
        """The peer does not take its answer; it has as long as for a gap in a body."""
        super().pause_writing()
        self._write_timer = self.loop.call_later(self._stall_seconds, self.abort)

    def resume_writing(self) -> None:
        """The peer reads on."""
        super().resume_writing()
        self._drop_write_timer()

    def send_400_response(self, msg: str) -> None:
        """Answer what is no HTTP, and close: the next byte could mean anything."""
        self._refuse(400, msg)

    def _refuse(self, status: int, detail: str) -> None:
        reply = plain_answer(status, detail)
        head = [*reply.raw_headers, *SECURITY_HEADERS, (b"connection", b"close")]
        lines = [f"HTTP/1.1 {status} Refused".encode(), *(b": ".join(item) for item in head)]
        self.transport.write(b"\r\n".join([*lines, b"", bytes(reply.body)]))
        self._refused = True
        if not self.transport.can_write_eof():
            self.transport.close()
            return
        # Closing with bytes unread would reset the connection before the answer is seen.
        self.transport.write_eof()
        self.stage = Stage.HEAD
        self._arm(_LINGER_SECONDS)

    def _begin_head(self) -> None:
        self.stage = Stage.HEAD
        self._arm(self._head_seconds)

    def _arm(self, seconds: float) -> None:
        self._disarm()
        self._progress = self.loop.time()
        self._timer = self.loop.call_later(seconds, self._on_timer, seconds)

    def _disarm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _drop_write_timer(self) -> None:
        if self._write_timer is not None:
            self._write_timer.cancel()
            self._write_timer = None

    def _on_timer(self, seconds: float) -> None:
        """Close, unless bytes came meanwhile or it is us who do not read them."""
        self._timer = None
        quiet = self.loop.time() - self._progress
        if self.stage is Stage.BODY and (self.flow.read_paused or quiet < seconds):
            rest = seconds if self.flow.read_paused else seconds - quiet
            self._timer = self.loop.call_later(rest, self._on_timer, seconds)
            return
        self.abort()
