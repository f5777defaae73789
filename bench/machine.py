"""What the measurements share: free ports, processes of their own, medians."""

import json
import os
import platform
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil


def free_port() -> int:
    """A port of loopback that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def describe() -> str:
    """What to know before one reads the figures: the machine, its load, what a row says."""
    cores, load = os.cpu_count() or 1, psutil.getloadavg()[0]
    busy = "; it is busy with something else, so expect worse figures" if load > cores / 2 else ""
    return (
        f"{platform.machine()}, {cores} cores,"
        f" {psutil.virtual_memory().total / 2**30:.0f} GiB,"
        f" Python {platform.python_version()}; load before the start {load:.1f}{busy}\n"
        "Each row: what was measured, the median of its rounds (and their spread), what we aim at."
    )


def spread(values: Sequence[float], unit: str, digits: int = 2) -> str:
    """Median with minimum and maximum."""
    low, middle, high = min(values), statistics.median(values), max(values)
    return f"{middle:.{digits}f} {unit} (min {low:.{digits}f}, max {high:.{digits}f})"


def row(name: str, figure: str, target: str) -> None:
    """One line of the report."""
    print(f"{name:<52} {figure:<44} target {target}", flush=True)


def get_json(url: str, timeout: float = 10.0) -> dict[str, Any]:
    """The answer of a service as an object."""
    with urllib.request.urlopen(url, timeout=timeout) as reply:
        answer: dict[str, Any] = json.load(reply)
        return answer


def wait_healthy(urls: Sequence[str], *, process: subprocess.Popen[bytes], seconds: float) -> None:
    """Return as soon as every service says that it is healthy.

    Raises:
        RuntimeError: the process ended, or time ran out.
    """
    missing = list(urls)
    deadline = time.monotonic() + seconds
    while missing:
        if process.poll() is not None:
            raise RuntimeError(f"the program ended with {process.returncode}")
        if time.monotonic() > deadline:
            raise RuntimeError(f"not healthy after {seconds} s: {missing}")
        with suppress(OSError, ValueError):
            if get_json(f"{missing[0]}/health")["status"] == "healthy":
                missing.pop(0)
                continue
        time.sleep(0.01)


def environment(data_dir: Path, **settings: object) -> dict[str, str]:
    """Our environment with settings for one run, away from the user's own data."""
    clean = {key: value for key, value in os.environ.items() if not key.startswith("ALICIA_")}
    clean["ALICIA_DATA_DIR"] = str(data_dir)
    return clean | {f"ALICIA_{key}": str(value) for key, value in settings.items()}


@contextmanager
def running(
    arguments: Sequence[str], *, env: Mapping[str, str] | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """A program for the length of a block; its whole tree is gone afterwards."""
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(arguments, env=env, stdout=output, stderr=output)
        try:
            yield process
        except BaseException:
            output.seek(0)
            sys.stderr.write(output.read().decode(errors="replace")[-2000:])
            raise
        finally:
            tree = _tree(process.pid)
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
            for child in tree:
                with suppress(psutil.NoSuchProcess):
                    child.kill()


def _tree(pid: int) -> list[psutil.Process]:
    with suppress(psutil.NoSuchProcess):
        root = psutil.Process(pid)
        return [root, *root.children(recursive=True)]
    return []


def tree_memory(pid: int) -> tuple[float, float, list[tuple[str, float]]]:
    """Resident and proportional memory of a process tree in MB, and each member's resident."""
    resident = proportional = 0.0
    members = []
    for process in _tree(pid):
        with suppress(psutil.NoSuchProcess):
            info = process.memory_full_info()
            resident += info.rss
            proportional += info.pss
            words = [Path(word).name for word in process.cmdline()]
            members.append((" ".join(words[:5]), info.rss / 1e6))
    return resident / 1e6, proportional / 1e6, members


@contextmanager
def broker() -> Iterator[int]:
    """A mosquitto of our own on a free port.

    Raises:
        RuntimeError: mosquitto is not installed.
    """
    if shutil.which("mosquitto") is None:
        raise RuntimeError("mosquitto is not installed")
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "mosquitto.conf"
        config.write_text(
            f"listener {port} 127.0.0.1\nallow_anonymous true\n"
            "max_queued_messages 0\nset_tcp_nodelay true\n"
        )
        with running(["mosquitto", "-c", str(config)]):
            deadline = time.monotonic() + 5
            while time.monotonic() < deadline:
                with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                    break
                time.sleep(0.02)
            yield port
