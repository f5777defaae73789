"""The doctor at real brokers that allow more or less."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.brokers import MOSQUITTO, BrokerProcess, amqtt, mosquitto

from alicia.adapters.settings import Settings
from alicia.cli.doctor import permissions
from alicia.cli.doctor.broker import check_broker
from alicia.cli.doctor.finding import Finding, Verdict

needs_mosquitto = pytest.mark.skipif(MOSQUITTO is None, reason="needs the mosquitto program")
EVERYTHING = "topic readwrite #\ntopic read $SYS/#\n"
ALL_CHECKS = (
    "broker",
    "round trip",
    "retained",
    "packet size",
    "$share",
    "$SYS",
    "topics",
    "strangers",
)


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[BrokerProcess]:
    made = mosquitto(tmp_path)
    yield made
    made.kill()


async def examined(port: int, *, account: str = "", query: str = "") -> dict[str, Finding]:
    settings = Settings(mqtt_url=f"mqtt://{account}127.0.0.1:{port}{query}")
    return {found.check: found for found in await check_broker(settings, secret="x")}


@needs_mosquitto
@pytest.mark.parametrize("version", ["5", "3.1.1"])
async def test_a_broker_that_allows_all_is_well(
    broker: BrokerProcess, tmp_path: Path, version: str
) -> None:
    (tmp_path / "acl").write_text(EVERYTHING)
    broker.start()
    found = await examined(broker.port, query=f"?version={version}")
    assert {check: one.verdict for check, one in found.items()} == dict.fromkeys(
        ALL_CHECKS,
        Verdict.OK,
    )


@needs_mosquitto
@pytest.mark.parametrize("version", ["5", "3.1.1"])
async def test_what_the_account_lacks_is_named_as_lines_of_an_acl(
    broker: BrokerProcess, tmp_path: Path, version: str
) -> None:
    (tmp_path / "acl").write_text(
        "topic readwrite alicia-doctor/#\ntopic readwrite alicia/#\n"
        "topic deny alicia/events/#\ntopic deny alicia/system/health/#\n"
    )
    broker.start()
    found = await examined(broker.port, query=f"?version={version}")
    assert found["$SYS"].verdict is Verdict.WARN
    assert found["topics"].verdict is Verdict.FAIL
    assert found["topics"].fix == (
        "add to its ACL: topic readwrite alicia/system/health/#, topic readwrite alicia/events/#"
    )


@needs_mosquitto
@pytest.mark.parametrize(("denied", "verdict"), [(False, Verdict.WARN), (True, Verdict.OK)])
async def test_strangers_who_may_command_the_scheduler_are_told(
    broker: BrokerProcess,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    denied: bool,
    verdict: Verdict,
) -> None:
    rule = "topic deny alicia/scheduler/events\n" if denied else ""
    (tmp_path / "acl").write_text(EVERYTHING + rule)
    broker.start()
    monkeypatch.setattr(permissions, "is_local", lambda _host: False)
    found = await examined(broker.port, query="?version=5")
    assert found["strangers"].verdict is verdict


async def test_the_trial_broker_is_good_enough(tmp_path: Path) -> None:
    broker = amqtt(tmp_path, "secret")
    broker.start()
    try:
        found = await examined(broker.port, account="alicia:secret@", query="?version=3.1.1")
    finally:
        broker.kill()
    assert {check for check, one in found.items() if one.verdict is Verdict.FAIL} == set()
    assert found["topics"].verdict is Verdict.OK
