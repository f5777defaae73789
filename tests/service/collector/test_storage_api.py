"""What the collector tells of its store: as Prometheus, as metrics of its own, in /stats."""

from pathlib import Path
from typing import Any

from tests.service.collector.collector_harness import Harness

from alicia.series.labels import LabelSet
from alicia.series.samples import Sample
from alicia.tsdb.store import Batch

PATH = "/api/v1/status/tsdb"


def write(harness: Harness, *series: dict[str, str]) -> None:
    now_ms = harness.clock.now_ms()
    samples = [Sample(LabelSet(labels), now_ms, 1.0) for labels in series]
    harness.collector.store.write(Batch(samples, now_ms))


async def data(harness: Harness, **query: str) -> dict[str, Any]:
    reply = await harness.http.get(PATH, params=query)
    assert reply.json()["status"] == "success"
    found: dict[str, Any] = reply.json()["data"]
    return found


async def test_an_empty_store(harness: Harness) -> None:
    assert await data(harness) == {
        "headStats": {
            "numSeries": 0,
            "numLabelPairs": 0,
            "chunkCount": 0,
            "minTime": 2**63 - 1,
            "maxTime": -(2**63),
        },
        "seriesCountByMetricName": [],
        "labelValueCountByLabelName": [],
        "memoryInBytesByLabelName": [],
        "seriesCountByLabelValuePair": [],
    }


async def test_the_shape_and_the_numbers_are_those_of_prometheus(harness: Harness) -> None:
    write(
        harness,
        {"__name__": "up", "job": "a", "zone": "ä"},
        {"__name__": "up", "job": "b"},
        {"__name__": "load", "job": "a"},
    )
    now_ms = harness.clock.now_ms()
    assert await data(harness) == {
        "headStats": {
            "numSeries": 3,
            "numLabelPairs": 5,
            "chunkCount": 0,
            "minTime": now_ms,
            "maxTime": now_ms,
        },
        "seriesCountByMetricName": [{"name": "up", "value": 2}, {"name": "load", "value": 1}],
        "labelValueCountByLabelName": [
            {"name": "__name__", "value": 2},
            {"name": "job", "value": 2},
            {"name": "zone", "value": 1},
        ],
        # bytes of a value times the series that have it
        "memoryInBytesByLabelName": [
            {"name": "__name__", "value": 2 + 2 + 4},
            {"name": "job", "value": 3},
            {"name": "zone", "value": 2},
        ],
        "seriesCountByLabelValuePair": [
            {"name": "__name__=up", "value": 2},
            {"name": "job=a", "value": 2},
            {"name": "__name__=load", "value": 1},
            {"name": "job=b", "value": 1},
            {"name": "zone=ä", "value": 1},
        ],
    }


async def test_the_limit_cuts_each_list_to_its_largest(harness: Harness) -> None:
    for n in range(15):
        write(harness, *({"__name__": f"m{n}", "i": str(i)} for i in range(n + 1)))
    whole, cut = await data(harness), await data(harness, limit="2")
    assert [row["value"] for row in whole["seriesCountByMetricName"]] == list(range(15, 5, -1))
    for name, rows in cut.items():
        assert name == "headStats" or rows == whole[name][:2]
    for limit in ("0", "-1", "10001", "x"):
        assert (await harness.http.get(PATH, params={"limit": limit})).status_code == 400


def own_metrics(harness: Harness) -> dict[str, float]:
    """The newest values of our own metrics, by name and the labels that tell them apart."""
    newest = harness.collector.store.latest((), harness.clock.now_ms())
    found = {}
    for sample in newest:
        if sample.labels.name.startswith("alicia_"):
            assert sample.labels["service"] == sample.labels["instance"] == "metrics_collector"
            found[" ".join((sample.labels.name, sample.labels.get("kind", ""))).strip()] = (
                sample.value
            )
    return found


async def test_our_metrics_tell_of_the_store(harness: Harness) -> None:
    write(harness, {"__name__": "up", "job": "a"}, {"__name__": "up", "job": "b"})
    await harness.collector.system.collect()
    shown = own_metrics(harness)
    assert shown["alicia_store_series"] == shown["alicia_head_samples"] > 2
    assert shown["alicia_log_segments"] == 1
    assert shown["alicia_log_bytes"] > 0
    assert shown["alicia_store_damaged_total log_records"] == 0
    assert {name for name in shown if "_total" not in name} >= {
        "alicia_store_memory_bytes",
        "alicia_blocks",
        "alicia_block_bytes",
        "alicia_head_chunks",
        "alicia_replay_seconds",
        "alicia_kernels_ready_seconds",
    }


async def test_stats_tell_of_the_storage(harness: Harness) -> None:
    for n in range(40):
        harness.clock.pass_ms(1000)
        write(harness, {"__name__": "up", "n": str(n % 2)})
    storage = (await harness.http.get("/stats")).json()["storage"]
    assert storage["head_samples"] == 40
    assert storage["head_chunks"] == 2
    assert storage["wal_segments"] == 1
    assert storage["damaged"] == {"log_records": 0, "blocks": 0, "chunks": 0}
    assert storage["newest"] - storage["oldest"] == 39


async def test_damage_that_a_start_finds_is_shown(tmp_path: Path) -> None:
    first = Harness(tmp_path)
    for name in "abc":
        write(first, {"__name__": name})
    await first.collector.stop()
    await first.http.aclose()
    (segment,) = (tmp_path / "metrics" / "wal").iterdir()
    content = bytearray(segment.read_bytes())
    content[len(content) // 2] ^= 1
    segment.write_bytes(content)
    harness = Harness(tmp_path)
    await harness.collector.system.collect()
    assert own_metrics(harness)["alicia_store_damaged_total log_records"] == 1
    assert (await harness.http.get("/stats")).json()["storage"]["damaged"]["log_records"] == 1
    await harness.http.aclose()
    await harness.collector.stop()
