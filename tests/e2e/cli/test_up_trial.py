"""``alicia up`` on a machine without Mosquitto: the trial broker, from start to end."""

import json
import sys
from pathlib import Path

import pytest
from tests.support.supervised import all_gone, drain, eventually, get, running

# A program of ours that looks for mosquitto nowhere; the supervisor's children are as always.
HIDDEN = (
    "from alicia.adapters.broker import choose; choose.PROGRAM_FOLDERS = '/nowhere';"
    "from alicia.cli.main import run; run()"
)


def test_everything_runs_on_the_trial_broker(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with running(tmp_path, program=[sys.executable, "-c", HIDDEN]) as up:
        addresses = up.ready()
        assert up.complaints == ""
        texts = {said["part"]: said["text"] for said in up.said if said["state"] == "ready"}
        assert texts["broker"] == "trial broker: MQTT 3.1.1, memory only; install mosquitto"
        for name in ("collector", "scheduler"):
            health = addresses[name] + "/health"
            assert eventually(lambda url=health: get(url)["mqtt_connected"])
        added = up.run("events", "add", "wake", "--every", "1h", "--topic", "home/wake")
        assert added.returncode == 0
        assert up.run("events", "trigger", "wake").returncode == 0
        assert eventually(lambda: last_status(up.run("executions", "list", "--json").stdout))
        parts = list(up.children().values())
        assert len(parts) == 3
        up.process.terminate()
        drain(up.process.stdout)
        assert up.process.wait(10) == 0
        assert all_gone(parts)
        assert "Traceback" not in up.complaints


def last_status(listed: str) -> bool:
    return [e["status"] for e in json.loads(listed)["executions"]] == ["completed"]
