"""Bind addresses as others use them."""

import socket
from typing import Final

from alicia.adapters.http.hosts import is_loopback

_EVERY: Final = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - read, not bound


def is_local(host: str) -> bool:
    """Whether a bind address lets in only this machine."""
    return host == "localhost" or is_loopback(host)


def from_here(host: str) -> str:
    """Where this machine reaches a service that is bound to ``host``."""
    return _EVERY.get(host, host)


def from_elsewhere(address: str) -> str:
    """The URL by which another machine reaches a service that is bound to all addresses."""
    for every in ("//0.0.0.0:", "//[::]:"):
        address = address.replace(every, f"//{socket.gethostname()}:")
    return address
