"""Compiling every kernel once, or loading it from the cache, before somebody waits for it."""

from collections.abc import Sequence
from typing import Final

from alicia.series.labels import LabelSet
from alicia.series.samples import Sample
from alicia.tsdb.kernels.head import OPEN_MAX
from alicia.tsdb.ports import Chunk, DiskFault
from alicia.tsdb.request import decode_request
from alicia.tsdb.request2 import decode_request2
from alicia.tsdb.series_table import Limits
from alicia.tsdb.store import Batch, Store

_NOW_MS: Final = 1_000_000_000
_SECOND_MS: Final = 1000
_SAMPLE: Final = b"\x12\x0b\x09" + bytes(8) + b"\x10\x01"
_METADATA: Final = b"\x1a\x08\x08\x02\x12\x04warm"
_REQUEST: Final = b"\x0a\x1f\x0a\x10\x0a\x08__name__\x12\x04warm" + _SAMPLE + _METADATA
_REQUEST2: Final = b"\x22\x00\x22\x08__name__\x22\x04warm\x2a\x11\x0a\x02\x01\x02" + _SAMPLE


def warm_kernels() -> None:
    """Use a store of a few samples in every way: written, late, logged, in a block, read back."""
    disk = _Scratch()
    labels = LabelSet({"__name__": "warm"})
    store = Store(Limits(), disk=disk)
    for i in range(3 * OPEN_MAX):
        now_ms = _NOW_MS + i * _SECOND_MS
        store.write(Batch((Sample(labels, now_ms, i * 0.1),), now_ms))
    late = (Sample(labels, _NOW_MS + 1, 1.0), Sample(labels, _NOW_MS + 2, 2.0))
    store.write(Batch(late, now_ms))
    store.latest((), _NOW_MS)
    store.select((), _NOW_MS, now_ms)
    Store(Limits(max_samples_per_series=1), disk=disk).replay(now_ms)
    for request in (decode_request(_REQUEST), decode_request2(_REQUEST2)):
        store.write_request(request, now_ms)
        store.write_request(request.held_to("warm"), now_ms)
    cut = Store(Limits(max_samples_per_series=1))
    cut.write(Batch((Sample(labels, _NOW_MS, 1.0), Sample(labels, now_ms, 2.0)), now_ms))
    cut.select((), _NOW_MS, now_ms)
    store.replay(_NOW_MS - Limits().retention_ms)
    for _ in store.compact(now_ms):
        pass
    store.select((), _NOW_MS, now_ms)
    Store(Limits(max_samples_per_series=1), disk=disk).replay(now_ms)


class _Scratch:
    """A disk in memory; fits ``tsdb.ports.Disk``."""

    def __init__(self) -> None:
        self._files: dict[str, bytearray] = {}

    def names(self, folder: str) -> list[str]:
        inside = folder + "/"
        return [n.removeprefix(inside) for n in sorted(self._files) if n.startswith(inside)]

    def create(self, name: str) -> "_ScratchFile":
        self._files[name] = bytearray()
        return _ScratchFile(self._files[name])

    def read(self, name: str) -> bytes:
        if name not in self._files:
            raise DiskFault(f"{name}: no such file")
        return bytes(self._files[name])

    def cut(self, name: str, size: int) -> None:
        del self._files[name][size:]

    def sync(self, name: str) -> None:
        pass

    def rename(self, name: str, other: str) -> None:
        self._files[other] = self._files.pop(name)

    def map(self, name: str) -> memoryview:
        return memoryview(self.read(name))

    def link(self, name: str, other: str) -> None:
        self._files[other] = self._files[name]

    def remove(self, name: str) -> None:
        del self._files[name]


class _ScratchFile:
    def __init__(self, content: bytearray) -> None:
        self._content = content

    @property
    def size(self) -> int:
        return len(self._content)

    def append(self, parts: Sequence[Chunk]) -> None:
        self._content += b"".join(parts)

    def cut(self, size: int) -> None:
        del self._content[size:]

    def sync(self) -> None:
        pass

    def close(self) -> None:
        pass


if __name__ == "__main__":
    warm_kernels()
