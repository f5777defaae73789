"""How long from `alicia up` to two healthy services, and what the idle tree weighs."""

import sys
import tempfile
import time
from pathlib import Path

from bench.machine import environment, free_port, row, running, spread, tree_memory, wait_healthy

RUNS = 5
IDLE_SECONDS = 20.0  # long enough for first collections and polls to have happened


def measure() -> None:
    """Print time to ready (median of five warm starts) and idle memory."""
    ready: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        for run in range(RUNS + 1):
            seconds, report = _once(Path(folder), idle=run == RUNS)
            if run > 0:  # the first start writes byte code and databases
                ready.append(seconds)
    row("ready: both /health healthy after alicia up", spread(ready, "s"), "<= 3 s")
    resident, proportional, members = report
    figure = f"{resident:.0f} MB resident ({proportional:.0f} MB proportional)"
    row("idle memory of the whole tree", figure, "<= 250 MB")
    print(
        "    resident counts shared pages in each process, proportional once; by process, resident:"
    )
    for name, megabytes in members:
        print(f"    {megabytes:6.1f} MB  {name}")


def _once(data_dir: Path, *, idle: bool) -> tuple[float, tuple[float, float, list]]:
    collector, scheduler, mqtt = free_port(), free_port(), free_port()
    env = environment(
        data_dir, COLLECTOR_PORT=collector, SCHEDULER_PORT=scheduler, MQTT_PORT_LOCAL=mqtt
    )
    started = time.monotonic()
    with running([sys.executable, "-m", "alicia", "up"], env=env) as process:
        urls = [f"http://127.0.0.1:{port}" for port in (collector, scheduler)]
        wait_healthy(urls, process=process, seconds=30)
        seconds = time.monotonic() - started
        if idle:
            time.sleep(IDLE_SECONDS)
        return seconds, tree_memory(process.pid)
