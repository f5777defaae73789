"""SIGTERM for a collector whose broker hangs: it takes its leave of everybody else in time."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.brokers import BrokerProcess
from tests.support.collector_process import CollectorProcess

pytestmark = pytest.mark.broker


@pytest.fixture
def collector(tmp_path: Path, broker: BrokerProcess) -> Iterator[CollectorProcess]:
    process = CollectorProcess(tmp_path / "data", mqtt_port=broker.port)
    process.start()
    yield process
    process.ensure_stopped()


def test_a_stop_beside_a_broker_that_hangs_is_clean(
    tmp_path: Path, collector: CollectorProcess, broker: BrokerProcess
) -> None:
    collector.until(lambda: bool(collector.get("/health")["mqtt_connected"]))
    run_file = tmp_path / "data" / "run" / "collector.json"
    assert run_file.exists()
    broker.hang()
    code, _ = collector.stop()  # raises where it takes more than ten seconds, as the bus would
    assert code == 0, collector.errors
    assert not run_file.exists()
    assert "Traceback" not in collector.errors
