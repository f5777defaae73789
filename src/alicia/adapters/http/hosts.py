"""The names under which we answer: a rebound name of somebody else's is none of them."""

import ipaddress
import socket
from collections.abc import Iterable
from typing import final


@final
class Hosts:
    """The Host headers that are ours.

    Addresses are always ours, since rebinding needs a name. Ports are not looked at: they
    differ behind proxies and container maps, and say nothing about the name.
    Source: security.md §6.
    """

    def __init__(self, names: Iterable[str]) -> None:
        self._names = frozenset(_bare(name) for name in names if name) | {"localhost"}

    def allows(self, header: str) -> bool:
        """Whether a Host header names us."""
        if header.startswith("["):
            inside, closed, rest = header[1:].partition("]")
            return bool(closed) and _is_port_suffix(rest) and _is_address(inside)
        name, colon, port = header.partition(":")
        if colon and not port.isdigit():
            return False
        return _bare(name) in self._names or _is_address(name)


def machine_names(bound: str, allowed: Iterable[str]) -> tuple[str, ...]:
    """Every name of this machine: its own, with ``.local``, the bound one and the configured."""
    own = socket.gethostname()
    short = own.partition(".")[0]
    return (own, short, f"{short}.local", bound, *allowed)


def is_loopback(address: str) -> bool:
    """Whether an address literal is only reachable from this machine."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    mapped = getattr(parsed, "ipv4_mapped", None)
    return bool((mapped or parsed).is_loopback)


def _is_port_suffix(text: str) -> bool:
    return not text or (text[0] == ":" and text[1:].isdigit())


def _bare(name: str) -> str:
    return name.strip().lower().removesuffix(".")


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
