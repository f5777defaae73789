"""One measurement of the store in a process of its own: ``python -m bench.store_work part …``.

Prints one number, so that no part inherits the memory or the caches of another.
"""

import statistics
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil

from alicia.adapters.disk import FolderDisk
from alicia.adapters.process import spare_collections
from alicia.series.labels import NAME, LabelSet
from alicia.series.matchers import Matcher, MatchOp
from alicia.tsdb.series_table import Limits
from alicia.tsdb.store import Batch, Store
from alicia.tsdb.warm import warm_kernels
from bench import fleet

SELECTED_NAMES = 5  # metrics of every instance: 1000 series of 10k
HOUR_MS = 3_600_000
_SELECTIONS = 21
_LIMITS = Limits(86_400_000, 10_000, 250_000, 250_000)


def fill(folder: Path, series: int, scrapes: int) -> float:
    """Write scrapes up to now; microseconds of CPU per sample, without the making of them."""
    store, spent = _opened(folder), 0.0
    for batch in _batches(fleet.label_sets(series), scrapes):
        began = time.process_time()
        store.write(batch)
        spent += time.process_time() - began
    store.close()
    return spent / series / scrapes * 1e6


def memory(folder: Path, series: int, scrapes: int) -> float:
    """Resident bytes that a series and its samples add, the label sets of the sender left out."""
    store, labels = _opened(folder), fleet.label_sets(series)
    before, written_ms = psutil.Process().memory_info().rss, 0
    for batch in _batches(labels, scrapes):
        store.write(batch)
        if batch.received_ms != written_ms:
            written_ms = batch.received_ms
            store.sync()  # what is not synced is kept in memory, for a second at most
    return (psutil.Process().memory_info().rss - before) / series


def _batches(labels: list[LabelSet], scrapes: int) -> Iterator[Batch]:
    start_ms = _now_ms() - scrapes * fleet.INTERVAL_MS
    return fleet.batches(labels, start_ms=start_ms, count=scrapes)


def select(folder: Path, _series: int, _scrapes: int) -> float:
    """Milliseconds of the median selection of SELECTED_NAMES over the last hour."""
    store, now_ms = _opened(folder), _now_ms()
    names = "|".join(f"metric_{i}_total" for i in range(SELECTED_NAMES))
    matchers, took = (Matcher(NAME, MatchOp.REGEX, names),), []
    for _ in range(_SELECTIONS):
        began = time.perf_counter()
        columns = store.select(matchers, now_ms - HOUR_MS, now_ms)
        took.append(time.perf_counter() - began)
    assert len(columns.labels) == 1000, len(columns.labels)
    return statistics.median(took) * 1000


def replay(folder: Path, series: int, scrapes: int) -> float:
    """Seconds to read the log."""
    began = time.perf_counter()
    store = _opened(folder)
    took = time.perf_counter() - began
    stats = store.stats(_now_ms())
    assert (stats.series, stats.samples) == (series, series * scrapes), stats
    return took


PARTS: dict[str, Callable[[Path, int, int], float]] = {
    "fill": fill,
    "memory": memory,
    "select": select,
    "replay": replay,
}


def _opened(folder: Path) -> Store:
    store = Store(_LIMITS, seed=1, disk=FolderDisk(folder))
    store.replay(_now_ms())
    return store


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


if __name__ == "__main__":
    warm_kernels()
    spare_collections()
    print(PARTS[sys.argv[1]](Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])))
