"""Listening sockets: bound first, judged by where they really are, and never shared."""

import errno
import socket
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any, ClassVar, Final

from alicia.adapters.http.hosts import is_loopback
from alicia.base.errors import AliciaError, BadField, Kind

_BACKLOG: Final = 1024
_Address = tuple[Any, ...]  # as getaddrinfo() gives it: host, port, and more for IPv6
_ABSENT: Final = (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT)


class PortBusy(AliciaError):
    """Another process listens on the port; the message names it where the system lets us see."""

    code: ClassVar[str] = "port_busy"
    kind: ClassVar[Kind] = Kind.CONFLICT


@dataclass(frozen=True, slots=True)
class Listener:
    """Sockets that listen on one port.

    ``address`` is the first as host:port. ``loopback``: every one of them can be reached from
    this machine only.
    """

    sockets: tuple[socket.socket, ...]
    host: str
    port: int
    loopback: bool

    @property
    def address(self) -> str:
        """Host and port as people write them."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    def close(self) -> None:
        """Stop listening."""
        for item in self.sockets:
            item.close()


def bind(host: str, port: int) -> Listener:
    """Listen on every address of ``host``; port 0 takes a free one, the same for all.

    Raises:
        PortBusy: somebody else listens there.
        BadField: the host has no address, or none of this machine, or the port is privileged.
    """
    with ExitStack() as undo:
        sockets: list[socket.socket] = []
        for family, address in _resolve(host, port):
            wanted = (address[0], sockets[0].getsockname()[1] if sockets else port, *address[2:])
            try:
                item = undo.enter_context(_listening(family, wanted))
            except OSError as error:
                if sockets and error.errno in _ABSENT:
                    continue  # ``localhost`` on a machine without IPv6
                raise _refusal(error, host, wanted[1]) from None
            sockets.append(item)
        undo.pop_all()
    names = [item.getsockname() for item in sockets]
    return Listener(
        sockets=tuple(sockets),
        host=names[0][0],
        port=names[0][1],
        loopback=all(is_loopback(name[0]) for name in names),
    )


def is_local(host: str) -> bool:
    """Whether sockets bound to ``host`` could be reached from this machine only.

    The one judgement of security.md §2, for those who must know before anything is bound:
    every address of the name counts, as it would in ``bind``.

    Raises:
        BadField: the host has no address.
    """
    return all(is_loopback(address[0]) for _, address in _resolve(host, 0))


def _resolve(host: str, port: int) -> list[tuple[socket.AddressFamily, _Address]]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (OSError, UnicodeError) as error:
        raise BadField(
            "HOST", f"HOST: {host[:100]!r} has no address: {error}", reason="bad_host"
        ) from None
    # IPv4 first: that is the address people are told.
    unique = dict.fromkeys((family, address) for family, _, _, _, address in found)
    return sorted(unique, key=lambda item: item[0] != socket.AF_INET)


def _listening(family: socket.AddressFamily, address: _Address) -> socket.socket:
    item = socket.socket(family, socket.SOCK_STREAM)
    try:
        item.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6 and address[0] != "::":
            item.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        item.bind(address)
        item.listen(_BACKLOG)
        item.setblocking(False)
    except OSError:
        item.close()
        raise
    return item


def _refusal(error: OSError, host: str, port: int) -> AliciaError:
    if error.errno == errno.EADDRINUSE:
        return PortBusy(
            f"port {port} on {host} is held by {port_holder(port)};"
            " stop that, or choose another port"
        )
    return BadField("HOST", f"cannot listen on {host} port {port}: {error}", reason="bad_host")


def port_holder(port: int) -> str:
    """Name and pid of whoever listens on a TCP port, as far as we may see."""
    import psutil  # only on the way to an error message

    try:
        connections = psutil.net_connections(kind="tcp")
    except (psutil.Error, OSError):
        return "another process"
    for item in connections:
        if item.status == psutil.CONN_LISTEN and item.laddr and item.laddr.port == port:
            return _process_name(item.pid)
    return "another process"


def _process_name(pid: int | None) -> str:
    import psutil

    if pid is None:
        return "a process of another user"
    try:
        return f"{psutil.Process(pid).name()} (pid {pid})"
    except (psutil.Error, OSError):
        return f"pid {pid}"
