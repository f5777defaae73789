"""The tokens of ``tokens.json``: only their hashes are stored, and both services read them."""

import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, Final, final

import msgspec

from alicia.adapters.files import locked, write_atomically
from alicia.adapters.http.roles import Role
from alicia.base.clock import Random
from alicia.base.errors import AliciaError, BadField, Kind, NotFound

PREFIX: Final = "alicia_"
YEAR_MS: Final = 365 * 86_400_000
_SECRET_BYTES: Final = 32
_FORMAT: Final = 1


class DamagedTokens(AliciaError):
    """``tokens.json`` cannot be read, so that nobody could be let in."""

    code: ClassVar[str] = "damaged_tokens"
    kind: ClassVar[Kind] = Kind.CORRUPT


@dataclass(frozen=True, slots=True)
class Token:
    """One token as stored; the secret itself is known to its holder only.

    Times are milliseconds UTC; ``last_used_ms`` is 0 for a token never used, and up to five
    minutes old.
    """

    id: str
    sha256: str
    role: Role
    service: str
    created_ms: int
    expires_ms: int
    last_used_ms: int = 0

    def expired(self, now_ms: int) -> bool:
        """Whether the token is no longer good."""
        return now_ms >= self.expires_ms


@final
class TokenFile:
    """The stored tokens.

    Several processes share the file: each change is made under a lock on what is stored at that
    moment, and readers notice it by the file's identity.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen: tuple[int, int, int] | None = None
        self._tokens: tuple[Token, ...] = ()

    def list(self) -> tuple[Token, ...]:
        """All stored tokens, oldest first, expired ones too.

        Raises:
            DamagedTokens: the file is not what we wrote.
        """
        try:
            status = self._path.stat()
        except FileNotFoundError:
            self._seen, self._tokens = None, ()
            return ()
        seen = (status.st_ino, status.st_mtime_ns, status.st_size)
        if seen != self._seen:
            self._tokens = _decode(self._path)
            self._seen = seen
        return self._tokens

    def find(self, secret: str) -> Token | None:
        """The token with this secret, expired or not; every stored hash is compared."""
        digest = _digest(secret)
        found = None
        for token in self.list():
            if hmac.compare_digest(token.sha256, digest):
                found = token
        return found

    def by_id(self, token_id: str) -> Token | None:
        """The token with this id, expired or not."""
        return next((token for token in self.list() if token.id == token_id), None)

    def create(
        self,
        role: Role,
        *,
        service: str = "",
        now_ms: int,
        random: Random,
        lifetime_ms: int = YEAR_MS,
    ) -> tuple[str, Token]:
        """Store a new token; the secret is returned this once.

        Raises:
            BadField: ``public`` is no role of a token, or the lifetime is not positive.
        """
        if role is Role.PUBLIC:
            raise BadField(
                "role",
                "role: public is no role of a token; write viewer, operator, editor, admin or"
                " ingest",
                reason="bad_role",
            )
        if lifetime_ms <= 0:
            raise BadField("expires", "expires: must lie in the future", reason="bad_expiry")
        secret = PREFIX + random.token_hex(_SECRET_BYTES)
        token = Token(
            id="tok_" + random.token_hex(4),
            sha256=_digest(secret),
            role=role,
            service=service,
            created_ms=now_ms,
            expires_ms=now_ms + lifetime_ms,
        )
        self._change(lambda tokens: (*tokens, token))
        return secret, token

    def revoke(self, token_id: str) -> Token:
        """Remove a token; its sessions end with it.

        Raises:
            NotFound: there is no token with this id.
        """
        found = self.by_id(token_id)
        if found is None:
            raise NotFound(f"there is no token {token_id[:64]!r}; alicia token list shows all")
        self._change(lambda tokens: tuple(t for t in tokens if t.id != token_id))
        return found

    def note_use(self, token_id: str, *, now_ms: int) -> None:
        """Store when a token was last used; a token revoked meanwhile stays so."""
        self._change(
            lambda tokens: tuple(
                replace(t, last_used_ms=now_ms) if t.id == token_id else t for t in tokens
            )
        )

    def _change(self, change: Callable[[tuple[Token, ...]], tuple[Token, ...]]) -> None:
        with locked(self._path.with_suffix(".lock")):
            stored = _decode(self._path) if self._path.exists() else ()
            write_atomically(self._path, _encode(change(stored)))


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogateescape")).hexdigest()


def _encode(tokens: tuple[Token, ...]) -> bytes:
    return msgspec.json.format(msgspec.json.encode({"format": _FORMAT, "tokens": tokens}), indent=1)


def _decode(path: Path) -> tuple[Token, ...]:
    raw = path.read_bytes()
    try:
        document: dict[str, Any] = msgspec.json.decode(raw, type=dict)
        if document.get("format") != _FORMAT:
            raise DamagedTokens(f"{path}: format {document.get('format')!r} is not known here")
        return msgspec.convert(document["tokens"], tuple[Token, ...])
    except (msgspec.MsgspecError, KeyError) as error:
        raise DamagedTokens(
            f"{path}: cannot be read ({error}); restore it, or remove it and create new tokens"
        ) from None
