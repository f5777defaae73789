"""Leases: which node may act, and for how long after its last renewal."""

from dataclasses import dataclass
from typing import Final

LEASE_MS: Final = 15_000  # in database time, from one renewal on
RENEW_EVERY_MS: Final = 5_000
# A node stops before the others may begin: the difference covers a slow commit on either side.
STOP_AFTER_MS: Final = 10_000


@dataclass(frozen=True, slots=True)
class Lease:
    """This node's right to act. ``renewed_ms`` is monotonic time just before the last renewal."""

    node_id: str
    boot: str
    renewed_ms: int


def may_act(lease: Lease, *, monotonic_ms: int) -> bool:
    """Whether the node may still publish and settle."""
    return monotonic_ms - lease.renewed_ms < STOP_AFTER_MS


def must_renew(lease: Lease, *, monotonic_ms: int) -> bool:
    """Whether it is time to renew."""
    return monotonic_ms - lease.renewed_ms >= RENEW_EVERY_MS
