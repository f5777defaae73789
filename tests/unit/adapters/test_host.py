"""The machine's metrics; what is read depends on the machine, its form does not."""

from pathlib import Path

import pytest

from alicia.adapters import host
from alicia.adapters.host import HostProbe
from alicia.series.kinds import MetricType


def test_the_names_that_default_rules_need_are_there(tmp_path: Path) -> None:
    readings = HostProbe((tmp_path,)).read()
    values = {reading.name: reading.value for reading in readings.host}
    for name in ("cpu_percent", "memory_percent", "disk_percent"):
        assert 0 <= values[name] <= 100


def test_every_reading_is_one_series_and_described() -> None:
    readings = HostProbe().read()
    everything = [*readings.host, *readings.process]
    series = [(reading.name, reading.labels) for reading in everything]
    assert len(set(series)) == len(series)
    assert all(reading.help for reading in everything)
    for reading in everything:
        assert reading.name.endswith("_total") is (reading.type is MetricType.COUNTER)


def test_the_root_is_among_the_disks_once() -> None:
    readings = HostProbe((Path("/"),)).read()
    paths = [dict(r.labels)["path"] for r in readings.host if r.name == "disk_percent"]
    assert paths[0] == "/"
    assert len(paths) == len(set(paths))


def test_our_own_process_is_read() -> None:
    values = {reading.name: reading.value for reading in HostProbe().read().process}
    assert values["process_resident_memory_bytes"] > 1_000_000
    assert values["process_threads"] >= 1


def test_a_busy_share_by_hand() -> None:
    times = host.psutil.cpu_times()
    before = times._replace(**dict.fromkeys(times._fields, 0.0))
    now = before._replace(user=3.0, idle=1.0)
    assert host._busy_percent(before, now) == 75.0
    assert host._busy_percent(before, before) == 0.0


def test_a_part_that_is_missing_costs_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    probe = HostProbe()
    before = {reading.name for reading in probe.read().host}
    monkeypatch.setattr(host.psutil, "getloadavg", _no_such_thing)
    left = {reading.name for reading in probe.read().host}
    assert before - left == {"load1", "load5", "load15"}


def _no_such_thing() -> None:
    raise OSError("not on this machine")
