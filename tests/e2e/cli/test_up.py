"""``alicia up`` with real parts: ready, restarted, stopped, refused."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.support.supervised import all_gone, drain, eventually, get, running, settings_of

pytestmark = [
    pytest.mark.broker,
    pytest.mark.skipif(shutil.which("mosquitto") is None, reason="mosquitto is not installed"),
]


def test_everything_starts_and_stops_with_one_command(tmp_path: Path) -> None:
    with running(tmp_path) as up:
        addresses = up.ready()
        assert set(addresses) == {"broker", "collector", "scheduler"}
        assert get(addresses["collector"] + "/health")["service_name"] == "metrics_collector"
        assert get(addresses["scheduler"] + "/health")["service_name"] == "event_scheduler"
        assert eventually(lambda: get(addresses["collector"] + "/health")["mqtt_connected"])
        assert eventually(lambda: get(addresses["scheduler"] + "/health")["mqtt_connected"])
        parts = up.children()
        assert set(parts) == {"broker", "collector", "scheduler"}
        began = time.monotonic()
        up.process.send_signal(signal.SIGTERM)
        drain(up.process.stdout)
        assert up.process.wait(10) == 0
        assert time.monotonic() - began < 5
        assert all_gone(list(parts.values()))
        assert " info " not in up.complaints  # what the parts merely report needs -v
    data = tmp_path / "data"
    assert data.stat().st_mode & 0o777 == 0o700
    assert list((data / "run").iterdir()) == []


def test_the_supervisor_stays_small(tmp_path: Path) -> None:
    with running(tmp_path) as up:
        up.ready()
        program = f"import psutil; print(psutil.Process({up.process.pid}).memory_info().rss)"
        seen = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
        assert int(seen.stdout) < 30e6


@pytest.mark.parametrize("name", ["collector", "scheduler"])
def test_a_killed_service_comes_back_with_what_it_knew(tmp_path: Path, name: str) -> None:
    with running(tmp_path) as up:
        addresses = up.ready()
        assert up.run("rules", "add", "hot", "temp > 30").returncode == 0
        added = up.run("events", "add", "wake", "--every", "1h", "--topic", "home/wake", "--json")
        event_id = json.loads(added.stdout)["event_id"]
        up.children()[name].kill()
        assert up.wait_for(part=name, state="ended")["code"] == -signal.SIGKILL
        assert up.wait_for(part=name, state="ready")["address"] == addresses[name]
        rules = json.loads(up.run("rules", "list", "--json").stdout)["rules"]
        assert "hot" in [rule["name"] for rule in rules]
        shown = json.loads(up.run("events", "show", "wake", "--json").stdout)["event"]
        assert shown["event_id"] == event_id
        noted = json.loads((tmp_path / "data/run/up.json").read_bytes())
        assert noted["parts"][name]["restarts"] == 1


def test_a_killed_broker_comes_back_and_is_found_again(tmp_path: Path) -> None:
    with running(tmp_path, ["--verbose"]) as up:
        addresses = up.ready()
        health = addresses["collector"] + "/health"
        assert eventually(lambda: get(health)["mqtt_connected"], seconds=20)
        broker, port = up.children()["broker"], int(up.environment["ALICIA_MQTT_PORT_LOCAL"])
        up.process.send_signal(signal.SIGSTOP)  # until somebody else has the port
        broker.kill()
        assert eventually(lambda: all_gone([broker]))
        with socket.create_server(("127.0.0.1", port)):
            up.process.send_signal(signal.SIGCONT)
            assert up.wait_for(part="broker", state="ended")["text"] == "ended by SIGKILL"
            refused = up.wait_for(part="broker", state="ended")["text"]
        assert refused.startswith(f"port {port} is held by ")
        assert f"(pid {os.getpid()}): stop it, or set MQTT_PORT_LOCAL" in refused
        up.wait_for(part="broker", state="ready")
        again = " info collector: bus: connected to "
        assert eventually(lambda: up.complaints.count(again) == 2, seconds=20)


def test_no_part_outlives_a_killed_supervisor(tmp_path: Path) -> None:
    with running(tmp_path) as up:
        up.ready()
        parts = list(up.children().values())
        assert len(parts) == 3
        up.process.kill()
        assert eventually(lambda: all_gone(parts), seconds=8)


def test_a_busy_port_is_named_with_its_holder_and_ends_all(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with running(tmp_path, COLLECTOR_PORT=port) as up:
            assert up.wait_for(state="refused")["part"] == "collector"
            drain(up.process.stdout)
            assert up.process.wait(10) == 1
            assert f"port {port} " in up.complaints
            assert f"(pid {os.getpid()})" in up.complaints
            assert "Traceback" not in up.complaints


def test_a_second_one_on_the_same_data_is_refused(tmp_path: Path) -> None:
    with running(tmp_path) as up:
        addresses = up.ready()
        second = up.run("up")
        assert second.returncode == 1
        assert second.stdout == ""
        assert second.stderr.count("\n") == 1
        assert f"in use by another up (pid {up.process.pid})" in second.stderr
        assert get(addresses["collector"] + "/health")


def test_beyond_loopback_nothing_starts_without_a_token(tmp_path: Path) -> None:
    with running(tmp_path, ["--lan"]) as up:
        drain(up.process.stdout)
        assert up.process.wait(10) == 1
        assert up.said == []
        assert "alicia token create" in up.complaints
        assert up.complaints.count("\n") == 1
    assert not (tmp_path / "data/broker").exists()


def test_beyond_loopback_with_a_token(tmp_path: Path) -> None:
    made = subprocess.run(
        [sys.executable, "-m", "alicia", "token", "create", "--json"],
        env=settings_of(tmp_path),
        capture_output=True,
        check=True,
    )
    with running(tmp_path, ["--lan"]) as up:
        up.ready()
        refused = up.run("events", "list")
        assert refused.returncode == 1
        assert "ALICIA_TOKEN" in refused.stderr
        up.environment["ALICIA_TOKEN"] = json.loads(made.stdout)["token"]
        assert up.run("events", "list").returncode == 0
        assert up.run("push", "temp=1").returncode == 0


def test_the_demo_fleet_makes_all_22_services(tmp_path: Path) -> None:
    with running(tmp_path, ["--demo"]) as up:
        addresses = up.ready()
        up.wait_for(part="demo", state="ready")

        def all_up() -> bool:
            services = get(addresses["collector"] + "/services")["services"]
            return [s["status"] for s in services] == ["up"] * 22

        assert eventually(all_up, seconds=20)
        parts = list(up.children().values())
        up.process.kill()
        assert eventually(lambda: all_gone(parts), seconds=8)
        assert "Traceback" not in up.complaints


def test_fresh_starts_empty_and_keeps_the_old(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir(mode=0o700)
    (data / "keepsake").touch()
    with running(tmp_path, ["--fresh"]) as up:
        up.ready()
        assert not (data / "keepsake").exists()
        (aside,) = tmp_path.glob("data.before-*")
        assert (aside / "keepsake").exists()
        assert up.said[0]["text"] == f"the old data are kept in {aside}"


def test_the_state_is_seen_from_another_terminal(tmp_path: Path) -> None:
    with running(tmp_path) as up:
        up.ready()
        assert up.run("push", "temp=21.5", "--service", "kitchen").returncode == 0
        asked = up.run("query", 'temp{service="kitchen"}', "--json")
        (row,) = json.loads(asked.stdout)["data"]["result"]
        assert row["value"][1] == "21.5"
        assert up.run("status").returncode == 0
        examined = json.loads(up.run("doctor", "--json").stdout)
        assert [c for c in examined["checks"] if c["status"] == "fail"] == []
        stopped = up.children()["collector"]
        stopped.suspend()
        seen = up.run("status")
        stopped.resume()
        assert seen.returncode == 3
        assert "is not answering: it is there, but said nothing for 3 s" in seen.stdout


def test_tail_prints_what_the_bus_brings_and_ends_well(tmp_path: Path) -> None:
    with running(tmp_path) as up:
        up.ready()
        with subprocess.Popen(
            [sys.executable, "-m", "alicia", "tail", "alicia/metrics/summary", "--json", "-n", "1"],
            env=up.environment | {"ALICIA_TOPIC_PREFIX": "alicia"},
            stdout=subprocess.PIPE,
            text=True,
        ) as tail:
            port = up.environment["ALICIA_MQTT_PORT_LOCAL"]
            publish = ["mosquitto_pub", "-p", port, "-t", "alicia/metrics/summary", "-m", '{"a":1}']
            while tail.poll() is None:
                subprocess.run(publish, check=True)
                time.sleep(0.05)
            assert tail.returncode == 0
            assert json.loads(tail.stdout.readline() if tail.stdout else "")["payload"] == {"a": 1}
