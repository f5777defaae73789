"""One publisher that makes up label sets without end, beside services that behave."""

import itertools
import threading
from contextlib import closing
from pathlib import Path

import httpx
import psutil
import pytest
from tests.support.brokers import free_port
from tests.support.collector_process import CollectorProcess

BODY = 2000  # metrics in one request
LIMIT = 10_000  # MAX_SERIES_PER_SERVICE by default
RESIDENT_MAX = 600 << 20  # bytes, whatever is thrown at it
OTHERS = 5


def hostile(start: int) -> dict[str, object]:
    metrics = [
        {"name": "requests", "value": 1, "labels": {"path": f"/{n:x}", "code": "200"}}
        for n in range(start, start + BODY)
    ]
    return {"service_name": "hostile", "metrics": metrics}


@pytest.mark.parametrize(
    "label_sets",
    [60_000, pytest.param(1_000_000, marks=[pytest.mark.slow, pytest.mark.timeout(600)])],
)
def test_limits_hold_and_the_others_samples_all_arrive(tmp_path: Path, label_sets: int) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    collector = CollectorProcess(folder, mqtt_port=free_port())
    collector.start()
    with closing(collector), httpx.Client(base_url=collector.url, timeout=30) as client:
        process = psutil.Process(collector.pid)
        collector.send("POST", "/metrics", hostile(0))
        sent, stop = [0] * OTHERS, threading.Event()

        def behave(number: int) -> None:
            for value in itertools.count(1):
                body = {"service_name": f"good{number}", "metrics": {"beat": value}}
                assert collector.send("POST", "/metrics", body)["accepted"] == 1
                sent[number] = value
                if stop.wait(0.05):
                    return

        threads = [threading.Thread(target=behave, args=(n,)) for n in range(OTHERS)]
        for thread in threads:
            thread.start()
        refused = 0
        for start in range(BODY, label_sets, BODY):
            answer = client.post("/metrics", json=hostile(start)).json()
            refused += answer.get("rejected_count", len(answer["rejected"]))
        stop.set()
        for thread in threads:
            thread.join()
        stats = collector.get("/stats")
        assert refused == label_sets - LIMIT
        assert process.memory_info().rss < RESIDENT_MAX
        (culprit,) = stats["cardinality"]["culprits"]
        assert (culprit["service"], culprit["label"]) == ("hostile", "path")
        assert stats["cardinality"]["refused"] == {"hostile": refused}
        for number, values in enumerate(sent):
            stored = collector.get(f"/metrics/good{number}/beat?limit=10000")["samples"]
            assert sorted(sample["value"] for sample in stored) == list(range(1, values + 1))
            assert values > 0
