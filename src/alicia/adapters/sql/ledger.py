"""The SQLite ledger: fits ``scheduling.ports.Ledger``.

Each method is one command of the writer, or one query on a reader; what they do is in the
``ledger_*`` modules, which know no thread and no loop.
"""

from collections.abc import Sequence
from dataclasses import replace

from alicia.adapters.sql import (
    ledger_claims,
    ledger_events,
    ledger_history,
    ledger_nodes,
    ledger_rows,
    ledger_settle,
)
from alicia.adapters.sql.database import Database
from alicia.base.clock import Clock, Random, uuid7
from alicia.scheduling.event import EventRecord
from alicia.scheduling.execution import Execution
from alicia.scheduling.lease import Lease
from alicia.scheduling.plan import DuePlan
from alicia.scheduling.ports import (
    ClaimResult,
    EventFilter,
    ExecutionFilter,
    Page,
    Remembered,
    Revision,
    Settled,
    Settlement,
    Start,
    Totals,
)


class SqlLedger:
    """The ledger in one SQLite file; one node at a time, by the lock on its folder."""

    def __init__(self, database: Database, *, lease: Lease, clock: Clock, random: Random) -> None:
        self._database = database
        self._lease = lease
        self._clock = clock
        self._random = random

    async def add(self, record: EventRecord, *, remember: Remembered | None = None) -> EventRecord:
        """See ``Ledger.add``."""
        return await self._database.write(lambda c: ledger_events.add(c, record, remember))

    async def remembered(self, key: str) -> Remembered | None:
        """See ``Ledger.remembered``."""
        return await self._database.read(lambda c: ledger_events.remembered(c, key))

    async def forget(self, *, before_us: int) -> int:
        """Drop answers to Idempotency-Keys given before an instant."""
        return await self._database.write(lambda c: ledger_events.forget(c, before_us))

    async def get(self, event_id: str) -> EventRecord:
        """See ``Ledger.get``."""
        return await self._database.read(lambda c: ledger_events.get(c, event_id))

    async def find(self, name: str) -> EventRecord:
        """See ``Ledger.find``."""
        return await self._database.read(lambda c: ledger_events.find(c, name))

    async def events(
        self, where: EventFilter, *, limit: int, cursor: str = ""
    ) -> Page[EventRecord]:
        """See ``Ledger.events``."""
        return await self._database.read(lambda c: ledger_events.page(c, where, limit, cursor))

    async def replace(
        self, record: EventRecord, *, expected_rev: int, closed: Sequence[Execution] = ()
    ) -> EventRecord:
        """See ``Ledger.replace``."""
        return await self._database.write(
            lambda c: ledger_events.replace(c, record, expected_rev, closed)
        )

    async def purge(self, event_id: str) -> None:
        """See ``Ledger.purge``."""
        await self._database.write(lambda c: ledger_events.purge(c, event_id))

    async def due(self, until_us: int, *, limit: int) -> tuple[EventRecord, ...]:
        """See ``Ledger.due``."""
        return await self._database.read(lambda c: ledger_events.due(c, until_us, limit))

    async def resumable(self, now_us: int, *, limit: int) -> tuple[EventRecord, ...]:
        """Paused events whose pause has ended by ``now_us``."""
        return await self._database.read(lambda c: ledger_events.resumable(c, now_us, limit))

    async def listening(self, *, limit: int) -> tuple[EventRecord, ...]:
        """Events that messages of their own topics start."""
        return await self._database.read(lambda c: ledger_events.listening(c, limit))

    async def claim(self, plans: Sequence[DuePlan], *, lease: Lease, now_us: int) -> ClaimResult:
        """See ``Ledger.claim``."""
        return await self._database.write(
            lambda c: ledger_claims.claim(c, plans, lease, now_us, self._new_id)
        )

    async def trigger(self, start: Start, *, lease: Lease, now_us: int) -> Settled:
        """See ``Ledger.trigger``."""
        return await self._database.write(lambda c: ledger_claims.trigger(c, start, lease, now_us))

    async def begin(
        self, execution_id: str, *, fence: int, attempt: int, at_us: int
    ) -> Execution | None:
        """See ``Ledger.begin``."""
        return await self._database.write(
            lambda c: ledger_settle.begin(c, execution_id, fence, attempt, at_us)
        )

    async def published(self, execution_id: str, *, fence: int, at_us: int) -> bool:
        """See ``Ledger.published``."""
        return await self._database.write(
            lambda c: ledger_settle.published(c, execution_id, fence, at_us)
        )

    async def settle(self, settlements: Sequence[Settlement]) -> tuple[Settled, ...]:
        """See ``Ledger.settle``."""
        return await self._database.write(
            lambda c: tuple(ledger_settle.settle(c, item, self._lease) for item in settlements)
        )

    async def renew(self, lease: Lease) -> Lease:
        """See ``Ledger.renew``."""
        # Read before the transaction: the lease may only seem shorter than it is, never longer.
        renewed_ms = self._clock.monotonic_ms()
        await self._database.write(lambda c: ledger_nodes.renew(c, lease))
        return replace(lease, renewed_ms=renewed_ms)

    async def release(self, lease: Lease) -> None:
        """See ``Ledger.release``."""
        await self._database.write(lambda c: ledger_nodes.release(c, lease))

    async def takeover(self, lease: Lease, *, now_us: int, limit: int) -> tuple[Execution, ...]:
        """See ``Ledger.takeover``."""
        return await self._database.write(lambda c: ledger_nodes.takeover(c, lease, now_us, limit))

    async def open_executions(self, *, limit: int) -> tuple[Execution, ...]:
        """See ``Ledger.open_executions``."""
        return await self._database.read(lambda c: ledger_history.open_executions(c, limit))

    async def execution(self, execution_id: str) -> Execution:
        """See ``Ledger.execution``."""
        return await self._database.read(lambda c: ledger_rows.load_execution(c, execution_id))

    async def history(
        self, where: ExecutionFilter, *, limit: int, cursor: str = ""
    ) -> Page[Execution]:
        """See ``Ledger.history``."""
        return await self._database.read(lambda c: ledger_history.page(c, where, limit, cursor))

    async def revisions(self, event_id: str, *, start_us: int, end_us: int) -> tuple[Revision, ...]:
        """See ``Ledger.revisions``."""
        return await self._database.read(
            lambda c: ledger_events.revisions(c, event_id, start_us, end_us)
        )

    async def totals(self) -> Totals:
        """See ``Ledger.totals``."""
        return await self._database.read(ledger_events.totals)

    async def prune(self, *, keep: int, limit: int) -> int:
        """See ``Ledger.prune``."""
        return await self._database.write(lambda c: ledger_history.prune(c, keep, limit))

    def _new_id(self) -> str:
        return uuid7(now_ms=self._clock.now_ms(), random=self._random)
