"""Alerts over SIGKILL, seen from outside: by HTTP, and by somebody who listens on the bus."""

from collections import Counter
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.support.brokers import BrokerProcess
from tests.support.collector_process import CollectorProcess
from tests.support.scheduler_process import Target

pytestmark = pytest.mark.broker
RULE: dict[str, Any] = {
    "name": "hot", "condition": "temp > 30", "severity": "error", "interval": "200ms",
}  # fmt: skip


@pytest.fixture
def collector(tmp_path: Path, broker: BrokerProcess) -> Iterator[CollectorProcess]:
    process = CollectorProcess(tmp_path / "data", mqtt_port=broker.port, COLLECTION_INTERVAL="1s")
    process.start()
    yield process
    process.ensure_stopped()


@pytest.fixture
async def listener(broker: BrokerProcess) -> AsyncIterator[Target]:
    client = Target(broker.port)
    await client.start("alicia/metrics/alerts", "alicia/alerts/#")
    await client.until(lambda: client.connected)
    yield client
    await client.stop()


def told(listener: Target) -> Counter[tuple[str, str]]:
    """How often each topic told each event of our rule, repetitions of a message counted once.

    Default rules look at the real machine, which may well be busy, so theirs do not count.
    """
    ours = [h for h in listener.heard if h.body["rule_name"] == RULE["name"]]
    once = {(h.topic, h.body["message_id"]): h.body["event"] for h in ours}
    return Counter((topic.removeprefix("alicia/"), event) for (topic, _), event in once.items())


async def test_a_firing_alert_goes_on_without_a_second_notice(
    collector: CollectorProcess, listener: Target
) -> None:
    collector.send("POST", "/alerts/rules", RULE)
    collector.send("DELETE", "/alerts/rules/high_disk")
    collector.send("PUT", "/alerts/rules/high_cpu", {"condition": "cpu_percent > 95",
                                                     "severity": "info"})  # fmt: skip
    collector.push("temp", 31)
    await listener.until(lambda: told(listener)["alerts/new", "firing"] == 1)
    before = collector.alert_of("hot")
    for _ in range(3):
        collector.kill()
        collector.start()
        # Nobody has sent a sample to the new process yet, and that resolves nothing.
        collector.until(lambda: collector.get("/alerts/rules/hot")["health"] == "healthy")
        after = collector.alert_of("hot")
        assert after["state"] == "firing"
        assert [after[name] for name in ("alert_id", "active_at", "fired_at")] == [
            before[name] for name in ("alert_id", "active_at", "fired_at")
        ]
    collector.push("temp", 29)
    await listener.until(lambda: told(listener)["alerts/resolved", "resolved"] == 1)
    assert told(listener) == {
        ("metrics/alerts", "firing"): 1, ("alerts/new", "firing"): 1,
        ("metrics/alerts", "resolved"): 1, ("alerts/resolved", "resolved"): 1,
    }  # fmt: skip
    copies = Counter((heard.topic, heard.body["message_id"]) for heard in listener.heard)
    assert max(copies.values()) <= 2  # the last one before a kill may come once more
    rules = {rule["name"]: rule for rule in collector.get("/alerts/rules")["rules"]}
    assert "high_disk" not in rules
    assert (rules["high_cpu"]["threshold"], rules["high_cpu"]["severity"]) == (95.0, "info")


async def test_a_pending_alert_keeps_its_wait_and_counts_no_downtime(
    collector: CollectorProcess, listener: Target
) -> None:
    collector.send("POST", "/alerts/rules", {**RULE, "for": "3s"})
    collector.push("temp", 31)
    collector.until(lambda: collector.alert_of("hot").get("state") == "pending")
    begun = collector.alert_of("hot")["active_at"]
    collector.kill()
    collector.start()
    pending = collector.alert_of("hot")
    assert pending["state"] == "pending"
    assert pending["active_at"] > begun  # later by the time in which nobody looked
    while collector.alert_of("hot")["state"] == "pending":
        collector.push("temp", 31)
    fired = collector.alert_of("hot")
    assert fired["state"] == "firing"
    assert 3.0 <= fired["fired_at"] - fired["active_at"] < 4.0
    await listener.until(lambda: told(listener)["alerts/new", "firing"] == 1)
    assert told(listener)["metrics/alerts", "firing"] == 1


async def test_a_notice_that_nobody_could_take_is_sent_by_the_next_process(
    collector: CollectorProcess, broker: BrokerProcess, listener: Target
) -> None:
    broker.kill()
    await listener.until(lambda: not listener.connected)
    collector.until(lambda: not collector.get("/health")["mqtt_connected"])
    collector.send("POST", "/alerts/rules", RULE)
    collector.push("temp", 31)
    collector.until(lambda: collector.alert_of("hot").get("state") == "firing")
    collector.kill()
    broker.start()
    await listener.until(lambda: listener.connected)
    collector.start()
    await listener.until(lambda: told(listener)["alerts/new", "firing"] == 1)
    assert told(listener) == {("metrics/alerts", "firing"): 1, ("alerts/new", "firing"): 1}
