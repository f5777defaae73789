"""The page before the whole product: broker, collector, scheduler and the simulated fleet."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, expect
from tests.browser.conftest import keep
from tests.support.brokers import MOSQUITTO, free_port

from alicia.fleet.known import KNOWN

pytestmark = [
    pytest.mark.broker,
    pytest.mark.skipif(MOSQUITTO is None, reason="mosquitto is not installed"),
]

TILE = "[data-testid=tile]"
STALE_CADENCES = 3  # bus.md L3
VICTIM = "sonos_service"


@dataclass
class Product:
    """One running ``alicia up --demo``."""

    url: str
    data_dir: Path

    def kill(self, service: str) -> None:
        """Let one simulated service fall silent without a good-bye."""
        doors = json.loads((self.data_dir / "run/demo.json").read_text())["services"]
        request = urllib.request.Request(f"{doors[service]}/stop", method="POST")
        urllib.request.urlopen(request, timeout=5).close()

    def ask(self, path: str, body: object = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(
            self.url + path, data, {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)


@pytest.fixture
def lonely_port() -> Iterator[None]:
    """Keep the victim off its usual port, where another fleet's twin could answer for it."""
    with contextlib.ExitStack() as stack:
        with contextlib.suppress(OSError):  # taken already: just as good
            stack.enter_context(socket.create_server(("127.0.0.1", KNOWN[VICTIM].port)))
        yield


@pytest.fixture
def product(context: BrowserContext, lonely_port: None, tmp_path: Path) -> Iterator[Product]:
    environment = {
        **os.environ,
        "ALICIA_DATA_DIR": str(tmp_path / "data"),
        "ALICIA_COLLECTOR_PORT": "0",
        "ALICIA_SCHEDULER_PORT": "0",
        "ALICIA_MQTT_PORT_LOCAL": str(free_port()),
        "ALICIA_COLLECTION_INTERVAL": "1s",
        "ALICIA_SYSTEM_METRICS_INTERVAL": "1s",
    }
    command = [sys.executable, "-m", "alicia", "up", "--demo", "--json"]
    with (tmp_path / "stderr").open("wb") as complaints:
        process = subprocess.Popen(
            command,
            env=environment,
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            stderr=complaints,
            text=True,
        )
        try:
            yield Product(_address_of(process, tmp_path / "stderr"), tmp_path / "data")
            context.close()  # before its server goes: a lost server is a fault to report
        finally:
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=10)


def _address_of(process: subprocess.Popen[str], complaints: Path) -> str:
    """The collector's address, once all parts are ready."""
    assert process.stdout is not None
    address = ""
    for line in process.stdout:
        said = json.loads(line)
        if (said["part"], said["state"]) == ("collector", "ready"):
            address = said["address"]
        if said["state"] == "next":
            return address
    raise AssertionError(f"it ended before it was ready: {complaints.read_text()[-2000:]}")


@pytest.mark.timeout(150)
def test_a_killed_service_is_seen_without_reload(page: Page, product: Product) -> None:
    product.ask(
        "/scheduler/events",
        {
            "name": "morning_music",
            "schedule_type": "interval",
            "interval_seconds": 30,
            "target_service": VICTIM,
            "payload": {"play": "radio"},
        },
    )
    page.goto(product.url)
    page.evaluate("window.sameDocument = true")
    expect(page.locator(TILE)).to_have_count(22, timeout=20_000)
    expect(page.locator(f"{TILE}[data-status=up]")).to_have_count(22, timeout=20_000)
    expect(page.get_by_test_id("verdict")).to_contain_text("All 22 services are up")
    expect(page.get_by_test_id("run").filter(has_text="morning_music")).to_be_visible()
    expect(page.get_by_test_id("chart")).not_to_have_attribute("data-points", "0")
    tiles_in_view = page.locator(f"{TILE} .bars").count()
    # Our own two report too rarely for a line at once.
    expect(page.locator(f"{TILE} .spark").nth(tiles_in_view - 3)).to_be_visible(timeout=20_000)
    keep(page, "first-light-all-up")

    limit_seconds = STALE_CADENCES * product.ask(f"/services/{VICTIM}")["cadence"]
    product.kill(VICTIM)
    victim = page.locator(f"{TILE}[data-service={VICTIM}]")
    # One second for the judge, one for a machine with other things to do.
    expect(victim).to_have_attribute("data-status", "down", timeout=(limit_seconds + 2) * 1000)
    expect(victim).to_contain_text("silent")
    expect(page.locator(TILE).first).to_have_attribute("data-service", VICTIM)
    expect(page.get_by_test_id("verdict")).to_contain_text("1 of 22 services needs attention")
    assert page.evaluate("window.sameDocument")
    keep(page, "first-light-one-down")
    victim.click()
    expect(page.get_by_test_id("detail")).to_contain_text("morning_music")
    expect(page.get_by_test_id("detail")).to_contain_text("cpu_percent")
    keep(page, "first-light-service")
