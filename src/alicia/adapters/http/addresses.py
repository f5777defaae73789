"""Which addresses an outgoing request may reach; a table of ours.

``ipaddress.is_global`` is not used: it calls 64:ff9b::/96, 2002::/16, ::127.0.0.1 and
fec0::/10 global.
Source: security.md §5; IANA special-purpose registries; CVE-2024-4032.
"""

import ipaddress
from enum import Enum
from typing import Final

IPv4 = ipaddress.IPv4Address
IPv6 = ipaddress.IPv6Address
Address = IPv4 | IPv6
_Net4 = ipaddress.IPv4Network
_Net6 = ipaddress.IPv6Network


class Reach(Enum):
    """How far away an address is."""

    PUBLIC = "public"
    LOCAL = "local"  # this machine, or a private network: where the owner allows it
    NEVER = "never"  # metadata services, groups, and what no host has


_LOCAL_4: Final = tuple(
    map(_Net4, ["127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10"])
)
_NEVER_4: Final = (
    _Net4("0.0.0.0/8"),
    _Net4("169.254.0.0/16"),  # link-local: metadata services of every cloud
    _Net4("192.0.0.0/24"),
    _Net4("192.0.2.0/24"),
    _Net4("192.88.99.0/24"),
    _Net4("198.18.0.0/15"),
    _Net4("198.51.100.0/24"),
    _Net4("203.0.113.0/24"),
    _Net4("224.0.0.0/4"),
    _Net4("240.0.0.0/4"),
)
_LOOPBACK_6: Final = IPv6("::1")
_LOCAL_6: Final = _Net6("fc00::/7")
_METADATA_6: Final = IPv6("fd00:ec2::254")
_GLOBAL_6: Final = _Net6("2000::/3")  # all that was ever given out; the rest is reserved
_NEVER_6: Final = tuple(map(_Net6, ["2001::/32", "2001:db8::/32", "3fff::/20"]))
# Where an IPv4 address hides in an IPv6 one: the network, and its distance from the right.
_EMBEDDED: Final = (
    (_Net6("::ffff:0:0/96"), 0),
    (_Net6("64:ff9b::/96"), 0),
    (_Net6("::/96"), 0),
    (_Net6("2002::/16"), 80),
)


def reach_of(address: Address) -> Reach:
    """How far away ``address`` is; an IPv4 address inside an IPv6 one is judged itself."""
    if isinstance(address, IPv6):
        if address == _LOOPBACK_6:
            return Reach.LOCAL
        inner = embedded(address)
        return _reach_6(address) if inner is None else _reach_4(inner)
    return _reach_4(address)


def embedded(address: IPv6) -> IPv4 | None:
    """The IPv4 address inside an IPv6 one, by the well-known mappings."""
    for network, shift in _EMBEDDED:
        if address in network:
            return IPv4(int(address) >> shift & 0xFFFF_FFFF)
    return None


def parse_address(host: str) -> Address | None:
    """The address that ``host`` spells, or None for a name.

    Raises:
        ValueError: it looks like an address and is none in the usual spelling. Resolvers read
            ``0x7f.1``, ``017700000001`` and ``127.1`` as addresses, each in its own way.
    """
    bare = host.removesuffix(".")
    if ":" in bare:
        if "%" in bare:
            raise ValueError("a zone index is not taken")
        return IPv6(bare)
    last = bare.rpartition(".")[2].lower()
    if last.isdigit() or last.startswith("0x"):
        return IPv4(bare)
    return None


def _reach_4(address: IPv4) -> Reach:
    if any(address in network for network in _NEVER_4):
        return Reach.NEVER
    return Reach.LOCAL if any(address in network for network in _LOCAL_4) else Reach.PUBLIC


def _reach_6(address: IPv6) -> Reach:
    if address == _METADATA_6:
        return Reach.NEVER
    if address in _LOCAL_6:
        return Reach.LOCAL
    if address not in _GLOBAL_6 or any(address in network for network in _NEVER_6):
        return Reach.NEVER
    return Reach.PUBLIC
