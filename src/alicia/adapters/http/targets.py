"""Targets of outgoing requests: URLs taken apart strictly, and judged before any connection."""

import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar, Final, final
from urllib.parse import urlsplit

from alicia.adapters.http.addresses import Address, Reach, embedded, parse_address, reach_of
from alicia.base.errors import BadField

URL_CHARS_MAX: Final = 2048
_DEFAULT_PORT: Final = {"http": 80, "https": 443}
_LABEL: Final = re.compile(r"(?!-)[A-Za-z0-9_-]{1,63}(?<!-)")
_BRACKETED: Final = re.compile(r"\[([0-9a-f:.]+)\](:\d{1,5})?")
_HOST_PORT: Final = re.compile(r"[a-z0-9_.-]+(:\d{1,5})?")
_VISIBLE: Final = re.compile(r"[!-~]+")


class OutboundRefused(BadField):
    """A request may not go there; the message names the entry of OUTBOUND_ALLOW to add, if any."""

    code: ClassVar[str] = "outbound_refused"


@dataclass(frozen=True, slots=True)
class Target:
    """Where a request goes; ``host`` is a name in small letters, or an address without brackets.

    ``path`` begins with / and holds the query.
    """

    scheme: str
    host: str
    port: int
    path: str
    address: Address | None

    @property
    def authority(self) -> str:
        """The Host header: without the port that the scheme implies."""
        implied = self.port == _DEFAULT_PORT.get(self.scheme)
        return self.origin.rpartition(":")[0] if implied else self.origin

    @property
    def origin(self) -> str:
        """Host and port, as OUTBOUND_ALLOW spells them."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def parse_target(url: str, *, field: str = "url") -> Target:
    """Take an http or https URL apart; what different parsers read differently is refused.

    Raises:
        OutboundRefused: with the reason and what to write instead.
    """
    if len(url) > URL_CHARS_MAX or not _VISIBLE.fullmatch(url) or "\\" in url:
        raise _bad(field, "write a URL of visible ASCII characters, without \\, up to 2048 long")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise _bad(field, f"not a URL: {error}") from None
    if parts.scheme not in _DEFAULT_PORT:
        raise _bad(field, "only http:// and https:// are taken")
    if "@" in parts.netloc:
        raise _bad(field, "no user:password@ in a URL; send a header instead")
    host = (parts.hostname or "").removesuffix(".")
    if port == 0:
        raise _bad(field, "port 0 is no port")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(
        scheme=parts.scheme,
        host=host,
        port=port or _DEFAULT_PORT[parts.scheme],
        path=path,
        address=_address(host, bracketed="[" in parts.netloc, field=field),
    )


@final
class Allow:
    """The owner's list of local targets: hosts, networks, ``host:port``.

    Raises:
        BadField: an entry is none of these.
    """

    def __init__(self, entries: Iterable[str] = ()) -> None:
        self._networks: list[ipaddress.IPv4Network | ipaddress.IPv6Network] = []
        self._names: set[str] = set()
        for entry in entries:
            self._add(entry.strip().lower())

    def permits(self, target: Target, address: Address) -> bool:
        """Whether the owner lets requests for ``target`` go to ``address``."""
        if target.host in self._names or target.origin in self._names:
            return True
        forms = {address, _unwrapped(address)}
        return any(form in network for form in forms for network in self._networks)

    def _add(self, entry: str) -> None:
        bracketed = _BRACKETED.fullmatch(entry)
        try:
            network = ipaddress.ip_network(bracketed[1] if bracketed else entry, strict=False)
        except ValueError:
            if bracketed or not _HOST_PORT.fullmatch(entry):
                raise BadField(
                    "OUTBOUND_ALLOW",
                    f"OUTBOUND_ALLOW: {entry[:64]!r} is no host, network or host:port",
                    reason="bad_setting",
                ) from None
            self._names.add(entry)
            return
        if bracketed and bracketed[2]:
            self._names.add(entry)  # this port alone
        else:
            self._networks.append(network)


def judge(
    target: Target,
    addresses: Iterable[Address],
    *,
    allow: Allow,
    local_ok: bool,
    field: str = "url",
) -> None:
    """Refuse a target unless every one of its addresses may be reached.

    One bad record among good ones refuses all: whoever controls the name chooses the order.

    Raises:
        OutboundRefused: with the address, and the entry that would allow it.
    """
    for address in addresses:
        reach = reach_of(address)
        if reach is Reach.NEVER:
            raise _bad(field, f"{target.host} is {address}, which requests never go to")
        if reach is Reach.LOCAL and not local_ok and not allow.permits(target, address):
            raise _bad(
                field,
                f"{target.host} is {address}, inside your network; add {target.origin} to"
                " OUTBOUND_ALLOW if that is meant",
            )


def _address(host: str, *, bracketed: bool, field: str) -> Address | None:
    try:
        address = parse_address(host)
    except ValueError:
        raise _bad(field, f"{host[:64]!r} is no address in its usual spelling") from None
    if bracketed != isinstance(address, ipaddress.IPv6Address):
        raise _bad(field, f"{host[:64]!r}: brackets are for IPv6 addresses only")
    if address is None and not _is_name(host):
        raise _bad(field, f"{host[:64]!r} is no host name")
    return address


def _is_name(host: str) -> bool:
    return 0 < len(host) <= 253 and all(_LABEL.fullmatch(label) for label in host.split("."))


def _unwrapped(address: Address) -> Address:
    inner = embedded(address) if isinstance(address, ipaddress.IPv6Address) else None
    return address if inner is None else inner


def _bad(field: str, why: str) -> OutboundRefused:
    return OutboundRefused(field, f"{field}: {why}", reason="outbound_refused")
