"""What metrics in MQTT messages cost the collector in CPU time."""

import json
import socket
import statistics
import struct
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import psutil

from bench.machine import (
    broker,
    environment,
    free_port,
    get_json,
    row,
    running,
    spread,
    wait_healthy,
)

ROUNDS = 5
BURST = 20_000
BATCHES = 2_000
BATCH = 100  # metrics in one message
PACED = 2_000
PACED_PER_SECOND = 500
SERVICES = 20
SERIES = 20_000


def measure() -> None:
    """Print CPU per message, sent in a burst and paced, and check that none was lost."""
    with tempfile.TemporaryDirectory() as folder, broker() as mqtt:
        port = free_port()
        env = environment(
            Path(folder), COLLECTOR_PORT=port, MQTT_URL=f"mqtt://127.0.0.1:{mqtt}", RETENTION="1d"
        )
        with running([sys.executable, "-m", "alicia", "collector"], env=env) as process:
            url = f"http://127.0.0.1:{port}"
            wait_healthy([url], process=process, seconds=30)
            meter = Meter(url, psutil.Process(process.pid))
            sender = Sender(mqtt)
            meter.run(sender, BURST)  # warm-up
            burst = [meter.run(sender, BURST) for _ in range(ROUNDS)]
            meter.run(sender, BATCHES, metrics=BATCH)
            batches = [meter.run(sender, BATCHES, metrics=BATCH) for _ in range(ROUNDS)]
            paced = [meter.run(sender, PACED, pace=PACED_PER_SECOND) for _ in range(3)]
            sender.close()
    row("collector, per MQTT message of one metric, burst", spread(burst, "µs CPU", 1), "<= 15 µs")
    row(
        f"collector, per metric in messages of {BATCH}, burst",
        spread(batches, "µs CPU"),
        "<= 1.5 µs",
    )
    row(
        f"the same, {PACED_PER_SECOND}/s: a wake-up for each message",
        spread(paced, "µs CPU", 1),
        "none set",
    )
    count = (BURST + BATCHES) * (ROUNDS + 1) + PACED * 3
    print(f"    all {count} messages, of QoS 1, were read, and every sample was stored")


class Meter:
    """CPU time of one process for a number of messages, counted by what it stored."""

    def __init__(self, url: str, process: psutil.Process) -> None:
        self._url = url
        self._process = process
        self._idle = self._idle_share()

    def run(
        self, sender: "Sender", count: int, *, metrics: int = 1, pace: int | None = None
    ) -> float:
        """Microseconds of CPU per metric, the idle load of the process taken off."""
        packets = sender.packets(count, metrics)
        stored, refused, cpu = self._count("samples"), self._count("rejected"), self._cpu()
        began, wanted = time.monotonic(), count * metrics
        sender.send(packets, pace)
        deadline = time.monotonic() + 60
        while (arrived := self._count("samples") - stored) < wanted:
            assert time.monotonic() < deadline, f"only {arrived} of {wanted} metrics were stored"
            assert self._count("rejected") == refused, "some metrics were refused"
            time.sleep(0.1)
        elapsed = time.monotonic() - began
        return (self._cpu() - cpu - self._idle * elapsed) / wanted * 1e6

    def _idle_share(self) -> float:
        shares = []
        for _ in range(3):
            cpu, began = self._cpu(), time.monotonic()
            time.sleep(1)
            shares.append((self._cpu() - cpu) / (time.monotonic() - began))
        return statistics.median(shares)

    def _cpu(self) -> float:
        times = self._process.cpu_times()
        return float(times.user + times.system)

    def _count(self, family: str) -> int:
        counted: dict[str, int] = get_json(f"{self._url}/stats")["counters"].get(family, {})
        return sum(counted.values())


class Sender:
    """A pipelining MQTT 3.1.1 publisher, so lean that the broker is the limit, not we."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        name = b"bench-sender"
        body = struct.pack("!H4sBBHH", 4, b"MQTT", 4, 2, 0, len(name)) + name
        self._socket.sendall(bytes([0x10, len(body)]) + body)
        assert self._read(4)[3] == 0, "the broker refused us"
        self._sent = 0

    def packets(self, count: int, metrics: int) -> list[bytes]:
        """Messages of so many metrics each; none says when, so that a series comes again late."""
        return [self._packet(i, metrics) for i in range(count)]

    def send(self, packets: Sequence[bytes], pace: int | None) -> None:
        """Publish at QoS 1 and wait for every acknowledgement."""
        window, began = (64 if pace is None else 1), time.monotonic()
        open_acks = 0
        for i, packet in enumerate(packets):
            if pace is not None:
                time.sleep(max(0.0, began + i / pace - time.monotonic()))
            self._socket.sendall(packet)
            open_acks += 1
            if open_acks >= window:
                self._read(4 * open_acks)
                open_acks = 0
        self._read(4 * open_acks)

    def close(self) -> None:
        """Leave without a will."""
        self._socket.sendall(b"\xe0\x00")
        self._socket.close()

    def _packet(self, i: int, metrics: int) -> bytes:
        self._sent = self._sent % 65_535 + 1
        first = i // SERVICES * metrics % (SERIES // SERVICES)
        sent = [{"name": f"latency_{first + j}_ms", "value": i * 0.5 + j} for j in range(metrics)]
        service = f"svc_{i % SERVICES}"
        payload = json.dumps({"service_name": service, "metrics": sent}).encode()
        topic = b"alicia/metrics/collect"
        body = struct.pack("!H", len(topic)) + topic + struct.pack("!H", self._sent) + payload
        return b"\x32" + _length(len(body)) + body

    def _read(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            part = self._socket.recv(size - len(data))
            assert part, "the broker closed the connection"
            data += part
        return data


def _length(length: int) -> bytes:
    """A packet's length as MQTT writes it."""
    out = bytearray()
    while length > 127:
        out.append(length % 128 | 0x80)
        length //= 128
    return bytes((*out, length))
