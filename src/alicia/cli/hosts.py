"""Bind addresses as others use them."""

import socket
from typing import Final

_EVERY: Final = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - read, not bound


def from_here(host: str) -> str:
    """Where this machine reaches a service that is bound to ``host``."""
    return _EVERY.get(host, host)


def from_elsewhere(address: str) -> str:
    """The URL by which another machine reaches a service that is bound to all addresses."""
    for every in ("//0.0.0.0:", "//[::]:"):
        address = address.replace(every, f"//{socket.gethostname()}:")
    return address
