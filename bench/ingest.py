"""What one metric in one MQTT message costs the collector in CPU time."""

import json
import socket
import statistics
import struct
import sys
import tempfile
import time
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
PACED = 2_000
PACED_PER_SECOND = 500
SERIES = 500


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
            meter.run(sender, BURST, pace=None)  # warm-up
            burst = [meter.run(sender, BURST, pace=None) for _ in range(ROUNDS)]
            paced = [meter.run(sender, PACED, pace=PACED_PER_SECOND) for _ in range(3)]
            sender.close()
    row("collector, per MQTT message of one metric, burst", spread(burst, "µs CPU", 1), "<= 40 µs")
    row(
        f"the same, {PACED_PER_SECOND}/s: a wake-up for each message",
        spread(paced, "µs CPU", 1),
        "none set",
    )
    print(f"    all {BURST * (ROUNDS + 1) + PACED * 3} messages were stored")


class Meter:
    """CPU time of one process for a number of messages, counted by what it stored."""

    def __init__(self, url: str, process: psutil.Process) -> None:
        self._url = url
        self._process = process
        self._idle = self._idle_share()

    def run(self, sender: "Sender", count: int, *, pace: int | None) -> float:
        """Microseconds of CPU per message, the idle load of the process taken off."""
        stored, cpu, began = self._stored(), self._cpu(), time.monotonic()
        sender.send(count, pace)
        deadline = time.monotonic() + 60
        while (arrived := self._stored() - stored) < count:
            assert time.monotonic() < deadline, f"only {arrived} of {count} messages arrived"
            time.sleep(0.1)
        elapsed = time.monotonic() - began
        return (self._cpu() - cpu - self._idle * elapsed) / count * 1e6

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

    def _stored(self) -> int:
        return int(get_json(f"{self._url}/health")["messages_processed"])


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

    def send(self, count: int, pace: int | None) -> None:
        """Publish ``count`` messages at QoS 1 and wait for every acknowledgement."""
        window, began = (64 if pace is None else 1), time.monotonic()
        open_acks = 0
        for i in range(count):
            if pace is not None:
                time.sleep(max(0.0, began + i / pace - time.monotonic()))
            self._socket.sendall(self._packet(i))
            open_acks += 1
            if open_acks >= window:
                self._read(4 * open_acks)
                open_acks = 0
        self._read(4 * open_acks)

    def close(self) -> None:
        """Leave without a will."""
        self._socket.sendall(b"\xe0\x00")
        self._socket.close()

    def _packet(self, i: int) -> bytes:
        self._sent = self._sent % 65_535 + 1
        metric = {"name": f"latency_{i % 25}_ms", "value": i * 0.5}
        service = f"svc_{i % SERIES // 25}"
        payload = json.dumps({"service_name": service, "metrics": [metric]}).encode()
        topic = b"alicia/metrics/collect"
        body = struct.pack("!H", len(topic)) + topic + struct.pack("!H", self._sent) + payload
        length = len(body)
        head = bytes([0x32, length % 128 | 0x80, length // 128] if length > 127 else [0x32, length])
        return head + body

    def _read(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            part = self._socket.recv(size - len(data))
            assert part, "the broker closed the connection"
            data += part
        return data
