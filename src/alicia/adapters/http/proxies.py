"""Who the client is behind a proxy; only proxies that the owner named are believed."""

import ipaddress
from collections.abc import Iterable, Mapping
from typing import final

from alicia.base.errors import BadField

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@final
class Proxies:
    """The trusted proxies.

    Raises:
        BadField: an entry is neither an address nor a network.
    Source: security.md §2.
    """

    def __init__(self, trusted: Iterable[str] = ()) -> None:
        self._networks = tuple(_network(text) for text in trusted)

    def __bool__(self) -> bool:
        return bool(self._networks)

    def client(self, peer: str, headers: Mapping[bytes, str]) -> str:
        """The address of the client: the last one that no trusted proxy stands for."""
        forwarded = headers.get(b"x-forwarded-for")
        if not self._networks or forwarded is None or not self._trusts(peer):
            return peer
        hops = [hop.strip() for hop in forwarded.replace(";", ",").split(",")]
        for hop in reversed(hops):
            if not self._trusts(hop):
                return hop if _parsed(hop) is not None else peer
        return hops[0]

    def https(self, peer: str, headers: Iterable[tuple[bytes, bytes]]) -> bool:
        """Whether a trusted proxy says that it was asked over TLS."""
        if not self._networks or not self._trusts(peer):
            return False
        return any(
            name == b"x-forwarded-proto" and value.strip().lower() == b"https"
            for name, value in headers
        )

    def _trusts(self, address: str) -> bool:
        parsed = _parsed(address)
        return parsed is not None and any(parsed in network for network in self._networks)


def _parsed(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        parsed = ipaddress.ip_address(text)
    except ValueError:
        return None
    return getattr(parsed, "ipv4_mapped", None) or parsed


def _network(text: str) -> Network:
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        raise BadField(
            "TRUSTED_PROXIES",
            f"TRUSTED_PROXIES: {text[:64]!r} is no address or network such as 10.0.0.0/8",
            reason="bad_setting",
        ) from None
