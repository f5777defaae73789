"""uvicorn inside our own event loop: our sockets, our deadlines, our signals."""

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Final, final

import uvicorn
from fastapi import FastAPI

from alicia.adapters.http.bind import Listener, bind
from alicia.adapters.http.guard import Guard
from alicia.adapters.http.protocol import make_protocol
from alicia.base.errors import BadField

_IDLE_SECONDS: Final = 75
_GRACE_SECONDS: Final = 3.0
_log: Final = logging.getLogger(__name__)


@final
class HttpServer:
    """One listening service. Belongs to the loop that calls start()."""

    def __init__(
        self,
        app: FastAPI,
        host: str,
        port: int,
        *,
        guard: Guard,
        tls_cert: Path | None = None,
        tls_key: Path | None = None,
        protocol: Callable[..., asyncio.Protocol] | None = None,
    ) -> None:
        self._app = app
        self._host = host
        self._port = port
        self._guard = guard
        self._scheme = "https" if tls_cert else "http"
        self._server = uvicorn.Server(
            uvicorn.Config(
                app,
                http=protocol or make_protocol(),  # type: ignore[arg-type]  # any factory will do
                ws="none",
                lifespan="auto",
                log_config=None,
                log_level=logging.CRITICAL,  # what fails is logged by Front, once
                access_log=False,
                server_header=False,
                proxy_headers=False,
                timeout_keep_alive=_IDLE_SECONDS,
                ssl_certfile=tls_cert,
                ssl_keyfile=tls_key,
            )
        )
        self._listener: Listener | None = None
        self._ticker: asyncio.Task[None] | None = None

    @property
    def url(self) -> str:
        """Where the service answers, once started."""
        assert self._listener is not None, "start() first"
        return f"{self._scheme}://{self._listener.address}"

    async def start(self) -> int:
        """Listen, and return the port; requests are answered from now on.

        Raises:
            PortBusy: another process has the port; the message names it.
            OpenToAll: other machines could reach us, and nobody would have to sign in.
            BadField: the host cannot be listened on, or the TLS files cannot be used.
        """
        assert self._listener is None, "a server starts once"
        listener = bind(self._host, self._port)
        try:
            self._guard.admit(listener)
            self._warn_in_clear()
            config = self._server.config
            _load(config)
            self._server.lifespan = config.lifespan_class(config)
            await self._server.startup(sockets=list(listener.sockets))
        except BaseException:
            listener.close()
            raise
        self._listener = listener
        self._ticker = asyncio.create_task(self._server.main_loop(), name="http-ticker")
        return listener.port

    def _warn_in_clear(self) -> None:
        if self._guard.exposed and self._scheme == "http" and not self._guard.behind_proxy:
            _log.warning(
                "%s is reachable by other machines without TLS: tokens travel in clear; set"
                " TLS_CERT and TLS_KEY, or put a proxy before it and name it in TRUSTED_PROXIES",
                self._host,
                extra={"code": "no_tls"},
            )

    async def stop(self, grace: float = _GRACE_SECONDS) -> None:
        """Take no new connections, end streams, give running requests ``grace`` seconds.

        Safe to call twice, and before start().
        """
        if self._ticker is None or self._listener is None:
            return
        ticker, self._ticker = self._ticker, None
        self._app.state.shutting_down.set()
        self._server.should_exit = True
        self._server.config.timeout_graceful_shutdown = grace  # type: ignore[assignment]
        await ticker
        await self._server.shutdown(sockets=list(self._listener.sockets))
        for connection in list(self._server.server_state.connections):
            connection.transport.abort()
        await self._guard.settled()


def _load(config: uvicorn.Config) -> None:
    try:
        config.load()
    except OSError as error:  # which ssl.SSLError is too
        files = f"{config.ssl_certfile} and {config.ssl_keyfile}"
        raise BadField(
            "TLS_CERT",
            f"TLS_CERT, TLS_KEY: {files} cannot be used: {error.strerror or error}",
            reason="bad_setting",
        ) from None
