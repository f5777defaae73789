"""SIGKILL in mid-ingest: no acknowledged sample is lost, none is there twice.

Over HTTP and by remote-write a client notes each success. Over MQTT what the broker took counts,
since it delivers again what the collector had not acknowledged.
"""

import asyncio
import random
import statistics
import time
from collections.abc import Callable

import pytest
from tests.support.collector_process import CollectorProcess
from tests.support.scheduler_process import Target
from tests.support.senders import (
    HttpSender,
    MqttSender,
    RemoteWriteSender,
    Sender,
    faults,
    until,
    until_all_arrived,
)

pytestmark = pytest.mark.broker

IN_A_START = 6  # every so manieth kill comes while the collector starts


async def ready(collector: CollectorProcess) -> float:
    """Start; the seconds until it listens."""
    began = time.monotonic()
    await asyncio.to_thread(collector.start)
    return time.monotonic() - began


async def kill_in_a_start(collector: CollectorProcess, after_seconds: float) -> None:
    await asyncio.to_thread(collector.spawn)
    await asyncio.sleep(after_seconds)
    await asyncio.to_thread(collector.kill)


async def some_acked(senders: list[Sender], count: int) -> None:
    """Wait until so many more samples were acknowledged."""
    goal = sum(len(sender.acked) for sender in senders) + count
    await until(lambda: sum(len(sender.acked) for sender in senders) >= goal)


@pytest.mark.parametrize(
    ("kills", "wal_sync"),
    [
        pytest.param(30, "1s", marks=pytest.mark.timeout(900)),
        pytest.param(200, "1s", marks=[pytest.mark.slow, pytest.mark.timeout(3600)]),
        pytest.param(200, "always", marks=[pytest.mark.slow, pytest.mark.timeout(3600)]),
    ],
)
async def test_kills_lose_nothing_acknowledged(
    make: Callable[..., CollectorProcess],
    client: Target,
    capsys: pytest.CaptureFixture[str],
    kills: int,
    wal_sync: str,
) -> None:
    chance = random.Random(kills)
    collector = make(WAL_SYNC=wal_sync)
    await ready(collector)
    collector.until(lambda: bool(collector.get("/health")["mqtt_connected"]))
    over_http: list[Sender] = [
        HttpSender("http_a", lambda: collector.url),
        HttpSender("http_b", lambda: collector.url, batch=1),
        RemoteWriteSender("remote", lambda: collector.url),
    ]
    over_mqtt: list[Sender] = [MqttSender("mqtt_a", client), MqttSender("mqtt_b", client)]
    ended = asyncio.Event()
    seconds: list[float] = []
    async with asyncio.TaskGroup() as tasks:
        for sender in over_http + over_mqtt:
            tasks.create_task(sender.run(ended))
        for n in range(kills):
            await some_acked(over_http, chance.randint(1, 800))
            await asyncio.to_thread(collector.kill)
            if n % IN_A_START == 0:
                await kill_in_a_start(collector, chance.uniform(0.2, 2))
            seconds.append(await ready(collector))
        ended.set()
    for sender in over_mqtt:
        await until_all_arrived(collector, sender)
    found = {sender.name: faults(collector, sender) for sender in over_http + over_mqtt}
    assert found == {sender.name: {} for sender in over_http + over_mqtt}
    assert "Traceback" not in collector.errors, collector.errors[-4000:]
    ranks = statistics.quantiles(seconds, n=100, method="inclusive")
    counts = {sender.name: len(sender.acked) for sender in over_http + over_mqtt}
    with capsys.disabled():
        print(
            f"\n{kills} kills in mid-ingest and {-(-kills // IN_A_START)} in a start, WAL_SYNC="
            f"{wal_sync}: 0 lost, 0 doubled of {counts}; ready after p50 {ranks[49]:.2f} s, "
            f"p99 {ranks[98]:.2f} s"
        )
