"""References are used again, and never so that damage to a name gives samples to another series."""

from tests.support.fault_disk import FaultDisk

from alicia.series.labels import LabelSet
from alicia.series.samples import Sample
from alicia.tsdb.segments import FOLDER
from alicia.tsdb.series_table import Limits
from alicia.tsdb.store import Batch, Store

HOUR = 3_600_000
NOW = 10 * HOUR
FIRST, SECOND = (LabelSet({"__name__": name}) for name in ("first", "second"))


def write(store: Store, labels: LabelSet, t_ms: int) -> None:
    store.write(Batch([Sample(labels, t_ms, 1.0)], t_ms))


def started(disk: FaultDisk, now_ms: int) -> Store:
    store = Store(Limits(retention_ms=HOUR), disk=disk)
    store.replay(now_ms)
    return store


def test_a_lost_name_gives_no_sample_to_the_series_before() -> None:
    disk = FaultDisk()
    store = started(disk, NOW)
    write(store, FIRST, NOW)
    later = NOW + HOUR + 1
    assert sum(store.expire(later)) == 1
    write(store, SECOND, later)
    (name,) = disk.names(FOLDER)
    content = disk.files[f"{FOLDER}/{name}"]
    content[content.index(b"second")] ^= 1
    again = started(disk, NOW + HOUR)  # at which time a sample of the first still counts
    read = again.select((), NOW, later)
    assert {labels.name: t_ms.tolist() for labels, t_ms, _ in read} == {"first": [NOW]}


def test_references_come_again_once_the_log_has_turned() -> None:
    store = started(FaultDisk(), NOW)
    write(store, FIRST, NOW)
    now_ms = NOW
    for n in range(1, 20):
        now_ms += HOUR + 1
        assert sum(store.expire(now_ms)) == 1
        assert store.series_count == 0
        for _ in store.compact(now_ms):
            pass
        write(store, LabelSet({"__name__": f"x{n}"}), now_ms)
    assert store._table.catalog.references <= 2
