"""A full disk: writes are refused, everything else goes on, and writing resumes by itself."""

import asyncio
import os
import resource
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from tests.support.collector_process import CollectorProcess
from tests.support.scheduler_process import Target
from tests.support.senders import (
    HttpSender,
    MqttSender,
    Sender,
    faults,
    until,
    until_all_arrived,
)

pytestmark = [pytest.mark.broker, pytest.mark.timeout(300)]

Make = Callable[..., CollectorProcess]
SIZE = 64 << 20
UNLIMITED = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
RULE = {"name": "r", "condition": "over_http < 0", "severity": "info", "interval": "200ms"}


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 64 MB."""
    if os.geteuid() != 0:
        pytest.skip("needs root, to mount a small file system")
    place = tmp_path / "small"
    place.mkdir()
    options = ["-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", str(place)]
    mounted = subprocess.run(["mount", *options], capture_output=True, text=True, check=False)
    if mounted.returncode:
        pytest.skip(f"cannot mount a small file system: {mounted.stderr.strip()}")
    yield place
    subprocess.run(["umount", "--lazy", str(place)], check=True)


@asynccontextmanager
async def sending(senders: list[Sender]) -> AsyncIterator[None]:
    """Send beside what is done within, and then until all is acknowledged."""
    ended = asyncio.Event()
    async with asyncio.TaskGroup() as tasks:
        for sender in senders:
            tasks.create_task(sender.run(ended))
        yield
        ended.set()


def senders(collector: CollectorProcess, client: Target) -> tuple[HttpSender, MqttSender]:
    return HttpSender("over_http", lambda: collector.url), MqttSender("over_mqtt", client)


def health(collector: CollectorProcess) -> tuple[int, dict[str, dict[str, str]]]:
    reply = httpx.get(collector.url + "/health", timeout=30)
    return reply.status_code, reply.json()["checks"]


def is_refused(reply: httpx.Response) -> None:
    """The answer to a write while the disk is full."""
    assert reply.status_code == 503
    assert reply.headers["content-type"] == "application/problem+json"
    assert int(reply.headers["retry-after"]) > 0
    assert reply.json()["type"] == "disk_full"


async def refused_and_alive(collector: CollectorProcess, sender: HttpSender) -> None:
    """Wait for a refusal, and see that everything but writing goes on."""
    before = len(sender.refusals)
    await until(lambda: len(sender.refusals) > before + 5)
    is_refused(sender.refusals[-1])
    taken = len(sender.acked)
    found = await asyncio.to_thread(collector.get, f"/metrics/s/{sender.name}?limit=10")
    assert len(found["samples"]) == 10
    looks = _evaluations(collector)
    await until(lambda: _evaluations(collector) > looks + 3)
    assert len(sender.acked) == taken, "nothing was acknowledged meanwhile"


def _evaluations(collector: CollectorProcess) -> int:
    return int(collector.get("/stats")["counters"]["rule_evaluations"]["ok"])


async def resumed(collector: CollectorProcess, both: tuple[HttpSender, MqttSender]) -> float:
    """Wait until a write is acknowledged again; the seconds that it took."""
    loop = asyncio.get_running_loop()
    began, before = loop.time(), len(both[0].acked)
    await until(lambda: len(both[0].acked) > before)
    took = loop.time() - began
    await until(lambda: health(collector)[1]["writing"]["status"] == "healthy")
    return took


async def all_there(collector: CollectorProcess, both: tuple[HttpSender, MqttSender]) -> None:
    """Nothing acknowledged is missing, before and after a restart."""
    await until_all_arrived(collector, both[1])
    for _ in range(2):
        assert [faults(collector, sender) for sender in both] == [{}, {}]
        await asyncio.to_thread(collector.kill)
        await asyncio.to_thread(collector.start)
    assert "Traceback" not in collector.errors, collector.errors[-6000:]


def fill(path: Path, *, leave: int) -> None:
    """Take the room of the file system but for so many bytes."""
    status = os.statvfs(path.parent)
    free = status.f_bavail * status.f_frsize - leave
    with path.open("ab") as file:
        while free > 0:
            try:
                free -= os.write(file.fileno(), bytes(min(free, 1 << 20)))
            except OSError:
                return


@pytest.mark.parametrize("left", ["the reserve", "nothing"])
async def test_a_full_disk_loses_nothing(
    small_disk: Path,
    make: Make,
    client: Target,
    capsys: pytest.CaptureFixture[str],
    left: str,
) -> None:
    # Without a reserve it is ENOSPC that closes the store, in the middle of a write.
    reserve = {} if left == "the reserve" else {"MIN_FREE_DISK": "0"}
    collector = make(small_disk / "data", **reserve)
    await asyncio.to_thread(collector.start)
    await until(lambda: bool(collector.get("/health")["mqtt_connected"]))
    collector.send("POST", "/alerts/rules", RULE)
    both = senders(collector, client)
    seconds = []
    async with sending(list(both)):
        for _ in range(2):
            await until(lambda: len(both[0].acked) > 100)
            fill(small_disk / "filler", leave=1 << 20 if left == "the reserve" else 0)
            await refused_and_alive(collector, both[0])
            status, checks = health(collector)
            assert (status, checks["writing"]["status"]) == (503, "unhealthy")
            assert "MB free" in checks["writing"]["detail"]
            assert ("lower MIN_FREE_DISK" in checks["writing"]["detail"]) == (not reserve)
            (small_disk / "filler").unlink()
            seconds.append(await resumed(collector, both))
    await all_there(collector, both)
    with capsys.disabled():
        print(f"\nwriting resumed {', '.join(f'{s:.1f}' for s in seconds)} s after space came back")


async def test_a_limit_of_file_size_loses_nothing(
    make: Make, client: Target, capsys: pytest.CaptureFixture[str]
) -> None:
    collector = make()
    await asyncio.to_thread(collector.start)
    await until(lambda: bool(collector.get("/health")["mqtt_connected"]))
    collector.send("POST", "/alerts/rules", RULE)
    both = senders(collector, client)
    async with sending(list(both)):
        await until(lambda: len(both[0].acked) > 100)
        resource.prlimit(collector.pid, resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
        await refused_and_alive(collector, both[0])
        status, checks = health(collector)
        assert (status, checks["writing"]["status"]) == (503, "unhealthy")
        assert "free" in checks["writing"]["detail"]
        resource.prlimit(collector.pid, resource.RLIMIT_FSIZE, UNLIMITED)
        seconds = await resumed(collector, both)
    await all_there(collector, both)
    with capsys.disabled():
        print(f"\nwriting resumed {seconds:.1f} s after the limit was lifted")


async def test_a_stop_ends_though_the_disk_is_full(make: Make, client: Target) -> None:
    collector = make()
    await asyncio.to_thread(collector.start)
    sender = HttpSender("over_http", lambda: collector.url)
    ended = asyncio.Event()
    task = asyncio.create_task(sender.run(ended))
    await until(lambda: len(sender.acked) > 100)
    resource.prlimit(collector.pid, resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
    await until(lambda: len(sender.refusals) > 5)
    code, _ = await asyncio.to_thread(collector.stop)
    assert code == 0, collector.errors
    await asyncio.to_thread(collector.start)
    ended.set()
    await task
    assert faults(collector, sender) == {}
