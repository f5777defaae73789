"""A broker, a scheduler and a target, each in its own process or connection."""

import getpass
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from tests.support.brokers import MOSQUITTO, BrokerProcess, free_port
from tests.support.scheduler_process import SchedulerProcess, Target


def plain_broker(folder: Path, *, persistence: bool) -> BrokerProcess:
    """Mosquitto as bus.md §10 configures it, on a free port."""
    if MOSQUITTO is None:
        pytest.skip("needs the mosquitto program")
    port = free_port()
    config = folder / "mosquitto.conf"
    kept = f"persistence_location {folder}/\nautosave_interval 10\n" if persistence else ""
    config.write_text(
        f"user {getpass.getuser()}\nlistener {port} 127.0.0.1\nallow_anonymous true\n"
        f"persistence {str(persistence).lower()}\n{kept}max_queued_messages 0\n"
        "max_inflight_messages 100\nset_tcp_nodelay true\nlog_dest none\n"
    )
    return BrokerProcess([MOSQUITTO, "-c", str(config)], port)


@pytest.fixture
def broker(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[BrokerProcess]:
    """A test that judges times marks itself ``alone``; its broker writes no files."""
    alone = request.node.get_closest_marker("alone") is not None
    # A broker that saves stops delivering meanwhile, and that would be what is measured.
    process = plain_broker(tmp_path, persistence=not alone)
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
