"""What every request passes before any route sees it: host, origin, size, credentials."""

import asyncio
import base64
import binascii
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, ClassVar, Final, final

from alicia.adapters.files import make_private_folder
from alicia.adapters.http.audit import AuditLog
from alicia.adapters.http.bind import Listener
from alicia.adapters.http.delays import Delays
from alicia.adapters.http.errors import (
    BadBody,
    BodyTooLarge,
    ForeignOrigin,
    Unauthorized,
    WrongHost,
)
from alicia.adapters.http.hosts import Hosts, machine_names
from alicia.adapters.http.origins import SAFE_METHODS, is_foreign
from alicia.adapters.http.proxies import Proxies
from alicia.adapters.http.roles import Caller, Role
from alicia.adapters.http.sessions import COOKIE, Sessions, load_key
from alicia.adapters.http.tokens import DamagedTokens, Token, TokenFile
from alicia.adapters.settings import Settings
from alicia.base.clock import Clock, Random
from alicia.base.errors import AliciaError, Kind, LimitExceeded
from alicia.base.limits import BODY_BYTES_MAX

HEALTH: Final = "/health"
_log: Final = logging.getLogger(__name__)
_NOTE_USE_MS: Final = 5 * 60_000
_WANTED: Final = frozenset(
    {
        b"host",
        b"origin",
        b"sec-fetch-site",
        b"content-length",
        b"authorization",
        b"cookie",
        b"x-forwarded-for",
    }
)
_SINGLE: Final = frozenset({b"host", b"origin", b"content-length", b"authorization"})


class OpenToAll(AliciaError):
    """The service would listen beyond this machine without anybody having to sign in."""

    code: ClassVar[str] = "open_to_all"
    kind: ClassVar[Kind] = Kind.DENIED


@final
class Guard:
    """The rules of security.md §2, §3 and §6, held in one place for both services.

    Until admit() has seen a socket that only this machine can reach, credentials are needed.
    ``sleep`` is asyncio.sleep but for tests.
    """

    def __init__(
        self,
        *,
        hosts: Hosts,
        tokens: TokenFile,
        sessions: Sessions,
        clock: Clock,
        proxies: Proxies,
        audit: AuditLog | None = None,
        insecure: bool = False,
        body_bytes_max: int = BODY_BYTES_MAX,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self._hosts = hosts
        self.tokens = tokens
        self.sessions = sessions
        self.clock = clock
        self.audit = audit
        self._proxies = proxies
        self.insecure = insecure
        self._body_bytes_max = body_bytes_max
        self._sleep = sleep
        self._delays = Delays()
        self._open = False
        self._noted: dict[str, int] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self.exposed = True

    def admit(self, listener: Listener) -> None:
        """Judge the sockets that were bound, and open the door where only we can knock.

        Raises:
            OpenToAll: they are reachable from other machines and no token exists.
        """
        self.exposed = not listener.loopback
        self._open = listener.loopback or self.insecure
        if not self._open and not self.tokens.list():
            raise OpenToAll(
                f"refused to listen on {listener.address} without a token: run"
                " `alicia token create --role admin` first, or pass --insecure to let anybody in"
            )

    async def check(self, scope: Mapping[str, Any]) -> Caller:
        """Who sends the request, if it may be looked at at all.

        Raises:
            WrongHost: the Host header is not one of ours.
            ForeignOrigin: a page of another origin asks for a change.
            BodyTooLarge: the body is declared larger than we take.
            Unauthorized: the credentials are wrong; raised late (see Delays).
        """
        headers = _headers(scope["headers"])
        self._check_host(headers, scope["path"])
        if scope["method"] not in SAFE_METHODS and is_foreign(
            origin=headers.get(b"origin"),
            fetch_site=headers.get(b"sec-fetch-site"),
            host=headers.get(b"host", ""),
        ):
            raise ForeignOrigin("a page of another origin may not change anything here")
        self._check_length(headers.get(b"content-length"))
        client = scope.get("client")
        address = self._proxies.client(client[0] if client else "", headers)
        return await self._authenticate(headers, address)

    def https(self, scope: Mapping[str, Any]) -> bool:
        """Whether the browser speaks TLS, to us or to a proxy we trust."""
        if scope.get("scheme") == "https":
            return True
        client = scope.get("client")
        return self._proxies.https(client[0] if client else "", scope["headers"])

    @property
    def behind_proxy(self) -> bool:
        """Whether the owner named proxies that stand before us."""
        return bool(self._proxies)

    async def verify(self, secret: str, address: str) -> Token:
        """The good token with this secret.

        Raises:
            Unauthorized: there is none, or it has expired; raised late (see Delays).
            LimitExceeded: too many wrong credentials from this address are waiting already.
        """
        now_ms = self.clock.now_ms()
        token = self.tokens.find(secret)
        if token is not None and not token.expired(now_ms):
            self._note_use(token, now_ms)
            return token
        wait_ms = self._delays.fail(address, now_ms=self.clock.monotonic_ms())
        if wait_ms is None:
            raise LimitExceeded("too many wrong credentials from this address; wait a minute")
        try:
            await self._sleep(wait_ms / 1000)
        finally:
            self._delays.answered(address)
        if token is not None:
            raise Unauthorized(f"token {token.id} has expired; alicia token create makes a new one")
        raise Unauthorized("this token is not known here; it may have been revoked")

    def still_lets_in(self, caller: Caller) -> bool:
        """Whether the token of a caller whom check() let in is neither revoked nor expired."""
        if not caller.token_id:
            return True
        try:
            token = self.tokens.by_id(caller.token_id)
        except (DamagedTokens, OSError):
            return False  # as at the door
        return token is not None and not token.expired(self.clock.now_ms())

    async def settled(self) -> None:
        """Wait until every noted use and change is stored or refused; part of a clean stop."""
        await asyncio.gather(*self._tasks)
        if self.audit is not None:
            await self.audit.settled()

    def _check_host(self, headers: Mapping[bytes, str], path: str) -> None:
        # Containers and balancers poll /health by whatever name they have for us.
        if self.exposed and path == HEALTH:
            return
        host = headers.get(b"host", "")
        if not self._hosts.allows(host):
            raise WrongHost(
                f"Host: {host[:100]!r} is not a name of this machine; add it to ALLOWED_HOSTS"
            )

    def _check_length(self, declared: str | None) -> None:
        if declared is None:
            return
        if not (declared.isascii() and declared.isdigit()):
            raise BadBody("Content-Length: must be a number of bytes")
        if int(declared) > self._body_bytes_max:
            raise too_large(self._body_bytes_max)

    async def _authenticate(self, headers: Mapping[bytes, str], address: str) -> Caller:
        secret = _secret(headers.get(b"authorization"))
        if secret is not None:
            return _caller(await self.verify(secret, address), address)
        session = self._session(headers.get(b"cookie"))
        if session is not None:
            return _caller(session, address)
        return Caller(Role.ADMIN if self._open else None, address)

    def _session(self, cookies: str | None) -> Token | None:
        """The token of a session cookie; a stale one is no attack and counts as absent."""
        cookie = _cookie(cookies) if cookies else None
        if cookie is None:
            return None
        now_ms = self.clock.now_ms()
        token_id = self.sessions.read(cookie, now_ms=now_ms)
        token = self.tokens.by_id(token_id) if token_id else None
        return token if token is not None and not token.expired(now_ms) else None

    def _note_use(self, token: Token, now_ms: int) -> None:
        last_ms = max(token.last_used_ms, self._noted.get(token.id, 0))
        if now_ms - last_ms < _NOTE_USE_MS:
            return
        self._noted[token.id] = now_ms
        task = asyncio.create_task(self._store_use(token.id, now_ms))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _store_use(self, token_id: str, now_ms: int) -> None:
        """A disk that refuses this keeps nobody out: the next use after a while tries again."""
        try:
            await asyncio.to_thread(self.tokens.note_use, token_id, now_ms=now_ms)
        except (OSError, DamagedTokens) as error:
            _log.error(
                "the use of token %s cannot be stored: %s",
                token_id,
                error,
                extra={"code": "token_use_write"},
            )


def make_guard(
    settings: Settings, *, clock: Clock, random: Random, service: str | None = None
) -> Guard:
    """The guard of one service; both services share the tokens and the session key.

    ``service`` names the audit log; without it none is kept.
    """
    make_private_folder(settings.data_dir)
    return Guard(
        hosts=Hosts(machine_names(settings.host, settings.allowed_hosts)),
        tokens=token_file(settings.data_dir),
        sessions=Sessions(load_key(settings.data_dir / "session.key", random)),
        clock=clock,
        proxies=Proxies(settings.trusted_proxies),
        audit=AuditLog(settings.data_dir / "audit", service, clock) if service else None,
        insecure=settings.insecure,
    )


def token_file(data_dir: Path) -> TokenFile:
    """The tokens of a data folder."""
    return TokenFile(data_dir / "tokens.json")


def too_large(limit: int) -> BodyTooLarge:
    """The refusal of a body beyond ``limit`` bytes."""
    return BodyTooLarge(f"the body is larger than {limit} bytes; send it in parts")


def _headers(raw: Iterable[tuple[bytes, bytes]]) -> dict[bytes, str]:
    found: dict[bytes, str] = {}
    for name, value in raw:
        if name in _WANTED:
            if name in found and name in _SINGLE:
                raise BadBody(f"{name.decode()}: this header may be sent once")
            text = value.decode("latin-1")
            found[name] = f"{found[name]}; {text}" if name in found else text
    return found


def _secret(authorization: str | None) -> str | None:
    """The secret of an Authorization header; empty where the header cannot be read."""
    if authorization is None:
        return None
    scheme, _, value = authorization.strip().partition(" ")
    if scheme.lower() == "bearer":
        return value.strip()
    if scheme.lower() == "basic":
        try:
            decoded = base64.b64decode(value.strip(), validate=True).decode("utf-8")
        except (binascii.Error, UnicodeDecodeError):
            return ""
        return decoded.partition(":")[2]
    return ""


def _cookie(header: str) -> str | None:
    for part in header.split(";"):
        name, _, value = part.strip().partition("=")
        if name == COOKIE:
            return value
    return None


def _caller(token: Token, address: str) -> Caller:
    return Caller(token.role, address, token_id=token.id, service=token.service)
