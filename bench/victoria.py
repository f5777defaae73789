"""The same samples for VictoriaMetrics, where Debian's package is installed; only measured."""

import json
import shutil
import tempfile
import time
import urllib.request
from contextlib import suppress

import psutil

from bench import fleet
from bench.machine import free_port, running

_SCRAPES_AT_ONCE = 20
_LINES_AT_ONCE = 10_000
_SETTLE_SECONDS = 5  # until what came last is searchable, and buffers are given back


def memory_of_victoria(series: int, scrapes: int) -> float | None:
    """Resident bytes that a series and its samples add; None where it is not installed.

    Samples come by /api/v1/import, five minutes of every series after the other.
    """
    program = shutil.which("victoria-metrics")
    if program is None:
        return None
    port, now_ms = free_port(), time.time_ns() // 1_000_000
    with tempfile.TemporaryDirectory() as folder:
        arguments = (f"-storageDataPath={folder}", f"-httpListenAddr=127.0.0.1:{port}")
        with running([program, *arguments, "-retentionPeriod=1"]) as process:
            url = f"http://127.0.0.1:{port}"
            _wait(url)
            before = psutil.Process(process.pid).memory_info().rss
            _import(url, series, scrapes, start_ms=now_ms - scrapes * fleet.INTERVAL_MS)
            time.sleep(_SETTLE_SECONDS)
            assert _rows(url) >= series * scrapes, "some samples were not taken"
            return (psutil.Process(process.pid).memory_info().rss - before) / series


def _import(url: str, series: int, scrapes: int, *, start_ms: int) -> None:
    names = [json.dumps(dict(labels)) for labels in fleet.label_sets(series)]
    times: list[int] = []
    rows: list[list[float]] = []
    for t_ms, values in fleet.scrapes(series, start_ms=start_ms, count=scrapes):
        times.append(t_ms)
        rows.append(values.tolist())
        if len(times) == _SCRAPES_AT_ONCE or t_ms == start_ms + (scrapes - 1) * fleet.INTERVAL_MS:
            for first in range(0, series, _LINES_AT_ONCE):
                lines = (
                    f'{{"metric":{name},"values":{list(column)},"timestamps":{times}}}'
                    for name, *column in zip(
                        names[first : first + _LINES_AT_ONCE],
                        *(row[first : first + _LINES_AT_ONCE] for row in rows),
                        strict=True,
                    )
                )
                _post(f"{url}/api/v1/import", "\n".join(lines).encode())
            times, rows = [], []


def _rows(url: str) -> int:
    """How many samples it says that it stored."""
    with urllib.request.urlopen(f"{url}/metrics", timeout=10) as reply:
        lines = reply.read().decode().splitlines()
    told = [line for line in lines if line.startswith("vm_rows_added_to_storage_total")]
    return sum(int(float(line.rpartition(" ")[2])) for line in told)


def _post(url: str, body: bytes) -> None:
    with urllib.request.urlopen(urllib.request.Request(url, body), timeout=60):
        pass


def _wait(url: str) -> None:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        with suppress(OSError), urllib.request.urlopen(f"{url}/health", timeout=1):
            return
        time.sleep(0.05)
    raise RuntimeError("victoria-metrics did not start")
