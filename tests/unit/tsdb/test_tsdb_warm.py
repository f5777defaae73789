"""Warming compiles everything that a store needs, so that nobody waits for it later."""

import subprocess
import sys

LATER = """
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from alicia.adapters.disk import FolderDisk
from alicia.series.labels import LabelSet
from alicia.series.samples import Sample
from alicia.tsdb.series_table import Limits
from alicia.tsdb.store import Batch, Store
from alicia.tsdb.warm import warm_kernels
import importlib, pkgutil
from alicia.tsdb import kernels

warm_kernels()

def compiled():
    names = [module.name for module in pkgutil.iter_modules(kernels.__path__)]
    modules = [importlib.import_module(f"alicia.tsdb.kernels.{name}") for name in names]
    return {
        (module.__name__, name): len(kernel.signatures)
        for module in modules
        for name, kernel in vars(module).items()
        if hasattr(kernel, "signatures")
    }

before = compiled()
with TemporaryDirectory() as folder:
    T, series = 10**9, LabelSet({"__name__": "x"})
    for start in range(3):
        store = Store(Limits(max_samples_per_series=100), disk=FolderDisk(Path(folder)))
        store.replay(T)
        for i in range(60):
            store.write(Batch([Sample(series, T + (i * 7) % 600, i / 3)], T))
        store.select((), 0, 2 * T), store.latest((), T)
        for _ in store.compact(T + start * 10**6): pass
        list(store.expire(T))
        store.sync()
        store.close()
changed = {key: count for key, count in compiled().items() if count != before[key]}
assert changed == {}, changed
"""


def test_after_warming_a_store_compiles_nothing() -> None:
    done = subprocess.run(
        [sys.executable, "-c", LATER], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
