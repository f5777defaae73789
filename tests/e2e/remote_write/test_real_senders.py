"""Prometheus and vmagent send to a collector that is killed meanwhile; no sample is lost."""

import re
import shutil
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from tests.support.brokers import free_port, wait_for_port
from tests.support.collector_process import CollectorProcess

SCRAPES = """
global: {{scrape_interval: 1s}}
scrape_configs:
  - job_name: self
    static_configs: [{{targets: ["127.0.0.1:{port}"], labels: {{service: fleet}}}}]
"""
REMOTE = """
remote_write:
  - url: {url}/api/v1/write
    queue_config: {{batch_send_deadline: 500ms, min_backoff: 30ms, max_backoff: 500ms}}
    metadata_config: {{send_interval: 1s}}
"""


@pytest.fixture
def collector(tmp_path: Path) -> Iterator[CollectorProcess]:
    (tmp_path / "data").mkdir()
    port = str(free_port())  # senders know the address that it comes back to
    process = CollectorProcess(tmp_path / "data", mqtt_port=free_port(), COLLECTOR_PORT=port)
    process.start()
    yield process
    process.ensure_stopped()


@contextmanager
def running(arguments: Sequence[str], port: int) -> Iterator[None]:
    """A sender for the length of a block."""
    process = subprocess.Popen(arguments, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for_port(port, process)
        yield
    finally:
        process.kill()
        process.wait()


def program(name: str) -> str:
    path = shutil.which(name)
    if path is None:
        pytest.skip(f"needs the program {name}")
    return path


def told_by_prometheus(url: str) -> dict[float, float]:
    """The values of ``up`` by time, as Prometheus itself has them."""
    reply = httpx.get(f"{url}/api/v1/query", params={"query": "up[1h]"}, timeout=30)
    (found,) = reply.json()["data"]["result"]
    return {t: float(value) for t, value in found["values"]}


def stored(collector: CollectorProcess) -> dict[float, float]:
    """The same as the collector has them; a time twice would be a mistake of ours."""
    if not any(each["service_name"] == "fleet" for each in collector.get("/services")["services"]):
        return {}
    samples = collector.get("/metrics/fleet/up?limit=1000")["samples"]
    assert len({sample["timestamp"] for sample in samples}) == len(samples)
    return {sample["timestamp"]: sample["value"] for sample in samples}


def kinds(collector: CollectorProcess) -> dict[str, str]:
    """The type of each metric."""
    found = collector.get("/metrics/fleet?limit=1000")["instances"]
    rows = (row for instance in found.values() for row in instance["metrics"])
    return {row["name"]: row["metric_type"] for row in rows}


def kill_meanwhile(collector: CollectorProcess) -> None:
    """The sender goes on while the collector is killed; then it must bring what was missed."""
    collector.until(lambda: len(stored(collector)) >= 3, seconds=30)
    for _ in range(2):
        before = len(stored(collector))
        collector.kill()
        time.sleep(1.5)  # it scrapes while nobody listens
        collector.start()
        collector.until(lambda low=before: len(stored(collector)) > low + 2, seconds=30)


def test_prometheus(tmp_path: Path, collector: CollectorProcess) -> None:
    port = free_port()
    config = tmp_path / "prometheus.yml"
    config.write_text(SCRAPES.format(port=port) + REMOTE.format(url=collector.url))
    arguments = (
        program("prometheus"),
        f"--config.file={config}",
        f"--storage.tsdb.path={tmp_path / 'prometheus'}",
        f"--web.listen-address=127.0.0.1:{port}",
    )
    with running(arguments, port):
        kill_meanwhile(collector)
        theirs = told_by_prometheus(f"http://127.0.0.1:{port}")
        collector.until(lambda: max(theirs) in stored(collector), seconds=30)
        assert {t: v for t, v in stored(collector).items() if t <= max(theirs)} == theirs
        # The name does not tell; the metadata that came does.
        collector.until(
            lambda: kinds(collector).get("go_gc_duration_seconds_count") == "summary", seconds=30
        )
    assert_no_rejects(collector)


def test_vmagent(tmp_path: Path, collector: CollectorProcess) -> None:
    port = free_port()
    config = tmp_path / "scrape.yml"
    config.write_text(SCRAPES.format(port=port))
    arguments = (
        program("vmagent"),
        f"-promscrape.config={config}",
        f"-remoteWrite.url={collector.url}/api/v1/write",
        f"-remoteWrite.tmpDataPath={tmp_path / 'vmagent'}",
        "-remoteWrite.flushInterval=500ms",
        f"-httpListenAddr=127.0.0.1:{port}",
    )
    with running(arguments, port):
        kill_meanwhile(collector)
        told = httpx.get(f"http://127.0.0.1:{port}/metrics", timeout=30).text
    dropped = re.findall(r"^vmagent_remotewrite_packets_dropped_total\S* (\d+)", told, re.MULTILINE)
    assert set(dropped) == {"0"}
    assert set(stored(collector).values()) == {1.0}
    assert_no_rejects(collector)


def assert_no_rejects(collector: CollectorProcess) -> None:
    assert collector.get("/api/v1/rejects")["rejects"] == []
