"""Writes the store where it stands, for tests that have no thread; fits ``store_thread.Writer``."""

import asyncio

from alicia.collector.store_thread import Effort, OnRequestWritten, OnWritten
from alicia.tsdb.ports import DiskFault
from alicia.tsdb.request import WriteRequest
from alicia.tsdb.store import Batch, Store


class InlineWriter:
    """Every batch is written, and its outcome told, before write() returns."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.effort = Effort()

    def start(self) -> None:
        pass

    async def stop(self) -> None:
        self.store.close()

    async def sync_loop(self) -> None:
        await asyncio.Event().wait()

    def write(self, batch: Batch, on_written: OnWritten) -> None:
        try:
            verdicts = self.store.write(batch)
        except DiskFault as fault:
            on_written(fault)
        else:
            on_written(verdicts)

    def write_request(
        self, request: WriteRequest, received_ms: int, on_written: OnRequestWritten
    ) -> None:
        try:
            outcome = self.store.write_request(request, received_ms)
        except DiskFault as fault:
            on_written(fault)
        else:
            on_written(outcome)

    def post(self, batch: Batch) -> None:
        self.store.write(batch)

    async def expire(self, now_ms: int) -> None:
        for _ in self.store.expire(now_ms):
            pass
        for _ in self.store.compact(now_ms):
            pass
