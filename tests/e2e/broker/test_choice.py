"""The four ways to a broker, each with real processes (bus.md §10)."""

import asyncio
import getpass
import os
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.support.brokers import MOSQUITTO, BrokerProcess, free_port, mosquitto
from tests.support.bus_worlds import Peer

from alicia.adapters.broker.accounts import Accounts
from alicia.adapters.broker.child import Child
from alicia.adapters.broker.choose import Choice, PortTaken, choose
from alicia.adapters.broker.probe import Answer, probe_broker
from alicia.adapters.bus.address import parse_address
from alicia.adapters.bus.gmqtt import BusConfig, GmqttBus
from alicia.adapters.clock import SystemClock, SystemRandom
from alicia.adapters.settings import Settings
from alicia.base.counters import Counters
from alicia.wire.ports import Publication

needs_mosquitto = pytest.mark.skipif(MOSQUITTO is None, reason="needs the mosquitto program")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path / "data", mqtt_port_local=free_port())


class Running:
    """The chosen broker as the supervisor runs it."""

    def __init__(self, child: Child) -> None:
        self.said = child.prepare()
        # A pipe that stays open: the trial broker ends when it closes.
        self._read, self._write = os.pipe()
        environment = {**os.environ, "ALICIA_SUPERVISOR_FD": str(self._read)}
        self.process = subprocess.Popen(
            child.argv,
            env=environment,
            pass_fds=(self._read,),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        broker = BrokerProcess([], child.port)
        broker.adopt(self.process)

    def supervisor_dies(self) -> None:
        os.close(self._write)
        self._write = -1

    def close(self) -> None:
        self.process.terminate()
        self.process.wait(10)
        os.close(self._read)
        if self._write >= 0:
            os.close(self._write)


Start = Callable[[Child | None], Running]


@pytest.fixture
def run() -> Iterator[Start]:
    running: list[Running] = []

    def start(child: Child | None) -> Running:
        assert child is not None
        running.append(Running(child))
        return running[-1]

    yield start
    for item in running:
        item.close()


async def _round_trip(choice: Choice) -> int:
    """Send a message through the broker to ourselves; the MQTT version spoken."""
    config = BusConfig(address=parse_address(choice.url), client_id="e2e")
    bus = GmqttBus(config, clock=SystemClock(), random=SystemRandom(), counters=Counters())
    peer = Peer(bus)
    await peer.start("alicia/#")
    await bus.publish(Publication("alicia/t", b"there and back"))
    assert await peer.received(1) == [b"there and back"]
    version = bus.state.protocol
    await bus.stop()
    return version


def test_1_the_configured_broker_is_taken_without_a_look(tmp_path: Path) -> None:
    choice = choose(Settings(data_dir=tmp_path, mqtt_url="mqtt://me:secret@broker.lan:1884"))
    assert (choice.kind, choice.starts) == ("configured", None)
    assert choice.url == "mqtt://me:secret@broker.lan:1884"
    assert choice.sentence == "using the broker of MQTT_URL at mqtt://broker.lan:1884"


@needs_mosquitto
async def test_2_a_running_broker_is_joined(tmp_path: Path) -> None:
    broker = mosquitto(tmp_path)
    broker.start()
    try:
        choice = choose(Settings(data_dir=tmp_path, mqtt_port_local=broker.port))
        assert (choice.kind, choice.starts, choice.degraded) == ("joined", None, False)
        assert choice.sentence == f"joined the broker that runs on 127.0.0.1:{broker.port}"
        assert await _round_trip(choice) == 5
    finally:
        broker.kill()


@needs_mosquitto
def test_2_a_broker_that_lets_nobody_in_is_joined_degraded_with_the_fix(
    settings: Settings, tmp_path: Path
) -> None:
    (tmp_path / "passwords").touch()
    config = tmp_path / "mosquitto.conf"
    config.write_text(
        f"user {getpass.getuser()}\nlistener {settings.mqtt_port_local} 127.0.0.1\n"
        "allow_anonymous false\nlog_dest none\n"
        f"password_file {tmp_path}/passwords\n"
    )
    assert MOSQUITTO is not None
    broker = BrokerProcess([MOSQUITTO, "-c", str(config)], settings.mqtt_port_local)
    broker.start()
    try:
        choice = choose(settings)
    finally:
        broker.kill()
    assert (choice.kind, choice.degraded) == ("joined", True)
    assert "set MQTT_URL=mqtt://user:password@127.0.0.1" in choice.sentence


def test_2_another_protocol_on_the_port_is_an_error_that_names_its_holder(
    settings: Settings,
) -> None:
    with socket.create_server(("127.0.0.1", settings.mqtt_port_local)) as server:

        def greet() -> None:
            visitor, _ = server.accept()
            with visitor:
                visitor.sendall(b"220 mail ready\r\n")

        greeter = threading.Thread(target=greet)
        greeter.start()
        with pytest.raises(PortTaken, match=rf"pid {os.getpid()}\).*MQTT_PORT_LOCAL"):
            choose(settings)
        greeter.join()


@needs_mosquitto
async def test_3_mosquitto_is_started_with_a_configuration_that_keeps_everything(
    settings: Settings, run: Start
) -> None:
    choice = choose(settings)
    assert choice.kind == "mosquitto"
    running = run(choice.starts)
    assert running.said == []
    assert await _round_trip(choice) == 5
    config = (settings.data_dir / "broker" / "mosquitto.conf").read_text()
    assert "max_queued_messages 0\n" in config
    assert f"listener {settings.mqtt_port_local} 127.0.0.1\n" in config


@needs_mosquitto
async def test_3_beyond_this_machine_mosquitto_wants_an_account(
    settings: Settings, run: Start
) -> None:
    open_wide = Settings(
        data_dir=settings.data_dir, mqtt_port_local=settings.mqtt_port_local, host="0.0.0.0"
    )
    choice = choose(open_wide)
    run(choice.starts)
    assert probe_broker("127.0.0.1", settings.mqtt_port_local).answer is Answer.REFUSED
    assert await _round_trip(choice) == 5
    address = parse_address(choice.url)
    assert address.password
    assert address.password not in choice.sentence


@needs_mosquitto
@pytest.mark.parametrize("content", [b"no database", b"cut"])
async def test_3_stored_sessions_that_cannot_be_read_are_set_aside(
    settings: Settings, run: Start, content: bytes
) -> None:
    choice = choose(settings)
    folder = settings.data_dir / "broker"
    folder.mkdir(parents=True)
    database = folder / "mosquitto.db"
    if content == b"cut":
        content = await _real_database(choice, run, database)
        content = content[: len(content) - 3]
    database.write_bytes(content)
    running = run(choice.starts)
    await _round_trip(choice)
    aside = list(folder.glob("mosquitto.db.bad-*"))
    assert [path.read_bytes() for path in aside] == [content]
    assert len(running.said) == 1
    assert str(aside[0]) in running.said[0]


@needs_mosquitto
@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "::1"])
def test_3_a_host_on_loopback_keeps_the_broker_there(host: str, tmp_path: Path) -> None:
    choice = choose(Settings(data_dir=tmp_path, mqtt_port_local=free_port(), host=host))
    assert choice.kind == "mosquitto"
    assert choice.starts is not None
    choice.starts.prepare()
    config = (tmp_path / "broker" / "mosquitto.conf").read_text()
    assert f"listener {choice.starts.port} 127.0.0.1\n" in config


@needs_mosquitto
async def test_3_good_stored_sessions_are_kept(settings: Settings, run: Start) -> None:
    choice = choose(settings)
    database = settings.data_dir / "broker" / "mosquitto.db"
    await _real_database(choice, run, database)
    running = run(choice.starts)
    assert running.said == []
    config = BusConfig(address=parse_address(choice.url), client_id="late")
    bus = GmqttBus(config, clock=SystemClock(), random=SystemRandom(), counters=Counters())
    peer = Peer(bus)
    await peer.start("alicia/kept")
    assert await peer.received(1) == [b"state"]
    await bus.stop()


async def test_4_without_mosquitto_a_trial_broker_is_started_and_called_one(
    settings: Settings, run: Start, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    choice = _without_mosquitto(settings, monkeypatch, tmp_path)
    assert choice.sentence == "trial broker: MQTT 3.1.1, memory only; install mosquitto"
    assert choice.starts is not None
    secret = (settings.data_dir / "broker" / "own.password").read_text()
    assert not any(secret in word for word in choice.starts.argv)
    run(choice.starts)
    assert await _round_trip(choice) == 4
    probe = probe_broker("127.0.0.1", settings.mqtt_port_local)
    assert probe.answer is Answer.REFUSED  # nobody gets in without the password


def test_4_the_trial_broker_ends_with_its_supervisor(
    settings: Settings, run: Start, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    choice = _without_mosquitto(settings, monkeypatch, tmp_path)
    running = run(choice.starts)
    running.supervisor_dies()
    assert running.process.wait(10) == 0


def test_the_password_file_is_private(tmp_path: Path) -> None:
    Accounts(tmp_path / "broker", prefix="alicia").ensure_own()
    modes = {path.stat().st_mode & 0o777 for path in (tmp_path / "broker").iterdir()}
    assert modes == {0o600}
    assert (tmp_path / "broker").stat().st_mode & 0o777 == 0o700


def _without_mosquitto(settings: Settings, monkeypatch: pytest.MonkeyPatch, folder: Path) -> Choice:
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setattr("alicia.adapters.broker.choose.PROGRAM_FOLDERS", str(folder))
    choice = choose(settings)
    assert choice.kind == "trial"
    return choice


async def _real_database(choice: Choice, run: Start, database: Path) -> bytes:
    """What a Mosquitto with one retained message leaves behind."""
    running = run(choice.starts)
    config = BusConfig(address=parse_address(choice.url), client_id="writer")
    bus = GmqttBus(config, clock=SystemClock(), random=SystemRandom(), counters=Counters())
    peer = Peer(bus)
    await peer.start()
    await bus.publish(Publication("alicia/kept", b"state", retain=True))
    await bus.stop()
    running.process.terminate()
    await asyncio.to_thread(running.process.wait, 10)
    return await asyncio.to_thread(database.read_bytes)
