"""What the store costs: appends, selections, memory, a start with data on the disk."""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from alicia.adapters.kernel_cache import cache_of_environment
from bench import fleet
from bench.machine import broker, environment, free_port, row, running, spread, wait_healthy
from bench.victoria import memory_of_victoria

ROUNDS = 5
SERIES = 10_000
MEMORY_SERIES = 100_000
HOUR = 3_600_000 // fleet.INTERVAL_MS  # scrapes


def measure() -> None:
    """Print the rows of the store, and those of the peer where it is installed."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        appending = _measured("fill", folder / "metrics", SERIES, HOUR)
        row("store, append of 1000 at once, per sample", f"{appending:.2f} µs CPU", "none set")
        selecting = [_measured("select", folder / "metrics", SERIES, HOUR) for _ in range(ROUNDS)]
        row("store, select 1000 series x 1 h", spread(selecting, "ms"), "<= 10 ms")
        with broker() as mqtt:
            ready = [_ready(folder, mqtt) for _ in range(ROUNDS)]
        row("collector, ready with 10k series x 1 h on disk", spread(ready, "s"), "<= 2 s")
    with tempfile.TemporaryDirectory() as name:
        _measured("fill", Path(name), SERIES, 2 * HOUR)
        replaying = [_measured("replay", Path(name), SERIES, 2 * HOUR) for _ in range(ROUNDS)]
        row("store, replay the log of 10k series x 2 h", spread(replaying, "s"), "<= 3 s")
    with tempfile.TemporaryDirectory() as name:
        ours = _measured("memory", Path(name), MEMORY_SERIES, HOUR)
    row("store, memory per series, 100k series x 1 h", f"{ours:.0f} bytes", "<= 1000 bytes")
    theirs = memory_of_victoria(MEMORY_SERIES, HOUR)
    told = f"{theirs:.0f} bytes; ours / theirs {ours / theirs:.2f}" if theirs else "not installed"
    row("VictoriaMetrics, the same", told, "ratio < 1")
    print("    memory: growth of resident memory from before the first sample to after the last")


def _measured(part: str, folder: Path, series: int, scrapes: int) -> float:
    arguments = ["-m", "bench.store_work", part, str(folder), str(series), str(scrapes)]
    env = {"NUMBA_CACHE_DIR": str(cache_of_environment()), **os.environ}
    done = subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.PIPE, env=env)
    return float(done.stdout)


def _ready(data_dir: Path, mqtt: int) -> float:
    port = free_port()
    env = environment(
        data_dir, COLLECTOR_PORT=port, MQTT_URL=f"mqtt://127.0.0.1:{mqtt}", RETENTION="1d"
    )
    started = time.monotonic()
    with running([sys.executable, "-m", "alicia", "collector"], env=env) as process:
        wait_healthy([f"http://127.0.0.1:{port}"], process=process, seconds=30)
        return time.monotonic() - started
