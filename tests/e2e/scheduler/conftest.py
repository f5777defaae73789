"""A broker, a scheduler and a target, each in its own process or connection."""

import getpass
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from tests.support.brokers import MOSQUITTO, BrokerProcess, free_port
from tests.support.scheduler_process import SchedulerProcess, Target


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[BrokerProcess]:
    if MOSQUITTO is None:
        pytest.skip("needs the mosquitto program")
    # As bus.md §10 configures it: a broker that saves at every change would be what is measured.
    port = free_port()
    config = tmp_path / "mosquitto.conf"
    config.write_text(
        f"user {getpass.getuser()}\nlistener {port} 127.0.0.1\nallow_anonymous true\n"
        f"persistence true\npersistence_location {tmp_path}/\nautosave_interval 10\n"
        "max_queued_messages 0\nmax_inflight_messages 100\nset_tcp_nodelay true\n"
        "log_dest none\n"
    )
    process = BrokerProcess([MOSQUITTO, "-c", str(config)], port)
    process.start()
    yield process
    process.kill()


@pytest.fixture
def scheduler(tmp_path: Path, broker: BrokerProcess) -> Iterator[SchedulerProcess]:
    process = SchedulerProcess(
        tmp_path / "data", mqtt_port=broker.port, MAX_EXECUTIONS_PER_EVENT="100000"
    )
    process.start()
    yield process
    process.ensure_stopped()


@pytest.fixture
async def target(broker: BrokerProcess) -> AsyncIterator[Target]:
    client = Target(broker.port)
    await client.start("alicia/home/#")
    await client.until(lambda: client.connected)
    yield client
    await client.stop()
