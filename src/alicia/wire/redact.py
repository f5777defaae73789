"""Payloads without their secrets, for logs, databases and screens."""

import re
from collections.abc import Mapping, Sequence
from typing import Final

MASK: Final = "***"
_SECRET_WORDS: Final = frozenset(
    {
        "key", "token", "secret", "password", "authorization", "credential", "cookie", "audio",
        "passwd", "pwd", "apikey",
    }
)  # fmt: skip
# Words of a key: split at _ and -, at other punctuation, and between camelCase humps.
_WORDS: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
# A password may hold an @ by mistake: the last one before the host's end counts.
_USERINFO: Final = re.compile(r"(?P<scheme>[a-zA-Z][a-zA-Z0-9+.-]{0,30}://)[^/\s?#]*@")
_CUT_USERINFO: Final = re.compile(_USERINFO.pattern.removesuffix("@") + r"(?:@|\Z)")
_TEXT_MAX: Final = 1000
_ITEMS_MAX: Final = 100
_DEPTH_MAX: Final = 16


def redact(value: object, *, depth: int = 0) -> object:
    """A copy whose secrets are masked and whose size is bounded.

    Masked are the values of keys that contain a secret word, whole, and ``user:pass@`` in any
    text. Long texts, long lists and deep nesting are cut.

    Source: bus.md §6.
    """
    if depth >= _DEPTH_MAX:
        return "…"
    if isinstance(value, Mapping):
        return {
            key: MASK if is_secret_key(str(key)) else redact(member, depth=depth + 1)
            for key, member in list(value.items())[:_ITEMS_MAX]
        }
    if isinstance(value, str):
        return redact_text(value)
    if isinstance(value, Sequence) and not isinstance(value, bytes | bytearray):
        return [redact(member, depth=depth + 1) for member in value[:_ITEMS_MAX]]
    return value


def redact_text(text: str) -> str:
    """A text without the credentials of URLs in it, cut to a bounded length."""
    masked = rf"\g<scheme>{MASK}@"
    if len(text) <= _TEXT_MAX:
        return _USERINFO.sub(masked, text)
    # A host that the cut ends may have been a user and a password: the @ is not seen any more.
    return _CUT_USERINFO.sub(masked, text[:_TEXT_MAX]) + "…"


def is_secret_key(key: str) -> bool:
    """Whether a key names a secret by one of its words, singular or plural."""
    words = (word.lower() for word in _WORDS.findall(key))
    return any(word in _SECRET_WORDS or word.removesuffix("s") in _SECRET_WORDS for word in words)
