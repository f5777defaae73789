"""SIGTERM in mid-ingest: what was acknowledged is there, and the stop is clean and short."""

import asyncio
from collections.abc import Callable, Sequence
from functools import partial

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

pytestmark = [pytest.mark.broker, pytest.mark.timeout(300)]

STOPS = 3


async def test_a_stop_under_load_loses_nothing(
    make: Callable[..., CollectorProcess], client: Target, capsys: pytest.CaptureFixture[str]
) -> None:
    collector = make()
    await asyncio.to_thread(collector.start)
    collector.until(lambda: bool(collector.get("/health")["mqtt_connected"]))
    over_http = [HttpSender(f"http_{n}", lambda: collector.url) for n in range(3)]
    over_http.append(RemoteWriteSender("remote", lambda: collector.url))
    over_mqtt = MqttSender("over_mqtt", client)
    senders: list[Sender] = [*over_http, over_mqtt]
    ended = asyncio.Event()
    stops = []
    async with asyncio.TaskGroup() as tasks:
        for sender in senders:
            tasks.create_task(sender.run(ended))
        for _ in range(STOPS):
            goal = [len(sender.acked) + 200 for sender in over_http]
            await until(partial(_reached, over_http, goal))
            code, seconds = await asyncio.to_thread(collector.stop)
            stops.append(seconds)
            assert code == 0, collector.errors
            await asyncio.to_thread(collector.start)
        ended.set()
    await until_all_arrived(collector, over_mqtt)
    assert {sender.name: faults(collector, sender) for sender in senders} == {
        sender.name: {} for sender in senders
    }
    assert "left behind" not in collector.errors, "no step of the stop took longer than it may"
    assert "Traceback" not in collector.errors, collector.errors[-4000:]
    with capsys.disabled():
        print(f"\nstops under load took {', '.join(f'{s:.2f}' for s in stops)} s")


def _reached(senders: Sequence[Sender], goal: Sequence[int]) -> bool:
    return all(len(sender.acked) >= n for sender, n in zip(senders, goal, strict=True))
