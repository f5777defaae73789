"""Containers and units are held to the real commands, ports and settings."""

import configparser
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from alicia.adapters.settings import load_settings, setting_keys
from alicia.cli.main import build_parser

PACKAGING = Path(__file__).resolve().parents[2] / "packaging"
SERVICES = {
    "alicia_metrics_collector": ("collector", 8024),
    "alicia_event_scheduler": ("scheduler", 8025),
}
UNITS = ("alicia-collector.service", "alicia-scheduler.service")


@pytest.fixture(scope="module")
def compose() -> dict:
    return yaml.safe_load((PACKAGING / "compose.yaml").read_text())


@pytest.fixture(scope="module")
def dockerfile() -> str:
    return (PACKAGING / "Dockerfile").read_text()


@pytest.mark.parametrize("name", SERVICES)
def test_a_container_runs_a_command_that_exists(compose: dict, name: str) -> None:
    command, port = SERVICES[name]
    service = compose["services"][name]
    assert service["container_name"] == name
    assert service["command"] == [command]
    assert build_parser().parse_args(service["command"]) is not None
    assert service["ports"] == [f"127.0.0.1:{port}:{port}"]
    assert service["networks"] == ["alicia_network"]
    assert f"http://localhost:{port}/health" in " ".join(service["healthcheck"]["test"])


@pytest.mark.parametrize("name", SERVICES)
def test_a_container_sets_what_can_be_set(compose: dict, name: str, tmp_path: Path) -> None:
    environment = compose["services"][name]["environment"]
    keys = {key.removeprefix("ALICIA_") for key in environment}
    assert keys <= set(setting_keys())
    settings = load_settings(environment=environment, folder=tmp_path)
    assert settings.host == "0.0.0.0"
    assert settings.scheduler_url == "http://alicia_event_scheduler:8025"
    # Each is asked under the name of its container, which is no host name inside of it.
    assert set(settings.allowed_hosts) == set(SERVICES)


def test_the_network_has_the_name_of_the_specification(compose: dict) -> None:
    assert compose["networks"]["alicia_network"]["name"] == "alicia_network"


def test_the_image_starts_the_command_and_names_both_ports(dockerfile: str) -> None:
    assert 'ENTRYPOINT ["alicia"]' in dockerfile
    assert re.search(r"^EXPOSE 8024 8025$", dockerfile, re.MULTILINE)
    default = re.search(r'^CMD \["(\w+)"\]$', dockerfile, re.MULTILINE)
    assert default is not None
    build_parser().parse_args([default.group(1)])
    data_dir = re.search(r"ALICIA_DATA_DIR=(\S+)", dockerfile)
    assert data_dir is not None
    assert f"VOLUME {data_dir.group(1)}" in dockerfile


def test_the_image_copies_only_what_exists(dockerfile: str) -> None:
    root = PACKAGING.parent
    for line in dockerfile.splitlines():
        if line.startswith("COPY ") and "--from=" not in line:
            for source in line.split()[1:-1]:
                assert (root / source).exists(), source


@pytest.mark.parametrize("unit", UNITS)
def test_a_unit_runs_a_command_that_exists(unit: str) -> None:
    parsed = configparser.ConfigParser(strict=False, interpolation=None)
    parsed.optionxform = str  # type: ignore[assignment, method-assign]
    parsed.read(PACKAGING / unit)
    program, *arguments = parsed["Service"]["ExecStart"].split()
    assert Path(program).name == "alicia"
    assert build_parser().parse_args(arguments) is not None
    key, _, value = parsed["Service"]["Environment"].partition("=")
    assert key.removeprefix("ALICIA_") in setting_keys()
    assert value == "/var/lib/alicia"


@pytest.mark.parametrize("unit", UNITS)
def test_systemd_accepts_the_unit(unit: str, tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed")
    # The program of the unit is not installed here; any that exists stands in for it.
    text = (PACKAGING / unit).read_text().replace("/opt/alicia/bin/alicia", "/bin/echo")
    copy = tmp_path / unit
    copy.write_text(text)
    result = subprocess.run(
        ["systemd-analyze", "verify", copy], capture_output=True, text=True, check=False, timeout=50
    )
    assert result.returncode == 0, result.stderr
