"""Answers to wrong credentials come late, and later each time; right ones never wait."""

import ipaddress
from collections import OrderedDict
from dataclasses import dataclass
from typing import Final, final

_FIRST_MS: Final = 250
_MAX_MS: Final = 30_000
_FORGET_MS: Final = 15 * 60_000
_ADDRESSES_MAX: Final = 4096
_WAITING_MAX: Final = 8


@dataclass(slots=True)
class _Record:
    failures: int
    last_ms: int
    waiting: int


@final
class Delays:
    """Wrong credentials per address; bounded, the longest quiet address is forgotten first.

    One IPv6 customer has a whole /64, so that network counts as one address. Nobody is locked
    out: the right credential is answered at once whatever came before.
    Source: security.md §3.
    """

    def __init__(self) -> None:
        self._records: OrderedDict[str, _Record] = OrderedDict()

    def fail(self, address: str, *, now_ms: int) -> int | None:
        """Milliseconds to wait before answering this failure; None: too many wait already."""
        key = _network(address)
        record = self._records.pop(key, None)
        if record is None or now_ms - record.last_ms > _FORGET_MS:
            record = _Record(0, now_ms, 0 if record is None else record.waiting)
        self._records[key] = record
        record.failures += 1
        record.last_ms = now_ms
        while len(self._records) > _ADDRESSES_MAX:
            self._records.popitem(last=False)
        if record.waiting >= _WAITING_MAX:
            return None
        record.waiting += 1
        return int(min(_MAX_MS, _FIRST_MS * 2 ** min(record.failures - 1, 16)))

    def answered(self, address: str) -> None:
        """A failure that fail() made wait has been answered."""
        record = self._records.get(_network(address))
        if record is not None and record.waiting:
            record.waiting -= 1


def _network(address: str) -> str:
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped is None:
        return str(ipaddress.ip_network((int(parsed) >> 64 << 64, 64)))
    return str(parsed)
