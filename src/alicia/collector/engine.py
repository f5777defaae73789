"""The store seen from outside: metrics of our own, and its part of ``GET /stats``."""

import asyncio
from collections.abc import Iterator

from alicia.adapters.host_reading import Reading, counter, gauge
from alicia.base.clock import Clock
from alicia.base.times import seconds
from alicia.collector.store_thread import Writer
from alicia.tsdb.store import Store, StoreStats

_BYTES = "bytes"
_SECONDS = "seconds"


class Engine:
    """Opens the store and tells how it fares. Belongs to the event loop."""

    def __init__(self, store: Store, writer: Writer, clock: Clock) -> None:
        self._store = store
        self._writer = writer
        self._clock = clock
        self._replay_ms = 0

    async def open(self) -> None:
        """Read what earlier processes wrote, then begin to write.

        Raises:
            DiskFault: a file cannot be read.
        """
        start_ms = self._clock.monotonic_ms()
        await asyncio.to_thread(self._store.replay, self._clock.now_ms())
        self._replay_ms = self._clock.monotonic_ms() - start_ms
        self._writer.start()

    def view(self, stored: StoreStats) -> dict[str, object]:
        """What ``/stats`` says of the storage."""
        return {
            "bytes": stored.bytes,
            "wal_bytes": stored.log_bytes,
            "wal_segments": stored.log_segments,
            "head_samples": stored.head_samples,
            "head_chunks": stored.head_chunks,
            "blocks": stored.blocks,
            "block_bytes": stored.block_bytes,
            "damaged": _damaged(stored),
            "oldest": None if stored.oldest_ms is None else seconds(stored.oldest_ms),
            "newest": None if stored.newest_ms is None else seconds(stored.newest_ms),
            "replay_seconds": self._replay_ms / 1000,
            "tiers": [],
        }

    def readings(self) -> Iterator[Reading]:
        """The metrics of the store."""
        stored = self._store.stats(self._clock.now_ms())
        yield gauge("alicia_store_series", stored.series, "Series that live.")
        yield gauge("alicia_store_samples", stored.samples, "Samples in memory and in blocks.")
        yield gauge(
            "alicia_store_memory_bytes", stored.bytes, "Memory of samples and label sets.", _BYTES
        )
        yield gauge("alicia_head_samples", stored.head_samples, "Samples in memory.")
        yield gauge("alicia_head_chunks", stored.head_chunks, "Chunks in memory.")
        yield gauge("alicia_log_bytes", stored.log_bytes, "Size of the write-ahead log.", _BYTES)
        yield gauge("alicia_log_segments", stored.log_segments, "Files of the write-ahead log.")
        yield gauge("alicia_blocks", stored.blocks, "Blocks on the disk.")
        yield gauge("alicia_block_bytes", stored.block_bytes, "Size of all blocks.", _BYTES)
        for kind, count in _damaged(stored).items():
            text = "Damage found since the start; what it hit was left out."
            yield counter("alicia_store_damaged_total", count, text, kind=kind)
        yield from self._effort()

    def _effort(self) -> Iterator[Reading]:
        effort = self._writer.effort
        yield counter("alicia_store_writes_total", effort.writes, "Writes to the log.")
        yield counter(
            "alicia_store_batches_total", effort.batches, "Batches in those writes; many share one."
        )
        yield counter(
            "alicia_store_write_seconds_total",
            effort.write_ms / 1000,
            "Time that those writes took, from the batches to their verdicts.",
        )
        yield gauge(
            "alicia_kernels_ready_seconds",
            effort.kernels_ms / 1000,
            "How long the start waited for the kernels: long where they had to be compiled.",
            _SECONDS,
        )
        yield gauge(
            "alicia_replay_seconds",
            self._replay_ms / 1000,
            "How long it took to read the log and the blocks at the start.",
            _SECONDS,
        )


def _damaged(stored: StoreStats) -> dict[str, int]:
    return {
        "log_records": stored.damaged_records,
        "blocks": stored.damaged_blocks,
        "chunks": stored.damaged_chunks,
    }
