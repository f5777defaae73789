"""A broker, a collector and a client for tests of faults."""

from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
from tests.support.brokers import BrokerProcess
from tests.support.collector_process import CollectorProcess
from tests.support.scheduler_process import Target

Make = Callable[..., CollectorProcess]


@pytest.fixture
def make(tmp_path: Path, broker: BrokerProcess) -> Iterator[Make]:
    """A collector of the broker with these settings, not started yet."""
    made: list[CollectorProcess] = []

    def collector(data_dir: Path | None = None, **settings: str) -> CollectorProcess:
        given = {"MAX_SAMPLES_PER_SERIES": "100000000", **settings}
        process = CollectorProcess(data_dir or tmp_path / "data", mqtt_port=broker.port, **given)
        made.append(process)
        return process

    yield collector
    for process in made:
        process.ensure_stopped()


@pytest.fixture
async def client(broker: BrokerProcess) -> AsyncIterator[Target]:
    target = Target(broker.port)
    await target.start("alicia/nothing")
    await target.until(lambda: target.connected)
    yield target
    await target.stop()
