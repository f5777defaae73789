"""Where records live over restarts."""

from collections.abc import Sequence
from typing import Protocol

from alicia.fleet.record import ServiceRecord


class Registry(Protocol):
    """Service records that survive a kill."""

    async def load(self) -> dict[str, ServiceRecord]:
        """All records by service."""
        ...

    async def save(self, records: Sequence[ServiceRecord]) -> None:
        """Store records, new or changed, in one transaction."""
        ...

    async def forget(self, service: str) -> None:
        """Remove a record."""
        ...
