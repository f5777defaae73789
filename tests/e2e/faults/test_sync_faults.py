"""A disk that fails to sync: acknowledging stops, or the samples are written anew."""

import asyncio
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from tests.support.collector_process import CollectorProcess
from tests.support.senders import HttpSender, faults, until

pytestmark = [pytest.mark.broker, pytest.mark.timeout(300)]

Make = Callable[..., CollectorProcess]
FAILING = 4  # segments of the log that cannot be synced


@pytest.fixture
def strace() -> str:
    program = shutil.which("strace")
    if program is None:
        pytest.skip("needs the strace program")
    tried = subprocess.run(
        [program, "-o", "/dev/null", "true"], capture_output=True, text=True, check=False
    )
    if tried.returncode:
        pytest.skip(f"strace may not trace: {tried.stderr.strip()}")
    return program


@pytest.mark.parametrize("wal_sync", ["1s", "always"])
async def test_what_was_not_synced_is_written_anew_or_not_acknowledged(
    strace: str, make: Make, tmp_path: Path, wal_sync: str
) -> None:
    collector = make(WAL_SYNC=wal_sync)
    segments = [tmp_path / f"data/metrics/wal/{n:012d}.wal" for n in range(1, FAILING + 1)]
    collector.wrapper = (
        # Beside the collector, not as its parent: signals are meant for the collector.
        *(strace, "--daemonize", "--follow-forks", "--seccomp-bpf", "--output=/dev/null"),
        *(f"--trace-path={segment}" for segment in segments),
        "--trace=fdatasync",
        "--inject=fdatasync:error=EIO",
    )
    await asyncio.to_thread(collector.start)
    sender = HttpSender("over_http", lambda: collector.url)
    ended = asyncio.Event()
    task = asyncio.create_task(sender.run(ended))
    await until(lambda: _failures(collector) == FAILING)
    taken = len(sender.acked)
    await until(lambda: len(sender.acked) > taken)  # in a segment that can be synced
    ended.set()
    await task
    reply = await asyncio.to_thread(httpx.get, f"{collector.url}/health", timeout=30)
    writing = reply.json()["checks"]["writing"]
    assert (writing["status"], "check the disk" in writing["detail"]) == ("degraded", True)
    assert bool(sender.refusals) == (wal_sync == "always")
    assert {reply.json()["type"] for reply in sender.refusals} <= {"disk_fault"}
    assert faults(collector, sender) == {}
    collector.wrapper = ()
    await asyncio.to_thread(collector.kill)
    await asyncio.to_thread(collector.start)
    assert faults(collector, sender) == {}
    assert "Traceback" not in collector.errors, collector.errors[-4000:]


def _failures(collector: CollectorProcess) -> int:
    return sum(collector.get("/stats")["counters"].get("log_sync_failures", {}).values())
