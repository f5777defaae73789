"""Whether a change was asked for by a page of ours, or by no page at all."""

from typing import Final
from urllib.parse import urlsplit

SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_OURS: Final = frozenset({"same-origin", "none"})
_DEFAULT_PORT: Final = {"http": 80, "https": 443}


def is_foreign(*, origin: str | None, fetch_site: str | None, host: str) -> bool:
    """Whether a browser says that the request comes from a page of another origin.

    Programs send neither header. The scheme is not compared: behind a proxy that ends TLS the
    two differ, and an attacker cannot have our host and port under the other scheme.
    Source: security.md §6.
    """
    if fetch_site is not None and fetch_site.strip().lower() not in _OURS:
        return True
    return origin is not None and not _same(origin.strip().lower(), host.strip().lower())


def _same(origin: str, host: str) -> bool:
    try:
        parts = urlsplit(origin)
        port = parts.port
    except ValueError:
        return False
    if parts.scheme not in _DEFAULT_PORT or parts.username is not None or not parts.hostname:
        return False
    default = _DEFAULT_PORT[parts.scheme]
    return (parts.hostname, port or default) == _split_host(host, default)


def _split_host(host: str, default: int) -> tuple[str, int]:
    try:
        parts = urlsplit(f"//{host}")
        return parts.hostname or "", parts.port or default
    except ValueError:
        return "", 0
