"""The Prometheus client for Python against a real collector."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client import (
    CollectorRegistry,
    Counter,
    Enum,
    Gauge,
    Histogram,
    Info,
    Summary,
    delete_from_gateway,
    push_to_gateway,
    pushadd_to_gateway,
)
from tests.support.brokers import free_port
from tests.support.collector_process import CollectorProcess


@pytest.fixture
def collector(tmp_path: Path) -> Iterator[CollectorProcess]:
    process = CollectorProcess(tmp_path / "data", mqtt_port=free_port(), COLLECTION_INTERVAL="1s")
    process.start()
    yield process
    process.ensure_stopped()


def found(collector: CollectorProcess, query: str) -> dict[str, str]:
    """The values of a query by the labels that are not ``job``."""
    rows = collector.get(f"/api/v1/query?query={query}")["data"]["result"]
    shown = {}
    for row in rows:
        labels = {name: value for name, value in row["metric"].items() if name != "job"}
        shown[",".join(f"{name}={value}" for name, value in sorted(labels.items()))] = row["value"][
            1
        ]
    return shown


def newest(collector: CollectorProcess, name: str) -> float:
    """The time of the newest sample of a metric with one series."""
    (row,) = (row for row in collector.get("/metrics")["metrics"] if row["name"] == name)
    return float(row["timestamp"])


def filled() -> CollectorRegistry:
    registry = CollectorRegistry()
    Counter("rows", "Rows written.", ["table"], registry=registry).labels("a b").inc(3)
    Gauge("last_success", "When.", registry=registry).set(1.5e9)
    seconds = Histogram("took_seconds", "How long.", registry=registry, buckets=(1, 2.5))
    seconds.observe(2)
    Summary("size_bytes", "How large.", registry=registry).observe(10)
    Info("build", "Which.", registry=registry).info({"version": '1"2'})
    Enum("phase", "Where.", registry=registry, states=["idle", "busy"]).state("busy")
    return registry


def test_the_client_pushes_adds_and_deletes(collector: CollectorProcess) -> None:
    url, key = collector.url, {"path": "/var/tmp", "who": "", "host": "nas"}
    push_to_gateway(url, job="backup", registry=filled(), grouping_key=key)
    group = 'job="backup",host="nas",path="/var/tmp"'
    assert found(collector, f"last_success{{{group}}}") == {
        "__name__=last_success,host=nas,path=/var/tmp": "1500000000"
    }
    assert found(collector, f"took_seconds_bucket{{{group}}}") == {
        f"__name__=took_seconds_bucket,host=nas,le={bound},path=/var/tmp": count
        for bound, count in (("1.0", "0"), ("2.5", "1"), ("+Inf", "1"))
    }
    assert set(found(collector, 'phase{phase="busy"}').values()) == {"1"}

    more = CollectorRegistry()
    Gauge("last_success", "When.", registry=more).set(7)
    pushadd_to_gateway(url, job="backup", registry=more, grouping_key=key)
    assert list(found(collector, "last_success").values()) == ["7"]
    assert list(found(collector, "rows_total").values()) == ["3"]

    push_to_gateway(url, job="backup", registry=more, grouping_key=key)
    assert found(collector, "rows_total") == {}

    push_to_gateway(url, job="other", registry=more)
    delete_from_gateway(url, job="backup", grouping_key=key)
    assert found(collector, "last_success") == {"__name__=last_success": "7"}


def test_a_group_outlives_a_kill(collector: CollectorProcess) -> None:
    push_to_gateway(collector.url, job="nightly", registry=filled(), compression="gzip")
    written_at = newest(collector, "last_success")
    collector.kill()
    collector.start()
    # It is repeated after the start, not only read back from the log.
    collector.until(lambda: newest(collector, "last_success") > written_at)
    assert list(found(collector, "last_success").values()) == ["1500000000"]
    delete_from_gateway(collector.url, job="nightly")
    assert found(collector, '{job="nightly"}') == {}


def test_the_client_hears_why_a_push_is_refused(collector: CollectorProcess) -> None:
    with pytest.raises(OSError, match="HTTP Error 400"):
        push_to_gateway(collector.url, job="", registry=filled())
