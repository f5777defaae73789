"""What a sample of a remote-write request costs in CPU: us, and the programs people know."""

import http.client
import shutil
import struct
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

import cramjam
import psutil

from alicia.series.labels import LabelSet
from alicia.tsdb.identity import encode_labels
from bench.machine import environment, free_port, row, running, spread

SERIES = 10_000
SAMPLES = 100
PER_REQUEST = 1000
ROUNDS = 3  # each with a process and a folder of its own
INTERVAL_MS = 15_000
METRICS = 100  # of each instance
IDLE_SECONDS = 2.0
SETTLE_SECONDS = 2.0  # what a server does in the background counts too
_HEADERS = {
    "Content-Type": "application/x-protobuf",
    "Content-Encoding": "snappy",
    "X-Prometheus-Remote-Write-Version": "0.1.0",
}


class Peer(NamedTuple):
    """A server to measure: its command line for a port and a folder, and where it answers."""

    name: str
    program: str
    arguments: Sequence[str]
    write: str
    ready: str


PEERS = (
    Peer(
        "victoria-metrics",
        "victoria-metrics",
        ("-storageDataPath={folder}", "-httpListenAddr=127.0.0.1:{port}", "-retentionPeriod=1"),
        "/api/v1/write",
        "/health",
    ),
    Peer(
        "prometheus",
        "prometheus",
        (
            "--config.file={folder}/empty.yml",
            "--storage.tsdb.path={folder}/data",
            "--web.listen-address=127.0.0.1:{port}",
            "--web.enable-remote-write-receiver",
        ),
        "/api/v1/write",
        "/-/ready",
    ),
)
US = Peer("alicia", sys.executable, ("-m", "alicia", "collector"), "/api/v1/write", "/health")


def measure() -> None:
    """Print CPU per sample for each server that is installed, and how many times ours it is."""
    print(f"    {SERIES} series x {SAMPLES} samples, {PER_REQUEST} samples a request, one sender")
    ours = [_round(US) for _ in range(ROUNDS)]
    row("collector, per remote-write sample", spread(ours, "µs CPU"), "<= 0.5 µs")
    for peer, share in zip(PEERS, ("1/3", "1/8"), strict=True):
        if shutil.which(peer.program) is None:
            print(f"    {peer.name} is not installed here")
            continue
        theirs = [_round(peer) for _ in range(ROUNDS)]
        ratio = sorted(ours)[ROUNDS // 2] / sorted(theirs)[ROUNDS // 2]
        row(f"the same, {peer.name}", spread(theirs, "µs CPU"), "none")
        row(f"ours as a share of {peer.name}'s", f"{ratio:.2f}", f"<= {share}")


def _round(peer: Peer) -> float:
    """Microseconds of CPU per sample; the idle load is taken off."""
    with tempfile.TemporaryDirectory() as folder, _started(peer, Path(folder)) as (process, port):
        sender = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        start_ms = time.time_ns() // 1_000_000 - (SAMPLES + 2) * INTERVAL_MS
        for body in _bodies(start_ms, 1):  # the series begin before it counts
            _send(sender, peer.write, body)
        bodies = list(_bodies(start_ms + INTERVAL_MS, SAMPLES))
        before, began = _cpu(process), time.monotonic()
        time.sleep(IDLE_SECONDS)
        idle = (_cpu(process) - before) / (time.monotonic() - began)
        before, began = _cpu(process), time.monotonic()
        for body in bodies:
            _send(sender, peer.write, body)
        time.sleep(SETTLE_SECONDS)
        spent = _cpu(process) - before - idle * (time.monotonic() - began)
        sender.close()
    return spent / (SERIES * SAMPLES) * 1e6


@contextmanager
def _started(peer: Peer, folder: Path) -> Iterator[tuple[psutil.Process, int]]:
    port = free_port()
    (folder / "empty.yml").write_text("")
    arguments = [part.format(folder=folder, port=port) for part in peer.arguments]
    env = environment(
        folder / "data",
        COLLECTOR_PORT=port,
        RETENTION="1d",
        MQTT_URL=f"mqtt://127.0.0.1:{free_port()}",
        MAX_SERIES_PER_SERVICE=2 * SERIES,
    )
    with running([peer.program, *arguments], env=env) as process:
        deadline = time.monotonic() + 120
        while not _answers(port, peer.ready):
            assert process.poll() is None, f"{peer.name} ended"
            assert time.monotonic() < deadline, f"{peer.name} does not get ready"
            time.sleep(0.1)
        yield psutil.Process(process.pid), port


def _answers(port: int, path: str) -> bool:
    with suppress(OSError):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        connection.request("GET", path)
        return connection.getresponse().status < http.HTTPStatus.BAD_REQUEST
    return False


def _send(sender: http.client.HTTPConnection, path: str, body: bytes) -> None:
    sender.request("POST", path, body, _HEADERS)
    reply = sender.getresponse()
    answer = reply.read()
    assert reply.status == http.HTTPStatus.NO_CONTENT, f"{reply.status}: {answer[:200]!r}"


def _bodies(start_ms: int, samples: int) -> Iterator[bytes]:
    """Requests of PER_REQUEST series with one sample each; all series have equal times."""
    keys = [encode_labels(_labels(i)) for i in range(SERIES)]
    for n in range(samples):
        stamp = b"\x10" + _varint(start_ms + n * INTERVAL_MS)
        for first in range(0, SERIES, PER_REQUEST):
            request = bytearray()
            for i in range(first, first + PER_REQUEST):
                value = b"\x09" + struct.pack("<d", _value(i, n)) + stamp
                series = keys[i] + b"\x12" + _varint(len(value)) + value
                request += b"\x0a" + _varint(len(series)) + series
            yield bytes(cramjam.snappy.compress_raw(bytes(request)))


def _labels(i: int) -> LabelSet:
    instance, metric = divmod(i, METRICS)
    return LabelSet(
        {
            "__name__": f"node_measure_{metric // 4}_seconds_total",
            "cpu": str(metric % 4),
            "instance": f"10.0.{instance // 50}.{instance % 50}:9100",
            "job": "node",
            "mode": ("idle", "iowait", "system", "user")[metric % 4],
        }
    )


def _value(i: int, n: int) -> float:
    """Counters of different pace in two decimals, every fifth a gauge that stands still."""
    return float(i % 7) if i % 5 == 0 else round(i * 10 + n * (i % 13) * 0.25, 2)


def _varint(number: int) -> bytes:
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*out, number])


def _cpu(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)
