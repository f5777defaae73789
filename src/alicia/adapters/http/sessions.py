"""Sign-in cookies: a token's id and an expiry, signed with a key both services know."""

import base64
import hashlib
import hmac
from pathlib import Path
from typing import ClassVar, Final, final

from alicia.adapters.files import create_once
from alicia.base.clock import Random
from alicia.base.errors import AliciaError, Kind

COOKIE: Final = "alicia_session"
SESSION_MS: Final = 30 * 86_400_000
_KEY_BYTES: Final = 32
_TEXT_CHARS_MAX: Final = 256


class DamagedKey(AliciaError):
    """``session.key`` is no key of ours; with a guessable one anybody could sign in."""

    code: ClassVar[str] = "damaged_key"
    kind: ClassVar[Kind] = Kind.CORRUPT


@final
class Sessions:
    """Makes and reads session cookies.

    A session is worth what its token is worth at that moment: look its id up at each request.
    """

    def __init__(self, key: bytes) -> None:
        assert len(key) >= _KEY_BYTES, "a short key can be guessed"
        self._key = key

    def sign(self, token_id: str, *, expires_ms: int) -> str:
        """The value of the cookie."""
        claim = base64.urlsafe_b64encode(f"{token_id} {expires_ms}".encode()).decode()
        return f"{claim}.{self._mac(claim)}"

    def read(self, cookie: str, *, now_ms: int) -> str | None:
        """The token id of a cookie of ours that has not expired."""
        claim, dot, mac = cookie.partition(".")
        if not dot or len(cookie) > _TEXT_CHARS_MAX or not cookie.isascii():
            return None
        if not hmac.compare_digest(mac, self._mac(claim)):
            return None
        token_id, _, expires = base64.urlsafe_b64decode(claim).decode().partition(" ")
        return token_id if now_ms < int(expires) else None

    def _mac(self, claim: str) -> str:
        return hmac.new(self._key, claim.encode(), hashlib.sha256).hexdigest()


def load_key(path: Path, random: Random) -> bytes:
    """The signing key, made at first use.

    Raises:
        DamagedKey: the file holds something else.
    """
    stored = create_once(path, random.token_hex(_KEY_BYTES).encode())
    try:
        key = bytes.fromhex(stored.decode())
    except ValueError:
        key = b""
    if len(key) < _KEY_BYTES:
        raise DamagedKey(f"{path} holds no key; remove it, and everybody signs in once more")
    return key
